"""Driver numbers of Great Britain by form, of Northern Ireland by cue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.numbers.driving_licence import DrivingLicenceRecogniser
from tests.lib.values.numbers import check_any_text, find_texts

LICENCE = DrivingLicenceRecogniser()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("licence ADAIR612128W99XX seen", "ADAIR612128W99XX"),
        ("her ADAIR 662128 W99XX,", "ADAIR 662128 W99XX"),
        ("DL WEN99 912045 CJ9XX", "WEN99 912045 CJ9XX"),
        ("Driving licence no: 12345678", "12345678"),
    ],
)
def test_found(text: str, number: str) -> None:
    assert find_texts(LICENCE, text) == [number]


@pytest.mark.parametrize(
    "text",
    ["12345678 units", "driving licence since 2019", "ABCDE123456", "WHICH 612128 IS"],
)
def test_kept(text: str) -> None:
    assert find_texts(LICENCE, text) == []


@given(st.text(alphabet="ADIR9 0123456789drivng lc.\n", max_size=50))
def test_any_text(text: str) -> None:
    check_any_text(LICENCE, text)
