"""NHS, CHI and H&C numbers: with a cue whatever the check digit, without one if right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.numbers.nhs_number import NhsNumberRecogniser, is_valid
from tests.lib.values.numbers import check_any_text, find_texts

NHS = NhsNumberRecogniser()


def make_valid(first_nine: str) -> str | None:
    total = sum(int(d) * w for d, w in zip(first_nine, range(10, 1, -1), strict=True))
    check = (11 - total % 11) % 11
    return None if check == 10 else f"{first_nine}{check}"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("NHS no: 999 123 4567 seen", "999 123 4567"),
        ("nhs number is 9991234567.", "9991234567"),
        ("NHS-999.123.4567", "999.123.4567"),
        ("NHS\u00a0No\u00a0999\u00a0123\u00a04567", "999\u00a0123\u00a04567"),
        ("NHS No 999 123\n4567", "999 123\n4567"),
        ("NHS N0 999 l23 O567", "999 l23 O567"),
        ("NHS 999 123 456", "999 123 456"),
        ("NHS 9991 2345 678", "9991 2345 678"),
        ("NHS9991234567 F", "9991234567"),
        ("CHI 010190 1234", "010190 1234"),
        ("H&C: 327 118 2097", "327 118 2097"),
        ("HCN 3271182097", "3271182097"),
        ("1. Adair, Wen | 999 123 4567 | clinic", "999 123 4567"),
        ("name,NHS no\nAdair,999 123456", "999 123456"),
        ("nine nine nine one two three four five six seven", None),
        (
            "her number, nine nine nine, zero two four, eight two eight three, she said",
            "nine nine nine, zero two four, eight two eight three",
        ),
    ],
)
def test_found(text: str, number: str | None) -> None:
    assert find_texts(NHS, text) == [number or text]


@pytest.mark.parametrize(
    "text",
    [
        "rang 01632 960123 twice",
        "call 07700 900123",
        "SNOMED 1234567890",
        "batch 9991234567",
        "BP 120/80, pulse 72, sats 98",
        "platelets 150 to 400, WBC 11.2",
        "NHS 111 advised one, two or three tablets",
        "the NHS in 2019",
        "children of 10 and 12",
    ],
)
def test_kept(text: str) -> None:
    assert find_texts(NHS, text) == []


@given(st.from_regex(r"999[0-9]{6}", fullmatch=True))
def test_valid_number_needs_no_cue(first_nine: str) -> None:
    number = make_valid(first_nine)
    if number and len(set(number)) > 1:
        assert is_valid(number)
        assert find_texts(NHS, f"seen {number} today") == [number]


@given(st.from_regex(r"999[0-9]{6}", fullmatch=True), st.integers(1, 9))
def test_one_wrong_digit_is_invalid(first_nine: str, error: int) -> None:
    number = make_valid(first_nine)
    if number:
        assert not is_valid(number[:-1] + str((int(number[-1]) + error) % 10))


def test_scottish_number_needs_a_date() -> None:
    with_date = next(n for i in range(11) if (n := make_valid(f"0101901{i:02d}")))
    without = next(n for i in range(11) if (n := make_valid(f"0199901{i:02d}")))
    assert is_valid(with_date)
    assert not is_valid(without)


@given(st.text(alphabet="nhsNHS 0123456789OlI.-\n:chione", max_size=60))
def test_any_text(text: str) -> None:
    check_any_text(NHS, text)
