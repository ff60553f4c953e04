"""A refusal names a column by its name only where the name cannot be a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import (
    ColumnMissing,
    PseudoError,
    name_field,
    name_fields,
)


@pytest.mark.parametrize(
    "name", ["nhs_number", "Date of birth", "ward (2026)", "_id", "a/b.c-d", "A" * 64]
)
def test_a_plain_name_is_shown(name: str) -> None:
    assert name_field(name, 2) == f'"{name}"'


@pytest.mark.parametrize(
    "name",
    [
        "",
        "9990000018",
        "patient 9990000018",
        "a12345",
        "A" * 65,
        "Jos\u00e9",
        "a\nb",
        'say "x"',
        "a,b",
        "\uff19\uff19\uff19",
    ],
)
def test_what_may_be_a_value_is_withheld(name: str) -> None:
    assert name_field(name, 2) == "number 3 (name withheld)"


@given(name=st.text(max_size=80), position=st.integers(0, 500))
def test_a_field_is_always_named_in_one_of_two_ways(name: str, position: int) -> None:
    shown = name_field(name, position)
    assert shown in {f'"{name}"', f"number {position + 1} (name withheld)"}
    assert shown.isascii()
    assert "\n" not in shown


def test_several_fields_are_one_phrase() -> None:
    fields = [(0, "age"), (4, "9990000018")]
    assert name_fields(fields) == '"age", number 5 (name withheld)'
    assert name_fields([]) == ""


def test_an_error_has_its_code_and_its_message() -> None:
    error = ColumnMissing("column 3 is missing")
    assert isinstance(error, PseudoError)
    assert error.code is ErrorCode.COLUMN_MISSING
    assert error.message == str(error) == "column 3 is missing"
    assert PseudoError("report it").code is ErrorCode.INTERNAL
