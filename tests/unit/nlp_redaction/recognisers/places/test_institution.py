"""Hospitals, surgeries, schools and homes by their last word or their first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.places.institution import InstitutionName
from tests.lib.values.numbers import check_any_text, find_texts

INSTITUTIONS = InstitutionName()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("at Wrexham Maelor Hospital today", "Wrexham Maelor Hospital"),
        ("from Oak Tree Surgery", "Oak Tree Surgery"),
        ("held in HMP Xqwelby", "HMP Xqwelby"),
        ("goes to Ysgol Maes", "Ysgol Maes"),
        ("born at St Mary's", "St Mary's"),
        ("Seen at the Royal Hospital of Wales", "Royal Hospital"),
    ],
)
def test_institutions(text: str, found: str) -> None:
    assert any(each.startswith(found) for each in find_texts(INSTITUTIONS, text))


@pytest.mark.parametrize(
    "text",
    [
        "the hospital rang",
        "a GP surgery",
        "admitted to Acute Medical Ward",
        "Hospital\ncare",
        "given 4 ward rounds",
    ],
)
def test_what_names_nothing(text: str) -> None:
    assert find_texts(INSTITUTIONS, text) == []


def test_a_name_does_not_reach_over_a_column_or_a_title() -> None:
    assert find_texts(INSTITUTIONS, "Xqwelby   Oak Surgery") == ["Oak Surgery"]
    assert find_texts(INSTITUTIONS, "Dr Oak Surgery") == ["Oak Surgery"]


@given(st.text(max_size=120))
def test_spans_lie_inside_any_text(text: str) -> None:
    check_any_text(INSTITUTIONS, text.encode("utf-8", "ignore").decode())
