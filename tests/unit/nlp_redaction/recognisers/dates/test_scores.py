"""The tables that tell dates from durations, fractions, scores and times."""

import pytest

from nlp_redaction.recognisers.dates.date import DateRecogniser
from tests.lib.values.numbers import find_reasons

DATES = DateRecogniser()


@pytest.mark.parametrize(
    ("text", "date", "reason"),
    [
        ("seen 24/8 again", "24/8", "day and month, no fraction"),
        ("on 03/4 again", "03/4", "day and month behind a cue"),
        ("had 3/04 again", "3/04", "day and month with a leading zero"),
        ("had 5/7 again", "5/7", "day and month, or a duration"),
        ("dob 9/22", "9/22", "month and year by cue"),
        ("on 3.4 again", "3.4", "day and month by cue"),
        ("on 3-4 again", "3-4", "day and month by cue"),
        ("since 2012 again", "2012", "year by cue"),
        ("a scan 1987 again", "1987", "year, no time of day"),
        ("letter of 21st again", "21st", "day of a letter"),
        ("on the 21st again", "21st", "day behind an article"),
    ],
)
def test_the_row_that_decided_is_told(text: str, date: str, reason: str) -> None:
    assert find_reasons(DATES, text)[date][1] == reason


@pytest.mark.parametrize(
    "text",
    [
        "pain 7/10 %",
        "for 3/7 days",
        "VA 6/9 right, 6/12 left",
        "weight on 9th centile",
        "urine output 2000 ml",
        "K 3.4 today",
        "2-3 times",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert all(score < 0.5 for score, _ in find_reasons(DATES, text).values())


def test_what_a_scanner_left_is_read() -> None:
    found = find_reasons(DATES, "seen O3/O4/2l again")
    assert found["O3/O4/2l"] == (0.6, "scanned date")
