"""Names behind titles and beside cues."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.names.triggers import CuedName, TitledName
from tests.lib.values.numbers import check_any_text, find_texts

TITLED, CUED = TitledName(), CuedName()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mr Smith rang", ["Smith"]),
        ("Drs Khan and Jones agreed", ["Khan", "Jones"]),
        ("Mrs O'Neill-Tan came", ["O'Neill-Tan"]),
        ("MR SMITH CAME", ["SMITH"]),
        ("MR scan of the spine", []),
        ("the doctor rang", []),
    ],
)
def test_names_behind_a_title(text: str, found: list[str]) -> None:
    assert find_texts(TITLED, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("son Tariq present", ["Tariq"]),
        ("seen by Chukwuemeka", ["Chukwuemeka"]),
        ("her son is well", []),
        ("seen by the team", []),
    ],
)
def test_names_beside_a_cue(text: str, found: list[str]) -> None:
    assert find_texts(CUED, text) == found


@given(st.text(max_size=120))
def test_spans_lie_inside_any_text(text: str) -> None:
    cleaned = text.encode("utf-8", "ignore").decode()
    check_any_text(TITLED, cleaned)
    check_any_text(CUED, cleaned)
