"""Ten-digit numbers, one by one, against the rules as the Data Dictionary has them."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.identifiers.kinds import CLASSES, IdentifierClass
from pseudo_service.core.identifiers.national_numbers import (
    classify_numbers,
    read_numbers,
)

NUMBERS = st.integers(0, 9_999_999_999)


def classify(text: str, kind: str = "nhs_number") -> IdentifierClass:
    codes = classify_numbers(pa.array([text]), kind)
    assert codes is not None
    return CLASSES[codes[0]]


def has_right_check_digit(text: str) -> bool:
    total = sum(int(text[at]) * (10 - at) for at in range(9))
    return (11 - total % 11) % 11 == int(text[9])


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("9990441537", "nhs_number", IdentifierClass.TEST_RANGE),
        ("9990441538", "nhs_number", IdentifierClass.BAD_CHECK_DIGIT),
        ("1234567890", "nhs_number", IdentifierClass.DUMMY),
        ("9434765919", "nhs_number", IdentifierClass.DUMMY),
        ("0000000000", "nhs_number", IdentifierClass.DUMMY),
        ("1111111111", "nhs_number", IdentifierClass.DUMMY),
        ("0101010008", "nhs_number", IdentifierClass.BAD_CHECK_DIGIT),
    ],
)
def test_known_numbers_are_of_their_class(
    text: str, kind: str, expected: IdentifierClass
) -> None:
    assert classify(text, kind) is expected


@settings(deadline=None)  # the first call compiles
@given(NUMBERS, st.sampled_from(["nhs_number", "chi_number", "hc_number"]))
def test_no_number_with_a_wrong_check_digit_is_valid(number: int, kind: str) -> None:
    text = f"{number:010d}"
    found = classify(text, kind)
    if not has_right_check_digit(text):
        assert found in {IdentifierClass.BAD_CHECK_DIGIT, IdentifierClass.DUMMY}
    else:
        assert found is not IdentifierClass.BAD_CHECK_DIGIT


@settings(deadline=None)  # the first call compiles
@given(NUMBERS)
def test_a_number_is_valid_in_one_scheme_at_most(number: int) -> None:
    text = f"{number:010d}"
    found = [
        kind
        for kind in ("nhs_number", "chi_number", "hc_number")
        if classify(text, kind) is IdentifierClass.VALID
    ]
    assert len(found) <= 1


@settings(deadline=None)  # the first call compiles
@given(st.lists(NUMBERS, min_size=1, max_size=9))
def test_digits_are_read_as_numbers(numbers: list[int]) -> None:
    read = read_numbers(pa.array([f"{number:010d}" for number in numbers]))
    assert read is not None
    assert read.tolist() == numbers


@pytest.mark.parametrize(
    "texts",
    [[], [None], ["999044153"], ["99904415371"], ["999044153x"], ["9990441537", ""]],
)
def test_a_column_with_anything_else_is_left_alone(texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    assert read_numbers(column) is None
    assert classify_numbers(column, "nhs_number") is None
