"""The command line: a line out for a line in, codes for what is refused, no contents."""

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nlp_redaction import __main__ as command_line
from nlp_redaction import pipeline
from nlp_redaction.commands.explain import show, write_page
from nlp_redaction.commands.explanation import Explanation, explain, list_lines
from nlp_redaction.commands.find import answer_rows, run_find
from nlp_redaction.commands.rows import Row, cut_chunks, open_output, read_rows
from nlp_redaction.errors import ModelMissing
from nlp_redaction.jsonl import BrokenInput
from tests.lib.harnesses.finders import WordFinder

SECRET = "Zebedee"


def write_rows(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read_answers(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> WordFinder:
    made = WordFinder()

    def make(mode: str, settings: object) -> WordFinder:
        if mode == "missing":
            raise ModelMissing("There is no such model.")
        return made

    monkeypatch.setattr(pipeline, "Finder", make)
    return made


def test_find_writes_spans_in_the_order_of_the_lines(
    tmp_path: Path, finder: WordFinder
) -> None:
    source = write_rows(
        tmp_path / "in.jsonl",
        {"id": "b", "text": "Dr Smith"},
        {"id": 7, "text": "nobody"},
        {"id": None, "text": "Zed", "known": {"names": ["Zed"], "phones": None}},
    )
    target = tmp_path / "out.jsonl"
    status = command_line.main(
        ["find", "--input", str(source), "--output", str(target)]
    )
    assert status == 0
    span = {"start": 3, "end": 8, "label": "NAME", "score": 0.9}
    assert read_answers(target) == [
        {"id": "b", "spans": [{**span, "recogniser": "WordFinder"}]},
        {"id": 7, "spans": []},
        {
            "id": None,
            "spans": [{**span, "start": 0, "end": 3, "recogniser": "WordFinder"}],
        },
    ]


def test_what_cannot_be_searched_is_counted_and_the_rest_is_answered(
    tmp_path: Path, finder: WordFinder, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(
        '{"id": 1, "text": null}\n{"id": 2, "text": NaN}\n{"id": 3, "text": "\\ud800"}\n'
        f'{{"id": 4, "text": "{"x" * 1001}"}}\n{{"id": 5, "text": "BREAK {SECRET}"}}\n'
        '{"id": 6, "text": "Ada"}\n'
    )
    target = tmp_path / "out.jsonl"
    status = command_line.main(
        ["find", "--input", str(source), "--output", str(target)]
    )
    assert status == 3
    answers = read_answers(target)
    assert [answer.get("refused") for answer in answers] == [
        "not_text",
        "not_text",
        "broken_encoding",
        "too_long",
        "failed",
        None,
    ]
    assert [len(answer["spans"]) for answer in answers] == [0, 0, 0, 0, 0, 1]
    said = capsys.readouterr().err
    assert "5 (broken_encoding 1, failed 1, not_text 2, too_long 1)" in said
    assert SECRET not in said + target.read_text()


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": 1, "text": "Zebedee"',
        b'["Zebedee"]',
        b'"Zebedee"',
        b'{"text": "Zebedee"}',
        b'{"id": "Zebedee"}',
        b'{"id": 1, "text": "Zebedee \xff"}',
        b'{"id": 1, "text": "a", "known": ["Zebedee"]}',
        b'{"id": 1, "text": "a", "known": {"names": "Zebedee"}}',
        b'{"id": 1, "text": "a", "known": {"names": [["Zebedee"]]}}',
        b'{"id": 1, "text": "a", "known": {"Zebedee": []}}',
        b'{"id": 1, "text": "a", "shift_days": "Zebedee"}',
        b'{"id": 1, "text": "a", "shift_days": true}',
        b"[" * 100_000,
    ],
)
def test_a_broken_line_stops_with_its_number_and_never_its_contents(
    tmp_path: Path, finder: WordFinder, capsys: pytest.CaptureFixture[str], line: bytes
) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b'{"id": 0, "text": "Ada"}\n\n' + line + b"\n")
    status = command_line.main(
        ["find", "--input", str(source), "--output", str(target)]
    )
    assert status == 2
    said = capsys.readouterr().err
    assert said.startswith("Line 3 of the input ")
    assert SECRET not in said
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_file_that_was_there_survives_a_broken_run(
    tmp_path: Path, finder: WordFinder
) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("{\n")
    target.write_text("before")
    assert (
        command_line.main(["find", "--input", str(source), "--output", str(target)])
        == 2
    )
    assert target.read_text() == "before"


def test_standard_input_and_output(
    finder: WordFinder,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    given = io.TextIOWrapper(io.BytesIO(b'\xef\xbb\xbf{"id": 1, "text": "Ada"}\r\n'))
    monkeypatch.setattr("sys.stdin", given)
    assert command_line.main(["find"]) == 0
    (line,) = capsysbinary.readouterr().out.splitlines()
    assert json.loads(line)["spans"][0]["end"] == 3


def test_a_missing_model_or_file_or_setting_is_said(
    tmp_path: Path, finder: WordFinder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["find", "--mode", "missing"]) == 2
    assert command_line.main(["find", "--input", str(tmp_path / "no")]) == 1
    settings = tmp_path / "settings.toml"
    settings.write_text("unheard_of = 1")
    assert command_line.main(["find", "--settings", str(settings)]) == 2
    assert "unheard_of" in capsys.readouterr().err


def test_wrong_options_end_with_2() -> None:
    for arguments in ([], ["find", "--unheard-of"], ["evaluate"]):
        with pytest.raises(SystemExit) as stop:
            command_line.main(arguments)
        assert stop.value.code == 2


def test_rows_stream_in_chunks_of_flat_size(tmp_path: Path) -> None:
    """The second chunk is not read before the first is answered."""
    read = 0

    def rows() -> Any:
        nonlocal read
        for number in range(10_000):
            read += 1
            yield Row(identity=number, text="Ada")

    finder = WordFinder()
    answers = answer_rows(finder, rows())
    assert next(answers)["id"] == 0
    assert read < 1000
    assert sum(1 for _ in answers) == 9999
    assert max(finder.sizes) < 1000


def test_long_texts_make_small_chunks() -> None:
    rows = [Row(identity=number, text="x" * 400_000) for number in range(5)]
    assert [len(chunk) for chunk in cut_chunks(rows)] == [2, 2, 1]


def test_rows_show_nothing_of_themselves() -> None:
    (row,) = read_rows(io.BytesIO(b'{"id": "Zebedee", "text": "Zebedee"}'))
    assert SECRET not in repr(row)


def test_an_output_is_whole_or_not_there(tmp_path: Path) -> None:
    def write_and_fail() -> None:
        with open_output(str(tmp_path / "out")) as file:
            file.write(b"half")
            raise BrokenInput(1, "is not JSON")

    with pytest.raises(BrokenInput):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []
    with open_output(os.devnull) as file:
        file.write(b"gone")
    assert Path(os.devnull).is_char_device()


def test_the_output_may_be_the_input(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", {"id": 1, "text": "Ada"})
    assert not run_find(WordFinder(), str(rows), str(rows))
    assert read_answers(rows)[0]["spans"]


def explain_text(text: str) -> Explanation:
    finder = WordFinder(["Ada"], hints=["Ada", "Bob"])
    return explain(finder, text)


TEXT = "Ada saw\nBob <i> with\x1b[1m Paget"


def test_explain_tells_what_was_removed_hinted_and_protected() -> None:
    lines = list_lines(explain_text(TEXT))
    assert [(line.outcome, line.words, line.place) for line in lines] == [
        ("removed", "Ada", "1:1 (0-3)"),
        ("agreed", "Ada", "1:1 (0-3)"),
        ("hint only", "Bob", "2:1 (8-11)"),
        ("protected", "Paget", "2:18 (25-30)"),
    ]
    assert [line.reason for line in lines] == [*["a listed word"] * 3, "an eponym"]


def test_explain_shows_the_text_with_labels_and_without_control_signs() -> None:
    console = Console(width=200)
    with console.capture() as shown:
        show(explain_text(TEXT), console)
    assert "Ada[NAME] saw\nBob <i>" in shown.get()
    assert "\x1b[1m Paget" not in shown.get()


def test_explain_writes_a_page_in_which_no_text_acts() -> None:
    page = write_page(explain_text(TEXT))
    assert "<i>" not in page
    assert ">Ada<sup>NAME</sup></mark>" in page


def test_explain_from_the_command_line(
    tmp_path: Path, finder: WordFinder, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.json"
    known.write_text('{"names": ["Zed"]}')
    page = tmp_path / "page.html"
    text = tmp_path / "note.txt"
    text.write_text("Zed saw Ada")
    arguments = ["explain", str(text), "--known", str(known), "--html", str(page)]
    assert command_line.main(arguments) == 0
    assert "Zed[NAME] saw Ada[NAME]" in capsys.readouterr().out
    assert page.read_text().startswith("<!doctype html>")
    assert command_line.main(["explain", "--text", "x" * 1001]) == 3


def test_evaluate_from_the_command_line(
    tmp_path: Path, finder: WordFinder, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = tmp_path / "gold.txt"
    gold.write_text(
        "=== x-1 | letter | tidy\nDear [[NAME|Ada]]\n"
        "=== x-2 | letter | messy\nhi [[NAME|bob]] says Smith\n"
    )
    page, figures = tmp_path / "page.html", tmp_path / "figures.json"
    arguments = ["evaluate", str(gold), "--mode", "rules"]
    arguments += ["--html", str(page), "--json", str(figures)]
    assert command_line.main(arguments) == 0
    assert re.search(r"recall, all kinds\W+0\.500", capsys.readouterr().out)
    assert json.loads(figures.read_text())["groups"]["messy"]["recall"]["value"] == 0
    assert "bob" in page.read_text()


def test_the_text_given_to_evaluate_may_be_broken(
    tmp_path: Path, finder: WordFinder, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = write_rows(tmp_path / "gold.jsonl", {"id": 1, "text": SECRET})
    assert command_line.main(["evaluate", str(gold)]) == 2
    assert SECRET not in capsys.readouterr().err
