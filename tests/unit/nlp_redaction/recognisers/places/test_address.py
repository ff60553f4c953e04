"""Addresses: flats, houses and streets in the ways notes write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_redaction.document.spans import STANDS_ALONE
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.places.address import AddressRecogniser

ADDRESS = AddressRecogniser()


def find(text: str) -> list[str]:
    return [
        text[span.start : span.end]
        for span in ADDRESS.find(Document.read(text))
        if span.score >= STANDS_ALONE
    ]


@pytest.mark.parametrize(
    "address",
    [
        "31 Harbour Row Rise",
        "12B Quillfen Yard",
        "31/4 Quillfen Wynd",
        "Flat 14, Kestrel Point, Quillfen Lane",
        "Flat 2/1, 140 Quillfen Drive",
        "Quillfen House, 9 Quillfen Lane",
        "The Old Toll House, Quillfen Road",
        "Unit 6, Quillfen Court",
        "Studio 45, Quillfen Yard",
        "PO Box 114",
        "9 quillfen lane",
        "66 quillfen view",
        "twelve quillfen grove",
        "fifty two Quillfen Gardens",
        "3 BACK QUILLFEN LN",
        "9 Cobbler's Rise",
        "Heol y Bryn",
        "3 Heol Isaf",
        "Ffordd Dewi",
        "44 Quillfen R0ad",
        "Gull Cottage, The Strand",
        "Top Floor Flat, 203 Quillfen Lane",
        "1/2, 88 Quillfen Wynd",
    ],
)
def test_an_address_is_one_span(address: str) -> None:
    assert find(f"Address: {address}, Ludlow") == [address]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("She fell outside on Carlton Hill this morning", "Carlton Hill"),
        ("shopping in Fore Street when", "Fore Street"),
        ("collapsed on market street today", "market street"),
        ("neighbour at number 4 rang", "number 4"),
        ("lives with her son at 11 Glebelands, Ludlow", "11 Glebelands"),
        ("c/o 7b Quillfen Close, Ludlow", "7b Quillfen Close"),
    ],
)
def test_an_address_is_found_in_a_sentence(text: str, address: str) -> None:
    assert find(text) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "Ward 3, Level 2, Bay 4, bed 12",
        "2 mm of ST segment depression; CT chest",
        "a 2 way valve, 3 weeks close to home, 10 minute walk",
        "crossed the road, down the street, on the main road",
        "St Thomas and Dr Green, Mr Hill",
        "closed with 2-0 Vicryl at 7 days",
        "one of those cottages; 2 flights of stairs",
        "a tin of Quality Street",
        "ST4 and RD&E",
        "",
    ],
)
def test_other_words_are_left(text: str) -> None:
    assert find(text) == []


@settings(deadline=None)
@given(
    st.text(alphabet="12 ,\n'\"-/.aAtheof", max_size=60),
    st.sampled_from(
        ["road", "Flat 3,", "The Strand", "address:", "at 4 Xx", "St", "no."]
    ),
    st.text(alphabet="12 ,\n'\"-/.aAtheof", max_size=60),
)
def test_spans_stay_inside_any_text(before: str, sign: str, after: str) -> None:
    text = before + sign + after
    for span in ADDRESS.find(Document.read(text)):
        assert 0 <= span.start < span.end <= len(text)
