"""Texts that mean that nothing was recorded, and their plain forms."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.identifiers.missing import is_missing, normalise_text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  x\t", "x"),
        ("999\u00a0044\u202f1537", "999 044 1537"),
        ("999\u2013044\u22121537", "999-044-1537"),
        ("\uff19\uff19\uff19 \uff21\uff0e", "999 A."),
        ("\ufeff99\u200b9", "999"),
        ("a\x85b", "a b"),
        ("", ""),
    ],
)
def test_a_text_gets_its_plain_form(text: str, plain: str) -> None:
    assert normalise_text(text) == plain


@given(st.text(max_size=30))
def test_a_plain_form_is_its_own(text: str) -> None:
    plain = normalise_text(text)
    assert normalise_text(plain) == plain


@given(st.text(max_size=30))
def test_no_odd_blank_is_left(text: str) -> None:
    blanks = {sign for sign in normalise_text(text) if sign.isspace()} - {" "}
    assert not {sign for sign in blanks if unicodedata.category(sign) == "Zs"}


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20))
def test_printable_ascii_stays(text: str) -> None:
    assert normalise_text(text) == text


@pytest.mark.parametrize("text", ["", "NA", "n/a", "Not Known", "\\N", "-", "...", "?"])
def test_these_mean_nothing(text: str) -> None:
    assert is_missing(text)


@pytest.mark.parametrize("text", ["0", "NAN1", "N A", "-1", "x", "9990441537"])
def test_these_are_values(text: str) -> None:
    assert not is_missing(text)
