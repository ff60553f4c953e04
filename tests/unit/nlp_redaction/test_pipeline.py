"""The search from end to end reads, tokenises and protects a text once."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from nlp_redaction.decision import propagation, protected_terms
from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.document.spans import Label
from nlp_redaction.document.text import Document
from nlp_redaction.errors import Refusal, TextRefused
from nlp_redaction.pipeline import Finder
from nlp_redaction.replacement import Redactor, RowContext, Style
from nlp_redaction.settings import Settings

# One name is carried on; the other stands again as an eponym.
TEXT = "Seen by Mr Quill and Dr Parkinson today; QUILL rang. Known Parkinson's disease."


@pytest.fixture(scope="module")
def rules() -> Finder:
    return Finder("rules")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a text is tokenised, and how often its protected terms are sought."""
    counted: Counter[str] = Counter()

    def count(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **named: Any) -> Any:
            counted[name] += 1
            return work(*arguments, **named)

        return counting

    read = count("read", Document.read)
    protect = count("protect", protected_terms.find_protected)
    monkeypatch.setattr(Document, "read", read)
    monkeypatch.setattr("nlp_redaction.pipeline.find_protected", protect)
    monkeypatch.setattr(protected_terms, "find_protected", protect)
    return counted


def test_a_text_is_tokenised_once_and_protected_once(
    rules: Finder, calls: Counter[str]
) -> None:
    assert not hasattr(propagation, "find_protected")
    redactor = Redactor(finder_factory=lambda *_: rules)
    (answer,) = redactor.redact_all([(TEXT, RowContext())], Style(mode="rules"))
    assert answer.text is not None
    seen, known = answer.text.split(". ")
    assert seen == "Seen by Mr [NAME] and Dr [NAME] today; [NAME] rang"
    assert known == "Known Parkinson's disease."
    assert calls == {"read": 1, "protect": 1}


def test_a_search_answers_with_what_it_protected(rules: Finder) -> None:
    searched = rules.find(TEXT)
    assert [
        (TEXT[term.start : term.end], term.reason) for term in searched.protected
    ] == [("Parkinson", "an eponym that is no name")]
    found = [TEXT[span.start : span.end] for span in searched.spans]
    assert found == ["Quill", "Parkinson", "QUILL"]
    assert searched.document.text == TEXT


def test_all_ways_of_asking_answer_alike(rules: Finder) -> None:
    known = KnownIdentifiers(names=("Ann Quill",))
    queries = [("Mr Smith rang.", NOTHING_KNOWN), ("quill came", known), ("", known)]
    expected = [rules.find(*query).spans for query in queries]
    assert [found.spans for found in rules.find_all(queries)] == expected
    tried = rules.try_all(queries)
    assert [f.spans for f in tried if not isinstance(f, TextRefused)] == expected


def test_a_refused_text_is_answered_in_its_place() -> None:
    finder = Finder("rules", Settings(longest_text=20))
    texts = ["Mr Smith rang.", "x" * 21, None, "half \ud800", "Mr Jones rang."]
    tried = finder.try_all([(text, NOTHING_KNOWN) for text in texts])
    codes = [f.refusal if isinstance(f, TextRefused) else None for f in tried]
    refused = [Refusal.TOO_LONG, Refusal.NOT_TEXT, Refusal.BROKEN_ENCODING]
    assert codes == [None, *refused, None]


def test_evidence_holds_hints_and_what_is_known(rules: Finder) -> None:
    document = Document.read("saw Xelwyn today; Ann")
    known = KnownIdentifiers(names=("Ann Quill",))
    without, told = rules.list_evidence(document), rules.list_evidence(document, known)
    assert any(span.score < 0.5 for span in without)
    assert len(told) > len(without)
    assert all(span.label is Label.NAME for span in told[len(without) :])


def test_many_texts_are_searched_some_at_a_time(rules: Finder) -> None:
    texts = [(f"Mr Smith rang {number} times.", NOTHING_KNOWN) for number in range(70)]
    found = list(rules.find_all(texts))
    assert [one.document.text for one in found] == [text for text, _ in texts]
