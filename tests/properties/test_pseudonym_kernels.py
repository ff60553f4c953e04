"""What holds of every pseudonym: it reads back, and one wrong symbol is found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.errors import PseudonymRefused
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.pseudonyms.text_form import (
    ALPHABET,
    PseudonymFormat,
    parse_pseudonym,
)

FORMS = st.builds(
    PseudonymFormat,
    tag=st.text(ALPHABET, min_size=4, max_size=4),
    kind=st.sampled_from(
        ["nhs_number", "chi_number", "hc_number", "mrn@RXH", "lab@RXH01"]
    ).map(IdentifierKind.parse),
    version=st.integers(1, 9999),
)
MACS = st.binary(min_size=16, max_size=16)


def spell_plainly(form, mac):
    """Spell a pseudonym digit by digit, as the document describes it."""
    number = int.from_bytes(mac, "big")
    symbols = f"{form.tag}{form.kind.letter}{form.version}"
    symbols += "".join(
        ALPHABET[number // 32**place % 32] for place in range(25, -1, -1)
    )
    total = 0
    for place, symbol in enumerate(symbols[::-1]):
        value = ALPHABET.index(symbol) * (1 if place % 2 else 2)
        total += sum(divmod(value, 32))
    return f"{symbols[:4]}-{symbols[4:]}{ALPHABET[(32 - total % 32) % 32]}"


@settings(max_examples=200, deadline=None)
@given(FORMS, st.lists(MACS, min_size=1, max_size=8))
def test_columns_are_spelt_as_the_document_says_and_read_back(form, macs):
    rows = np.frombuffer(b"".join(macs), np.uint8).reshape(-1, 16)
    texts = form.encode(rows).to_pylist()
    assert texts == [spell_plainly(form, mac) for mac in macs]
    assert texts == [form.encode_one(mac) for mac in macs]
    assert [form.parse(text) for text in texts] == macs


@settings(max_examples=60, deadline=None)
@given(FORMS, MACS)
def test_every_single_wrong_symbol_is_found(form, mac):
    text = form.encode_one(mac)
    for place, symbol in enumerate(text):
        if symbol == "-":
            continue
        for other in ALPHABET.replace(symbol, ""):
            with pytest.raises(PseudonymRefused):
                parse_pseudonym(text[:place] + other + text[place + 1 :])


@settings(max_examples=100, deadline=None)
@given(FORMS, MACS)
def test_every_swap_of_neighbours_but_one_pair_is_found(form, mac):
    text = form.encode_one(mac)
    for place in range(6 + len(str(form.version)), len(text) - 2):
        first, second = text[place : place + 2]
        swapped = text[:place] + second + first + text[place + 2 :]
        if first == second or {first, second} == {"0", "Z"}:
            continue
        with pytest.raises(PseudonymRefused):
            parse_pseudonym(swapped)


def test_blocks_of_a_long_column_are_joined_in_order():
    form = PseudonymFormat(
        tag="7K3Q", kind=IdentifierKind.parse("nhs_number"), version=12
    )
    macs = np.random.default_rng(7).integers(0, 256, (20_000, 16)).astype(np.uint8)
    texts = form.encode(macs).to_pylist()
    for row in (0, 8191, 8192, 16_383, 16_384, 19_999):
        assert texts[row] == spell_plainly(form, macs[row].tobytes())


@settings(max_examples=300, deadline=None)
@given(st.text(ALPHABET + "-ILOU abc", max_size=40))
def test_no_text_makes_parsing_fail_in_another_way(text):
    try:
        parts = parse_pseudonym(text)
    except PseudonymRefused:
        return
    assert len(parts.mac) == 16
