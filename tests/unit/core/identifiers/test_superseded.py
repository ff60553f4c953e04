"""Chains of superseded numbers end where a person following them would end."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.errors import AliasTableRefused
from pseudo_service.core.identifiers.superseded import SupersededNumbers, write_numbers
from tests.lib.harnesses.deidentification import NHS_NUMBER
from tests.lib.values.cohort import make_numbers
from tests.lib.values.superseded_numbers import make_superseded, make_table

NUMBERS = make_numbers(70_000, 12)
OTHERS = make_numbers(90_000, 3)

number = st.sampled_from(NUMBERS)
tables = st.lists(st.tuples(number, st.none() | number), max_size=14)
columns = st.lists(st.sampled_from([*NUMBERS, *OTHERS]), max_size=20)


def resolve(entries: list[tuple[str, str | None]]) -> dict[str, str | None] | None:
    """Follow each entry by hand; None where the table contradicts itself."""
    fates: dict[str, str | None] = {}
    for superseded, current in entries:
        if superseded == current or fates.get(superseded, current) != current:
            return None
        fates[superseded] = current
    reissued = {each for each, current in fates.items() if current is None}
    if reissued & set(fates.values()):
        return None
    survivors: dict[str, str | None] = {}
    for superseded, current in fates.items():
        seen, end = {superseded}, current
        while end in fates:
            if end in seen:
                return None
            seen.add(end)
            end = fates[end]
        survivors[superseded] = end
    return survivors


def build(entries: list[tuple[str, str | None]]) -> SupersededNumbers:
    superseded = np.array([int(old) for old, _ in entries], np.int64)
    current = np.array([int(new or 0) for _, new in entries], np.int64)
    return SupersededNumbers.build(superseded, current)


@settings(deadline=None, derandomize=True)
@given(entries=tables, column=columns)
def test_a_table_is_resolved_or_refused_as_by_hand(entries, column):
    expected = resolve(entries)
    if expected is None:
        with pytest.raises(AliasTableRefused) as caught:
            build(entries)
        assert not any(each in str(caught.value) for each in NUMBERS)
        return
    table = build(entries)
    canonical = pa.array(column, pa.string())

    followed = [expected.get(each) or each for each in column]
    assert table.substitute(canonical).to_pylist() == followed
    is_reissued = [each in expected and expected[each] is None for each in column]
    assert table.find_reissued(canonical).tolist() == is_reissued
    assert [table.find_survivor(each) for each in column] == [
        expected.get(each) for each in column
    ]
    former = table.find_former(canonical)
    for place, each in enumerate(column):
        superseded = {old for old, new in expected.items() if new == each}
        assert set(former.get(place, ())) == superseded
    merged = sum(new is not None for new in expected.values())
    assert (table.merged, table.reissued) == (merged, len(expected) - merged)


@settings(deadline=None, derandomize=True)
@given(length=st.integers(1, 11), seed=st.randoms(use_true_random=False))
def test_a_long_chain_ends_at_its_last_number_whatever_the_order(length, seed):
    chain = NUMBERS[: length + 1]
    entries = list(itertools.pairwise(chain))
    seed.shuffle(entries)
    table = build(entries)
    assert {table.find_survivor(each) for each in chain[:-1]} == {chain[-1]}
    assert table.find_survivor(chain[-1]) is None


@settings(deadline=None, derandomize=True)
@given(column=columns, follows=st.booleans())
def test_judging_one_is_judging_a_column(column, follows):
    superseded = make_superseded(
        {NUMBERS[0]: NUMBERS[1], NUMBERS[2]: NUMBERS[1], NUMBERS[3]: None},
        follows=follows,
    )
    canonical = pa.array(column, pa.string())
    reissued = superseded.find_reissued(canonical, NHS_NUMBER).tolist()
    followed = superseded.resolve(canonical, NHS_NUMBER).to_pylist()
    expected = [
        (None, "reissued") if refused else (number, None)
        for refused, number in zip(reissued, followed, strict=True)
    ]
    assert [superseded.resolve_one(each, NHS_NUMBER) for each in column] == expected


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 9_999_999_999), max_size=20))
def test_numbers_are_written_with_their_leading_zeros(numbers):
    written = write_numbers(np.array(numbers, np.int64))
    assert written.to_pylist() == [f"{each:010d}" for each in numbers]
    assert written.type == pa.string()


FAULTS = {
    "the number replaces itself": [(0, 1), (2, 2), (3, 3)],
    "with another fate": [(0, 1), (2, 3), (4, 5), (2, 5)],
    "listed as re-issued": [(0, 1), (2, 3), (3, None), (4, 5)],
    "a ring of replacements": [(0, 1), (2, 3), (3, 4), (4, 2)],
}
POSITIONS = {
    "the number replaces itself": 1,
    "with another fate": 3,
    "listed as re-issued": 1,
    "a ring of replacements": 1,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_by_its_position(fault):
    entries = [
        (NUMBERS[old], None if new is None else NUMBERS[new])
        for old, new in FAULTS[fault]
    ]
    with pytest.raises(AliasTableRefused, match=fault) as caught:
        build(entries)
    assert f"first at position {POSITIONS[fault]} " in str(caught.value)


def test_an_entry_that_stands_twice_is_one():
    assert build([(NUMBERS[0], NUMBERS[1])] * 2).merged == 1


def test_a_table_shows_none_of_its_numbers():
    table = make_table({NUMBERS[0]: NUMBERS[1], NUMBERS[2]: None})
    shown = repr(table) + repr(make_superseded({NUMBERS[0]: NUMBERS[1]}))
    assert not any(each in shown for each in NUMBERS)
