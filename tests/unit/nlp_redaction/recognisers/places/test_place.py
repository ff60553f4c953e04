"""Towns and countries by the gazetteer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.places.place import PlaceName
from tests.lib.values.numbers import check_any_text, find_texts

PLACES = PlaceName()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from Leeds today", ["Leeds"]),
        ("moved to Aberystwyth", ["Aberystwyth"]),
        ("took a bath and a nap", []),
        ("reading well", []),
    ],
)
def test_places(text: str, found: list[str]) -> None:
    assert find_texts(PLACES, text) == found


@given(st.text(max_size=120))
def test_spans_lie_inside_any_text(text: str) -> None:
    check_any_text(PLACES, text.encode("utf-8", "ignore").decode())
