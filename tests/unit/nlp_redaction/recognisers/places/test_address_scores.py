"""How sure a street is, by its number, its name and its last word."""

import pytest

from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.places.address import AddressRecogniser
from nlp_redaction.recognisers.places.address_parts import start_number
from tests.lib.values.numbers import find_reasons, find_texts

ADDRESSES = AddressRecogniser()


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        ("lives 14 Chapel Street now", "14 Chapel Street", "number and street"),
        ("lives 14 chapel street now", "14 chapel street", "number and street, uncapitalised"),
        ("near Xqwelby Street now", "Xqwelby Street", "street"),
        ("near Heart Street now", "Heart Street", "street by an ordinary word"),
    ],
)  # fmt: skip
def test_the_row_that_decided_is_told(text: str, words: str, reason: str) -> None:
    assert find_reasons(ADDRESSES, text)[words][1] == reason


@pytest.mark.parametrize("cue", ["at", "from", "outside"])
def test_a_house_is_named_by_its_number_behind_a_place(cue: str) -> None:
    assert find_texts(ADDRESSES, f"neighbour {cue} number 4 rang") == ["number 4"]
    assert find_texts(ADDRESSES, f"neighbour {cue} no. 10 rang") == ["no. 10"]


@pytest.mark.parametrize("cue", ["is", "to", "pain", "bed"])
def test_a_number_behind_another_word_is_no_house(cue: str) -> None:
    assert find_texts(ADDRESSES, f"this {cue} number 4 today") == []


@pytest.mark.parametrize(
    ("text", "at", "start"),
    [
        ("12 High", 0, 0),
        ("2-6 High", 2, 0),
        ("31/4 High", 2, 0),
        ("3/7 High", 2, None),
        ("1/2/3 High", 4, None),
        ("012 High", 0, None),
        ("1930 High", 0, None),
        ("\u00a3 12 High", 1, 1),
        ("\u00a312 High", 1, None),
        ("9.12 High", 2, None),
        ("12345 High", 0, None),
    ],
)
def test_where_a_house_number_begins(text: str, at: int, start: int | None) -> None:
    assert start_number(Document.read(text), at) == start
