"""Packing and unpacking whole columns against a loop over bytes."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.errors import IdentifierRefused
from pseudo_service.core.register.packed_identities import (
    UnpackedIdentities,
    pack_identities,
    unpack_identities,
)

texts = st.text("0123456789ABé", max_size=12)
columns = st.one_of(
    st.lists(texts, max_size=8),
    st.lists(st.text("0123456789", min_size=10, max_size=10), max_size=8),
)


def pack_plainly(column: list[str]) -> bytes:
    return b"".join(bytes((len(t.encode()),)) + t.encode() for t in column)


def unpack_plainly(pack: bytes, count: int) -> list[str] | None:
    found, at = [], 0
    while at < len(pack):
        end = at + 1 + pack[at]
        if end > len(pack):
            return None
        found.append(pack[at + 1 : end])
        at = end
    try:
        decoded = [raw.decode() for raw in found]
    except UnicodeDecodeError:
        return None
    return decoded if len(decoded) == count else None


def check(found: UnpackedIdentities, expected: list[list[str] | None]) -> None:
    whole = [(at, one) for at, one in enumerate(expected) if one is not None]
    assert found.canonical.to_pylist() == [text for _, one in whole for text in one]
    assert found.owner.tolist() == [at for at, one in whole for _ in one]
    unsound = [at for at, one in enumerate(expected) if one is None]
    assert found.unsound.tolist() == unsound


@settings(deadline=None, derandomize=True)  # the first call compiles
@given(columns, st.integers(0, 3))
def test_packing_writes_length_and_text(column: list[str], skipped: int) -> None:
    sliced = pa.array(["filler"] * skipped + column, pa.string())[skipped:]
    assert pack_identities(sliced) == pack_plainly(column)


@settings(deadline=None, derandomize=True)  # the first call compiles
@given(st.lists(columns, max_size=6))
def test_what_was_packed_is_unpacked(several: list[list[str]]) -> None:
    packs = [pack_plainly(column) for column in several]
    found = unpack_identities(packs, [len(column) for column in several])
    check(found, list(several))


@settings(deadline=None, derandomize=True)  # the first call compiles
@given(st.lists(st.tuples(st.binary(max_size=30), st.integers(-1, 31)), max_size=6))
def test_any_bytes_are_read_as_a_loop_reads_them(
    several: list[tuple[bytes, int]],
) -> None:
    packs, counts = [pack for pack, _ in several], [count for _, count in several]
    expected = [unpack_plainly(pack, count) for pack, count in several]
    check(unpack_identities(packs, counts), expected)


@settings(deadline=None, derandomize=True)  # the first call compiles
@given(st.lists(columns.filter(bool), min_size=1, max_size=5), st.data())
def test_a_damaged_pack_takes_no_other_with_it(
    several: list[list[str]], data: st.DataObject
) -> None:
    packs = [pack_plainly(column) for column in several]
    at = data.draw(st.integers(0, len(packs) - 1))
    place = data.draw(st.integers(0, len(packs[at]) - 1))
    damaged = bytearray(packs[at])
    damaged[place] ^= data.draw(st.integers(1, 255))
    packs[at] = bytes(damaged)
    counts = [len(column) for column in several]
    expected = [unpack_plainly(*pair) for pair in zip(packs, counts, strict=True)]
    check(unpack_identities(packs, counts), expected)


@pytest.mark.parametrize("column", [["1", None], ["9" * 256]])
def test_what_has_no_packed_form_is_refused(column: list[str | None]) -> None:
    with pytest.raises(IdentifierRefused):
        pack_identities(pa.array(column, pa.string()))
