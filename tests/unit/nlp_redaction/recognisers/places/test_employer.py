"""Firms and employers by the word that they end with, or by a cue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.places.employer import EmployerName
from tests.lib.values.numbers import check_any_text, find_texts

EMPLOYERS = EmployerName()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("drives for Xqwelby Logistics Ltd", "Xqwelby Logistics Ltd"),
        ("works for Xqwelby Coaches", "Xqwelby Coaches"),
    ],
)
def test_employers(text: str, found: str) -> None:
    assert found in find_texts(EMPLOYERS, text)


@pytest.mark.parametrize("text", ["works for the council", "a limited company"])
def test_what_names_nothing(text: str) -> None:
    assert find_texts(EMPLOYERS, text) == []


@given(st.text(max_size=120))
def test_spans_lie_inside_any_text(text: str) -> None:
    check_any_text(EMPLOYERS, text.encode("utf-8", "ignore").decode())
