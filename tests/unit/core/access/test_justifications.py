"""A justification is one short line that cannot name a patient."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.access.justifications import parse_justification
from pseudo_service.core.errors import InvalidArgument
from tests.lib.values.nhs_numbers import make_nhs_number

LETTERS = st.text(alphabet="abc def-()", min_size=1, max_size=200).filter(str.strip)


@given(text=LETTERS, before=st.sampled_from(["", " ", "\t", "\n "]))
def test_white_space_around_it_goes_and_the_rest_stays(text: str, before: str) -> None:
    padded = before + text + before
    assert parse_justification("reason", padded) == text.strip()


@pytest.mark.parametrize("text", ["", " \t", "a\nb", "a\x00b", "x" * 201])
def test_blank_long_and_broken_lines_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="reason: 1 to 200 characters"):
        parse_justification("reason", text)


@pytest.mark.parametrize(
    "text", ["x", "x" * 200, "CAG 21/CAG/0123 of 2025", "12345678"]
)
def test_references_and_dates_are_kept(text: str) -> None:
    assert parse_justification("reason", text) == text


@given(serial=st.integers(0, 999_999), sign=st.sampled_from(["", " ", "-", ".", ", "]))
def test_a_patients_number_is_refused_and_not_repeated(serial: int, sign: str) -> None:
    number = make_nhs_number(serial)
    written = sign.join((number[:3], number[3:6], number[6:]))
    with pytest.raises(InvalidArgument, match="title: leave the long") as caught:
        parse_justification("title", f"for patient {written} only")
    assert written not in caught.value.message
