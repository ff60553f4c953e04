"""The text form of pseudonyms: what is refused, and for which reason."""

import numpy as np
import pytest

from pseudo_service.core.errors import InvalidArgument, PseudonymRefused
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.pseudonyms.text_form import (
    ALPHABET,
    PseudonymFormat,
    draw_tag,
    parse_pseudonym,
)

NHS = IdentifierKind.parse("nhs_number")
FORM = PseudonymFormat(tag="7K3Q", kind=NHS, version=1)
MAC = bytes(range(16))
TEXT = FORM.encode_one(MAC)


def spell_check(symbols):
    """Return the check symbol, by the description alone."""
    total = 0
    for place, symbol in enumerate(reversed(symbols)):
        value = ALPHABET.index(symbol) * (2 - place % 2)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]


def test_a_pseudonym_reads_back():
    assert FORM.parse(TEXT) == MAC
    parts = parse_pseudonym(TEXT)
    assert (parts.tag, parts.letter, parts.version, parts.mac) == ("7K3Q", "N", 1, MAC)


@pytest.mark.parametrize(
    ("other", "part"),
    [
        (PseudonymFormat(tag="7K3R", kind=NHS, version=1), "project tag"),
        (
            PseudonymFormat(
                tag="7K3Q", kind=IdentifierKind.parse("mrn@RXH"), version=1
            ),
            "kind letter",
        ),
        (PseudonymFormat(tag="7K3Q", kind=NHS, version=2), "key version"),
    ],
)
def test_a_pseudonym_of_something_else_is_refused_by_its_part(other, part):
    with pytest.raises(PseudonymRefused, match=part) as refusal:
        FORM.parse(other.encode_one(MAC))
    assert other.encode_one(MAC)[7:] not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.lower(),
        TEXT + " ",
        TEXT + "\n",
        " " + TEXT,
        TEXT[:-1],
        TEXT + "0",
        TEXT.replace("-", ""),
        TEXT.replace("-", "\u2013"),
        TEXT.replace("N1", "N0"),
        TEXT.replace("N1", "N01"),
        TEXT.replace("7K3Q", "7K3O"),
        TEXT.replace("7K3Q", "7K3U"),
        TEXT[:10] + "I" + TEXT[11:],
        TEXT.replace("N1", "N\u0661"),
    ],
)
def test_another_form_is_refused(text):
    with pytest.raises(PseudonymRefused, match=r"form|check symbol"):
        FORM.parse(text)


def test_padding_that_is_not_zero_is_refused():
    symbols = TEXT.replace("-", "")[:-1]
    for first in ALPHABET[8:]:
        changed = symbols[:6] + first + symbols[7:]
        text = f"{changed[:4]}-{changed[4:]}{spell_check(changed)}"
        with pytest.raises(PseudonymRefused, match="padding"):
            FORM.parse(text)


def test_the_largest_mac_and_version_fit():
    form = PseudonymFormat(tag="ZZZZ", kind=NHS, version=9999)
    text = form.encode_one(b"\xff" * 16)
    assert form.parse(text) == b"\xff" * 16
    assert form.encode(np.full((1, 16), 255, np.uint8)).to_pylist() == [text]


def test_no_macs_make_an_empty_column():
    assert FORM.encode(np.empty((0, 16), np.uint8)).to_pylist() == []


@pytest.mark.parametrize("tag", ["", "7K3", "7K3QQ", "7k3q", "7K3I", "7K3-"])
def test_a_tag_is_four_symbols(tag):
    with pytest.raises(InvalidArgument):
        PseudonymFormat(tag=tag, kind=NHS, version=1)


@pytest.mark.parametrize("version", [0, -1, 10_000])
def test_a_version_is_one_to_9999(version):
    with pytest.raises(InvalidArgument):
        PseudonymFormat(tag="7K3Q", kind=NHS, version=version)


def test_tags_are_drawn_evenly():
    assert draw_tag(bytes(3)) == "0000"
    assert draw_tag(b"\xff" * 8) == "ZZZZ"
    drawn = {draw_tag(value.to_bytes(3, "big")) for value in range(2**14)}
    assert len(drawn) == 2**14
    with pytest.raises(InvalidArgument):
        draw_tag(b"\x00\x01")
