"""``redact``: a line out for a line in, a key for each patient, nothing passed through."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from nlp_redaction import __main__ as command_line
from nlp_redaction.commands.redact import Choices, make_context, read_key, run_redact
from nlp_redaction.commands.rows import Row
from nlp_redaction.errors import Refusal, SettingsRefused
from nlp_redaction.replacement import Redacted, RowContext

KEY = bytes(range(32))


def redact_all(items: Sequence[tuple[object, RowContext]]) -> list[Redacted]:
    """Replace everything; withhold what holds BREAK."""
    answers = []
    for text, _ in items:
        if text is None:
            answers.append(Redacted())
        elif "BREAK" in str(text):
            answers.append(Redacted(refusal=Refusal.FAILED))
        else:
            answers.append(Redacted(text="[NAME]"))
    return answers


def test_every_line_is_answered_in_order(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    texts = ["Ada", "BREAK", None]
    source.write_text(
        "".join(json.dumps({"id": n, "text": t}) + "\n" for n, t in enumerate(texts))
    )
    withheld = run_redact(redact_all, Choices(), str(source), str(target))
    assert withheld == {"failed": 1}
    assert [json.loads(line) for line in target.read_text().splitlines()] == [
        {"id": 0, "text": "[NAME]"},
        {"id": 1, "refused": "failed"},
        {"id": 2, "text": None},
    ]


def test_rows_of_a_patient_share_a_key_and_others_do_not() -> None:
    choices = Choices(key=KEY)

    def key_of(identity: str, patient: str | None) -> bytes | None:
        row = Row(identity=identity, text="", patient=patient)
        return make_context(row, choices).surrogate_key

    assert key_of("1", "p") == key_of("2", "p") != key_of("1", "q")
    assert len({key_of("1", None), key_of("2", None), key_of("1", "1")}) == 3
    assert make_context(Row(identity="1", text=""), Choices()).surrogate_key is None


def test_a_row_s_own_shift_goes_before_the_option() -> None:
    choices = Choices(shift_days=5)
    assert make_context(Row(identity=1, text=""), choices).shift_days == 5
    own = Row(identity=1, text="", shift_days=0)
    assert make_context(own, choices).shift_days == 0


@pytest.mark.parametrize(
    "content", [KEY, KEY.hex().encode(), KEY.hex().encode() + b"\n"]
)
def test_a_key_is_32_bytes_or_64_digits(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    assert read_key(file) == KEY


@pytest.mark.parametrize("content", [b"", b"secret", KEY[1:], b"zz" * 32])
def test_another_key_is_refused_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(SettingsRefused, match="32 bytes") as refusal:
        read_key(file)
    assert "secret" not in str(refusal.value)


def test_a_missing_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="cannot be read"):
        read_key(tmp_path / "none")


def test_surrogates_need_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["redact", "--replacement", "surrogates"]) == 2
    assert "--key-file" in capsys.readouterr().err


def test_choices_show_nothing_of_the_key() -> None:
    assert KEY.hex() not in repr(Choices(key=KEY))


def test_redact_from_the_command_line_without_a_model(tmp_path: Path) -> None:
    """The whole way, in this process: rules find the number, a tag takes its place."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 1, "text": "Please ring 07700 900123 today."}\n')
    arguments = ["redact", "--mode", "rules", "--processes", "0"]
    arguments += ["--input", str(source), "--output", str(target)]
    assert command_line.main(arguments) == 0
    answer = json.loads(target.read_text())
    assert answer == {"id": 1, "text": "Please ring [PHONE] today."}
