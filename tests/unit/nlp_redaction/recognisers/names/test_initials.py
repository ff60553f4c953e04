"""Initials are names where people sign with them, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.names.initials import InitialsRecogniser
from tests.lib.values.numbers import check_any_text, find_reasons, find_texts

INITIALS = InitialsRecogniser()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Our ref: JOR/ml/55", ["JOR", "ml"]),
        ("Ref BJH/mw/44120", ["BJH", "mw"]),
        ("dictated PKM/jt", ["PKM", "jt"]),
        ("checked by QZW", ["QZW"]),
        ("seen today - QZW", ["QZW"]),
        ("witnessed (QZW)", ["QZW"]),
        ("BP/hr 120", []),
        ("given 5mg/kg", []),
        ("XRAY/ct seen", []),
    ],
)
def test_what_stands_alone(text: str, found: list[str]) -> None:
    assert find_texts(INITIALS, text) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a note\nQZW\nmore", "initials fill a line"),
        ("checked by QZW", "initials behind a cue of signing"),
        ("seen with QZW", "initials or a word behind a cue of signing"),
        ("seen today - QZW", "initials behind a dash at a line's end"),
        ("reviewed. QZW", "initials at a line's end"),
        ("told the nurse QZW about it", "initials or a word behind a cue of signing"),
        ("the SHO QZW rang", "initials beside a role"),
    ],
)
def test_the_row_that_decided_is_told(text: str, reason: str) -> None:
    assert find_reasons(INITIALS, text)["QZW"][1] == reason


@pytest.mark.parametrize("text", ["QZW+ today", "QZW 4 today", "the QZW of it", "xQZW"])
def test_other_capitals_are_no_initials(text: str) -> None:
    assert find_reasons(INITIALS, text) == {}


@given(st.text(max_size=120))
def test_spans_lie_inside_any_text(text: str) -> None:
    check_any_text(INITIALS, text.encode("utf-8", "ignore").decode())
