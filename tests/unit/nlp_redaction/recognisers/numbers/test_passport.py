"""Passport numbers, by cue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.numbers.passport import PassportRecogniser
from tests.lib.values.numbers import check_any_text, find_texts

PASSPORT = PassportRecogniser()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("passport 533100925", "533100925"),
        ("British passport no. 533100925 seen", "533100925"),
        ("Passport: AB1234567", "AB1234567"),
        ("(passport 556 120 9983)", "556 120 9983"),
    ],
)
def test_found(text: str, number: str) -> None:
    assert find_texts(PASSPORT, text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "passport seen 2019",
        "533100925",
        "passport photo 12/03/2021",
        "passport to health: 5 a day",
    ],
)
def test_kept(text: str) -> None:
    assert find_texts(PASSPORT, text) == []


@given(st.text(alphabet="pasort AB0123456789 .\n", max_size=50))
def test_any_text(text: str) -> None:
    check_any_text(PASSPORT, text)
