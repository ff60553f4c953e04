"""The page shows each finding once, in context, and lets no text act as HTML."""

import re
from html.parser import HTMLParser

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.evaluation.annotated_notes import read_inline
from nlp_redaction.evaluation.cases import Case
from nlp_redaction.evaluation.evaluate import evaluate_cases
from nlp_redaction.evaluation.findings import Fault, list_findings
from nlp_redaction.evaluation.page import write_page
from nlp_redaction.evaluation.report import make_report
from tests.lib.harnesses.finders import WordFinder

KNOWN = KnownIdentifiers(names=("Zed",), people=("Bob",))
CASES = [
    Case(
        read_inline("a-1", "letter", "tidy", "Dr [[NAME|Ada Jones]] saw <b>Smith</b>"),
        KNOWN,
    ),
    Case(read_inline("a-2", "note", "messy", "[[DATE|Tues]] & [[NAME|Bob]]"), KNOWN),
]
EVALUATED, REFUSED = evaluate_cases(WordFinder(), CASES)
REPORT = make_report("rules", EVALUATED, REFUSED)
FINDINGS = list_findings(EVALUATED)
PAGE = write_page(REPORT, FINDINGS)


class Balance(HTMLParser):
    """Counts tags that are opened and not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.seen.append(tag)
        if tag not in {"meta", "input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_findings_are_grouped_by_fault_and_kind() -> None:
    assert [(f.fault, f.kind, f.note) for f in FINDINGS] == [
        (Fault.MISS, "DATE", "a-2"),
        (Fault.MISS, "NAME", "a-1"),
        (Fault.MISS, "NAME", "a-2"),
        (Fault.FALSE_FLAG, "NAME", "a-1"),
        (Fault.LEFT, "KNOWN", "a-2"),
    ]


def test_the_pieces_of_a_finding_are_its_context() -> None:
    miss = next(f for f in FINDINGS if f.note == "a-1" and f.fault is Fault.MISS)
    assert "".join(piece.text for piece in miss.pieces) == CASES[0].note.text
    assert [p.text for p in miss.pieces if p.inside and not p.covered] == [" Jones"]
    assert [p.text for p in miss.pieces if p.inside and p.covered] == ["Ada"]


def test_long_contexts_are_cut() -> None:
    case = Case(read_inline("a-3", "", "", "x " * 200 + "[[NAME|Bob]]" + " y" * 200))
    evaluated, _ = evaluate_cases(WordFinder(), [case])
    (finding,) = list_findings(evaluated)
    assert len("".join(piece.text for piece in finding.pieces)) < 200


def test_the_page_is_sound_html() -> None:
    balance = Balance()
    balance.feed(PAGE)
    assert balance.open == []
    assert balance.seen.count("li") == len(FINDINGS)
    assert {"h1", "h2", "table", "fieldset", "legend", "label", "main"} <= set(
        balance.seen
    )
    assert '<html lang="en-GB">' in PAGE


def test_no_text_acts_as_html() -> None:
    assert "<b>" not in PAGE
    assert "&lt;b&gt;" in PAGE


def test_the_page_needs_nothing_else() -> None:
    assert not re.search(r"""(?:src|href)=|url\(|@import|https?://""", PAGE)
    assert "prefers-color-scheme: dark" in PAGE


def test_a_clean_run_says_so() -> None:
    evaluated, _ = evaluate_cases(
        WordFinder(), [Case(read_inline("a", "", "", "[[NAME|Ada]]"))]
    )
    page = write_page(make_report("rules", evaluated), list_findings(evaluated))
    assert "no miss and no false flag" in page
    assert "<form" not in page
