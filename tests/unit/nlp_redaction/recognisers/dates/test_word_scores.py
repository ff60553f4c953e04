"""Months and weekdays that are other words as well."""

import pytest

from nlp_redaction.recognisers.dates.date import DateRecogniser
from tests.lib.values.numbers import find_reasons

DATES = DateRecogniser()


@pytest.mark.parametrize(
    ("text", "word", "reason"),
    [
        ("since March again", "March", "month by cue"),
        ("seen March again", "March", "month with a capital"),
        ("on Sat again", "Sat", "weekday by cue"),
        ("rang, sat pm", "sat", "weekday by cue"),
    ],
)
def test_the_row_that_decided_is_told(text: str, word: str, reason: str) -> None:
    assert find_reasons(DATES, text)[word][1] == reason


@pytest.mark.parametrize(
    "text",
    ["he may go", "MAR chart done", "she sat down", "sat 96 on air", "May be well"],
)
def test_other_words_are_no_dates(text: str) -> None:
    assert all(score < 0.5 for score, _ in find_reasons(DATES, text).values())
