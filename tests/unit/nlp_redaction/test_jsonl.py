"""Lines are read strictly, and no message quotes one."""

import pytest

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.jsonl import BrokenInput, read_known, read_object

SECRET = "Qureshi"


def test_an_object_is_read_with_or_without_a_mark_of_its_encoding() -> None:
    line = f'{{"id": 1, "text": "{SECRET}"}}'.encode()
    assert read_object(1, line) == {"id": 1, "text": SECRET}
    assert read_object(1, b"\xef\xbb\xbf" + line) == {"id": 1, "text": SECRET}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (SECRET.encode() + b"\xff", "is not UTF-8"),
        (SECRET.encode(), "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (f'["{SECRET}"]'.encode(), "is not a JSON object"),
    ],
)
def test_a_broken_line_is_named_by_its_number(line: bytes, problem: str) -> None:
    with pytest.raises(BrokenInput) as broken:
        read_object(7, line)
    assert str(broken.value) == f"Line 7 of the input {problem}."


def test_known_identifiers_are_lists_of_texts_and_numbers() -> None:
    content = {"names": ["Ada", None, " "], "numbers": [9990001111], "phones": None}
    expected = KnownIdentifiers(names=("Ada",), numbers=("9990001111",))
    assert read_known(1, content) == expected
    assert read_known(1, None) is NOTHING_KNOWN


@pytest.mark.parametrize(
    "content",
    [
        [SECRET],
        {"name": [SECRET]},
        {"names": SECRET},
        {"names": [[SECRET]]},
        {"names": [True]},
    ],
)
def test_known_identifiers_that_nobody_could_read_are_refused(content: object) -> None:
    with pytest.raises(BrokenInput) as broken:
        read_known(3, content)
    assert "Line 3" in str(broken.value)
    assert SECRET not in str(broken.value)
