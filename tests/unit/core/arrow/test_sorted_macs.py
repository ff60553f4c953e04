"""Sorted arrays of MACs against sets and dictionaries of bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.arrow.arrays import Macs
from pseudo_service.core.arrow.sorted_macs import (
    MacSet,
    MacWords,
    SortedMacs,
    find_sorted,
    read_beginnings,
    read_prefixes,
    sort_distinct,
    sort_distinct_macs,
)
from pseudo_service.core.errors import InvalidArgument

# Few bytes that differ, at both ends of both halves, so that halves often agree.
ONE = st.builds(
    lambda a, b, c, d: bytes((a,)) + bytes(6) + bytes((b, c)) + bytes(6) + bytes((d,)),
    *[st.sampled_from([0, 1, 127, 128, 255])] * 4,
)
MANY = st.lists(ONE, max_size=30)
NUMBERS = st.integers(0, 2**64 - 1) | st.integers(0, 9)


def stack(macs: list[bytes]) -> Macs:
    return np.frombuffer(b"".join(macs), np.uint8).reshape(-1, 16)


def unstack(macs: Macs) -> list[bytes]:
    return [row.tobytes() for row in macs]


def read(macs: list[bytes]) -> MacWords:
    return MacWords.read(stack(macs))


@given(MANY)
def test_words_are_the_bytes_in_their_order(macs: list[bytes]) -> None:
    words = read(macs)
    assert words.high.tolist() == [int.from_bytes(mac[:8], "big") for mac in macs]
    assert words.low.tolist() == [int.from_bytes(mac[8:], "big") for mac in macs]
    assert read_prefixes(stack(macs)).tolist() == words.high.tolist()
    assert unstack(words.write()) == macs


@given(MANY)
def test_the_first_of_equal_rows_is_told(macs: list[bytes]) -> None:
    expected = [mac not in macs[:row] for row, mac in enumerate(macs)]
    assert read(macs).find_first().tolist() == expected


@given(MANY)
def test_distinct_macs_are_in_the_order_of_their_bytes(macs: list[bytes]) -> None:
    assert unstack(sort_distinct_macs(stack(macs))) == sorted(set(macs))


@given(st.lists(MANY, max_size=4), MANY)
def test_merged_arrays_contain_what_sets_contain(
    parts: list[list[bytes]], wanted: list[bytes]
) -> None:
    merged = SortedMacs.build(stack([]))
    for part in parts:
        merged = merged.merge(SortedMacs.build(stack(part)))
    everything = [mac for part in parts for mac in part]
    assert sorted(unstack(merged.words.write())) == sorted(everything)
    assert (merged.words.high[:-1] <= merged.words.high[1:]).all()
    found = merged.contains(read(wanted)).tolist()
    assert found == [mac in everything for mac in wanted]


@given(MANY, MANY)
def test_every_equal_pair_is_found_and_no_other(
    known: list[bytes], wanted: list[bytes]
) -> None:
    held = SortedMacs.build(stack(known))
    rows, places = held.find_pairs(read(wanted))
    in_order = unstack(held.words.write())
    expected = {
        (row, place)
        for row, mac in enumerate(wanted)
        for place, other in enumerate(in_order)
        if mac == other
    }
    pairs = list(zip(rows.tolist(), places.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected


@given(MANY, st.data())
def test_some_of_them_stay_in_order(macs: list[bytes], data: st.DataObject) -> None:
    held = SortedMacs.build(stack(macs))
    size = len(macs)
    kept = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    taken = held.take(np.array(kept, np.bool_))
    pairs = zip(unstack(held.words.write()), kept, strict=True)
    assert unstack(taken.words.write()) == [mac for mac, keep in pairs if keep]


@given(st.lists(MANY, max_size=8), MANY)
def test_a_growing_set_contains_all_that_was_added(
    parts: list[list[bytes]], wanted: list[bytes]
) -> None:
    grown, expected = MacSet(), set[bytes]()
    for part in parts:
        grown.add(SortedMacs.build(stack(part)))
        expected |= set(part)
        found = grown.contains(read(wanted)).tolist()
        assert found == [mac in expected for mac in wanted]
    assert len(grown) == sum(map(len, parts))


def test_a_growing_set_has_few_arrays() -> None:
    macs = np.random.default_rng(5).integers(0, 256, (1000, 16), np.uint8)
    grown = MacSet()
    for start in range(0, 1000, 5):
        grown.add(SortedMacs.build(macs[start : start + 5]))
    assert len(grown._runs) < 10
    assert grown.contains(MacWords.read(macs)).all()


@given(st.sets(NUMBERS, max_size=20), st.lists(NUMBERS, max_size=20))
def test_numbers_are_found_where_they_stand(known: set[int], wanted: list[int]) -> None:
    ascending = np.array(sorted(known), np.uint64)
    is_known, places = find_sorted(ascending, np.array(wanted, np.uint64))
    assert is_known.tolist() == [number in known for number in wanted]
    chosen = np.array(wanted, np.uint64)[is_known]
    assert (ascending[places[is_known]] == chosen).all()


@given(st.lists(st.lists(NUMBERS, max_size=9), max_size=5))
def test_distinct_numbers_are_those_of_a_set(lists: list[list[int]]) -> None:
    found = sort_distinct([np.array(each, np.uint64) for each in lists])
    assert found.dtype == np.uint64
    assert found.tolist() == sorted({number for each in lists for number in each})


def test_beginnings_tell_the_first_two_bytes_apart() -> None:
    macs = stack([bytes([0, 1]) + bytes(14), bytes([1, 0]) + bytes(14), bytes(16)])
    assert len(set(read_beginnings(macs).tolist())) == 3
    assert read_beginnings(macs[:1]) == read_beginnings(macs[[0]])


def test_rows_of_another_array_are_read_by_their_bytes() -> None:
    wide = np.arange(64, dtype=np.uint8).reshape(2, 32)
    assert unstack(MacWords.read(wide[:, :16]).write()) == unstack(wide[:, :16])


@pytest.mark.parametrize("shape", [(3, 15), (3, 17), (16,), (2, 4, 16)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    for function in (MacWords.read, read_prefixes, read_beginnings, sort_distinct_macs):
        with pytest.raises(InvalidArgument, match="16 bytes a row"):
            function(np.zeros(shape, np.uint8))
