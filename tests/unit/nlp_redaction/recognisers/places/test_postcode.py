"""Postcodes: whole, half, lower-case and scanned; levels and doses are none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_redaction.document.spans import STANDS_ALONE
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.recognisers.places.postcode import PostcodeRecogniser

POSTCODE = PostcodeRecogniser()


def find(text: str) -> list[str]:
    return [
        text[span.start : span.end]
        for span in POSTCODE.find(Document.read(text))
        if span.score >= STANDS_ALONE
    ]


@pytest.mark.parametrize(
    ("text", "postcode"),
    [
        ("Ludlow SY8 1QZ", "SY8 1QZ"),
        ("home CF11\u00a09ZZ,", "CF11\u00a09ZZ"),
        ("code OX117PQ now", "OX117PQ"),
        ("LU4 8 QP", "LU4 8 QP"),
        ("SW1A 9ZZ", "SW1A 9ZZ"),
        ("lives se8 4ns now", "se8 4ns"),
        ("post code ox117pq", "ox117pq"),
        ("BFPO 9123", "BFPO 9123"),
        ("GIR 0AA", "GIR 0AA"),
        ("Harbour Road, Redditch b98", "b98"),
        ("9 Harbour Close, L17", "L17"),
        ("4 Harbour Row, Saltaire, BD18 4. She", "BD18 4"),
        ("Postcode: G51", "G51"),
        ("P/code  Ell 4ZX", "Ell 4ZX"),
        ("Cardiff CFl4  9ZX", "CFl4  9ZX"),
        ("Mrs Harbour, SP10\nDear", "SP10"),
    ],
)
def test_a_postcode_is_found(text: str, postcode: str) -> None:
    assert find(text) == [postcode]


@pytest.mark.parametrize(
    "text",
    [
        "L5 1st, T2 4pt, S1 2nd; root L5 and S1",
        "disc at L4-L5, L5-S1 and C6",
        "CO2 29, SpO2 98, pO2 11, B12 5mg, T4 12, H2 blocker",
        "cT2b N2 M1c, stage IIB",
        "FY1 and ST4, CT2, HbA1c, CA125, CD4",
        "lens SN60WF, DN4 7/10, PHQ9 12",
        "tues 3rd 8am b4 dose",
        "XQ1 1AA",
    ],
)
def test_levels_doses_and_grades_are_left(text: str) -> None:
    assert find(text) == []


def test_all_areas_in_use_are_known() -> None:
    assert len(read_lexicon("postcode_areas")) == 124


@settings(deadline=None)
@given(
    st.sampled_from(sorted(read_lexicon("postcode_areas"))),
    st.integers(1, 20),
    st.text(alphabet="ABDEFGHJLNPQRSTUWXYZ", min_size=2, max_size=2),
)
def test_every_area_is_found_behind_its_cue(
    area: str, district: int, inward: str
) -> None:
    postcode = f"{area.upper()}{district} 9{inward}"
    assert find(f"Postcode: {postcode}") == [postcode]


@settings(deadline=None)
@given(st.text(alphabet="ABLS0123 lI9zZ\n,'Road", max_size=120))
def test_spans_stay_inside_any_text(text: str) -> None:
    for span in POSTCODE.find(Document.read(text)):
        assert 0 <= span.start < span.end <= len(text)
