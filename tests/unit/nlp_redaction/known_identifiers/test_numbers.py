"""Dates and numbers of the record, found in every form."""

import pytest

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.text import Document
from nlp_redaction.known_identifiers import find_known
from nlp_redaction.known_identifiers.date_values import KnownDate, read_dates
from nlp_redaction.known_identifiers.fuzzy import FuzzyIndex, count_errors

BORN = KnownIdentifiers(dates=("1958-09-11",))
NUMBERED = KnownIdentifiers(numbers=("9999116426", "RX/118042", "MORGA657054SM9IJ"))


def show(text: str, known: KnownIdentifiers) -> list[str]:
    found = {(s.start, s.end) for s in find_known(Document.read(text), known)}
    return [text[start:end] for start, end in sorted(found)]


@pytest.mark.parametrize(
    "written",
    [
        "1958-09-11",
        "1958-09-11T00:00:00",
        "11/09/1958",
        "11.9.58",
        "11 Sept 1958",
        "11th of September '58",
        "September 11, 1958",
        "110958",
        "11Sep1958",
        "11 Medi 1958",
        "datetime 1958-09-11 00:00:00"[9:],
    ],
)
def test_known_dates_are_read_in_any_form(written: str) -> None:
    (date,) = read_dates((written,))
    assert (date.day, date.month, date.year % 100) == (11, 9, 58)


def test_part_dates_and_rubbish() -> None:
    assert read_dates(("Sept 1958", "1958", "", "n/k", "99/99/9999")) == (
        KnownDate(0, 9, 1958),
        KnownDate(0, 0, 1958),
    )


DATES = [
    ("dob 11/09/1958.", "11/09/1958"),
    ("dob 11.9.58.", "11.9.58"),
    ("dob 11-09-58.", "11-09-58"),
    ("on 11 Sept 1958 at", "11 Sept 1958"),
    ("on Thursday 11 Sept 1958 at", "Thursday 11 Sept 1958"),
    ("on 11th of September '58 at", "11th of September '58"),
    ("on September 11th, 1958 at", "September 11th, 1958"),
    ("on 1958-09-11 at", "1958-09-11"),
    ("on 1958-09-11T00:00:00 at", "1958-09-11T00:00:00"),
    ("on 110958 at", "110958"),
    ("on 19580911 at", "19580911"),
    ("on 11SEP58 at", "11SEP58"),
    ("in Sept 1958 at", "Sept 1958"),
    ("in 09/1958 at", "09/1958"),
    ("on 11 Medi 1958 at", "11 Medi 1958"),
    ("dob l1/O9/l958.", "l1/O9/l958"),
    ("dob 11 / 09 / 1958.", "11 / 09 / 1958"),
    ("dob 11\u00a009\u00a01958.", "11\u00a009\u00a01958"),
    ("born 1958 in", "1958"),
    ("b. 1958 in", "1958"),
    ("birthday 11/09 and", "11/09"),
    ("DOB: 11/09/1985 and", "11/09/1985"),
    ("DOB: 12/09/1958 and", "12/09/1958"),
]


@pytest.mark.parametrize(("text", "expected"), DATES)
def test_dates_are_found_in_every_form(text: str, expected: str) -> None:
    assert show(text, BORN) == [expected]


@pytest.mark.parametrize(
    "text",
    ["seen 12/09/1958", "BP 115/58, 9 of 11", "in 1958", "on 11/09", "September is"],
)
def test_other_dates_stay(text: str) -> None:
    assert show(text, BORN) == []


NUMBERS = [
    ("NHS 999 911 6426 seen", "999 911 6426"),
    ("NHS 999-911-6426 seen", "999-911-6426"),
    ("NHS 9 9 9 9 1 1 6 4 2 6 seen", "9 9 9 9 1 1 6 4 2 6"),
    ("NHS 99991\n16426 seen", "99991\n16426"),
    ("NHS 999\u00a0911\u20096426 seen", "999\u00a0911\u20096426"),
    ("NHS 999 9ll 6426 seen", "999 9ll 6426"),
    ("NHS 999 911 6246 seen", "999 911 6246"),
    ("NHS 999 917 6426 seen", "999 917 6426"),
    ("NHS 999 911 642 seen", "999 911 642"),
    ("NHS ending 6426 seen", "6426"),
    ("hosp rx118042 seen", "rx118042"),
    ("hosp RX 118O42 seen", "RX 118O42"),
    ("licence morga 657054 SM9IJ seen", "morga 657054 SM9IJ"),
]


@pytest.mark.parametrize(("text", "expected"), NUMBERS)
def test_numbers_are_found_whatever_stands_between(text: str, expected: str) -> None:
    assert show(text, NUMBERED) == [expected]


@pytest.mark.parametrize(
    "text", ["NHS 999 123 4567", "6426", "999, then 911 and 6426 ml", "so is oil"]
)
def test_other_numbers_stay(text: str) -> None:
    assert show(text, NUMBERED) == []


@pytest.mark.parametrize(
    ("first", "second", "errors"),
    [
        ("smith", "smith", 0),
        ("smith", "smtih", 1),
        ("smith", "smiths", 1),
        ("smith", "simth", 1),
        ("boateng", "boatneng", 1),
        ("boateng", "baotneg", 2),
        ("boateng", "mensah", 3),
    ],
)
def test_errors_are_counted(first: str, second: str, errors: int) -> None:
    assert count_errors(first, second, 2) == errors
    assert count_errors(second, first, 2) == errors
    assert count_errors(first, second, 1) == min(errors, 2)


def test_the_index_finds_the_nearest() -> None:
    index = FuzzyIndex.build([("boateng", 1), ("boatong", 1)])
    found = index.find("boatengg")
    assert found is not None
    assert found.ocr_form == "boateng"
    assert index.find("goat") is None
