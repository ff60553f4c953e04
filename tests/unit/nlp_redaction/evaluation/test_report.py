"""What the report counts, and for which notes."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import Label
from nlp_redaction.evaluation.annotated_notes import read_inline
from nlp_redaction.evaluation.cases import Case, GoldRefused, infer_style, read_cases
from nlp_redaction.evaluation.evaluate import evaluate_cases
from nlp_redaction.evaluation.report import Report, make_report
from nlp_redaction.evaluation.tables import make_table
from nlp_redaction.jsonl import BrokenInput
from tests.lib.harnesses.finders import WordFinder


def report_on(*marked: tuple[str, str], finder: WordFinder | None = None) -> Report:
    cases = [
        Case(read_inline(f"n-{number}", "", style, text))
        for number, (style, text) in enumerate(marked)
    ]
    return make_report("rules", *evaluate_cases(finder or WordFinder(), cases))


def test_figures_of_all_and_of_each_style() -> None:
    report = report_on(
        ("tidy", "[[NAME|Ada]] came on [[DATE|Tuesday]]"),
        ("messy", "[[NAME|Bob]] saw Smith twice"),
    )
    every, tidy, messy = report.groups
    assert (every.name, tidy.name, messy.name) == ("all", "tidy", "messy")
    assert (every.recall.count, every.recall.of) == (1, 3)
    assert (tidy.recall.count, tidy.recall.of) == (1, 2)
    assert every.names is not None
    assert (every.names.count, every.names.of) == (1, 2)
    assert set(every.by_kind) == {"NAME", "DATE"}
    assert every.leaking.count == 2
    assert every.needless.value == 1000 * 1 / 8
    assert every.left_behind is None


def test_one_style_alone_is_not_said_twice() -> None:
    assert len(report_on(("tidy", "[[NAME|Ada]]")).groups) == 1


def test_other_labels_are_counted_apart() -> None:
    report = report_on(
        ("", "[[NAME|Ada]] in [[LOCATION|Smith]]"), finder=WordFinder(label=Label.NAME)
    )
    assert report.confusions == (("LOCATION", "NAME", 1),)
    assert report.groups[0].recall.value == 1


def test_known_identifiers_left_behind_are_those_of_the_told_search() -> None:
    """Bob is known as a person, of which this finder makes nothing; Zed it scrubs."""
    known = KnownIdentifiers(names=("Zed",), people=("Bob",))
    case = Case(read_inline("n", "", "", "[[NAME|Zed]] and [[NAME|Bob]]"), known)
    group = make_report("rules", *evaluate_cases(WordFinder(), [case])).groups[0]
    assert group.recall.count == 0
    assert group.left_behind is not None
    assert (group.left_behind.count, group.left_behind.of) == (1, 2)


def test_refused_notes_are_in_no_figure() -> None:
    report = report_on(("", "[[NAME|Ada]]"), ("", "BREAK [[NAME|Ada]]"))
    assert report.refused == 1
    assert report.groups[0].documents == 1


def test_a_report_is_json_and_a_table() -> None:
    report = report_on(("tidy", "[[NAME|Ada]]"), ("messy", "[[NAME|Bob]]"))
    described = json.loads(json.dumps(report.describe()))
    assert described["groups"]["all"]["recall"]["count"] == 1
    console = Console(width=200)
    with console.capture() as shown:
        console.print(make_table(report))
    assert "recall, NAME" in shown.get()
    assert "0.500 (0.000-1.000, 1/2)" in shown.get()


def test_cases_come_from_lines_and_from_inline_files(tmp_path: Path) -> None:
    lines, inline = tmp_path / "gold.jsonl", tmp_path / "notes.txt"
    row = {
        "id": "b007",
        "text": "Ada",
        "spans": [{"start": 0, "end": 3, "label": "NAME"}],
        "known": {"names": ["Ada"]},
    }
    lines.write_text(json.dumps(row) + "\n\n")
    inline.write_text("=== ash-1 | letter | tidy\nDear [[NAME|Ada]]\n")
    first, second = read_cases([lines, inline])
    assert (first.note.style, first.known.names) == ("messy", ("Ada",))
    assert (second.note.style, second.note.text) == ("tidy", "Dear Ada")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"id": 1, "text": "Ada"}',
        '{"id": 1, "text": null, "spans": []}',
        '{"id": 1, "text": "Ada", "spans": [{"start": 0, "end": 4, "label": "NAME"}]}',
        '{"id": 1, "text": "Ada", "spans": [{"start": 0, "end": 3, "label": "PET"}]}',
        '{"id": 1, "text": "Ada", "spans": [7]}',
    ],
)
def test_a_line_that_is_no_marked_note_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "gold.jsonl"
    file.write_text(line)
    with pytest.raises(BrokenInput, match="Line 1") as refusal:
        read_cases([file])
    assert "Ada" not in str(refusal.value)


def test_a_broken_mark_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("=== ash-1 | letter | tidy\nDear [[NAME|Ada\n")
    with pytest.raises(GoldRefused, match="ash-1"):
        read_cases([file])


@pytest.mark.parametrize(
    ("name", "style", "told"),
    [
        ("a001", "", "tidy"),
        ("b001", "", "messy"),
        ("ash-1", "", ""),
        ("ash-1", "messy", "messy"),
        ("a001", "messy", "messy"),
        ("c001", "", ""),
        ("", "", ""),
    ],
)
def test_the_style_is_told_by_the_row_or_its_name(
    name: str, style: str, told: str
) -> None:
    assert infer_style(name, style) == told
