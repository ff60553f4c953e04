"""Who must leave by a list, against plain sets of numbers."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.arrow.sorted_macs import MacWords, SortedMacs
from pseudo_service.core.identifiers.kinds import NHS_NUMBER
from pseudo_service.core.identifiers.superseded import NO_SUPERSEDED_NUMBERS
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.opt_outs import OptOutCheck, add_survivors
from pseudo_service.core.projects.project import Uncheckable
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from tests.lib.values.cohort import make_numbers
from tests.lib.values.superseded_numbers import make_table

HASH = KeyedHash(SecretKey(b"o" * 32), NHS_NUMBER)
PEOPLE = make_numbers(3, 8)
MERGED = {PEOPLE[0]: PEOPLE[1], PEOPLE[2]: PEOPLE[1], PEOPLE[3]: None}
SOME = st.sets(st.sampled_from(PEOPLE))


def build_list(numbers: set[str]) -> SortedMacs:
    macs = [HASH.mac_one(number) for number in sorted(numbers)]
    return SortedMacs.build(np.frombuffer(b"".join(macs), np.uint8).reshape(-1, 16))


def read_list(listed: SortedMacs) -> set[str]:
    column = pa.array(PEOPLE)
    is_listed = listed.contains(MacWords.read(HASH.mac(column)))
    return set(column.filter(pa.array(is_listed)).to_pylist())


def make_check(
    numbers: set[str], *, is_allow_list: bool = False, merged: bool = False
) -> OptOutCheck:
    table = make_table(MERGED) if merged else NO_SUPERSEDED_NUMBERS
    listed = build_list(numbers)
    return OptOutCheck(
        hash=HASH,
        is_allow_list=is_allow_list,
        listed=listed if is_allow_list else add_survivors(listed, HASH, table),
        uncheckable=Uncheckable.REMOVE,
        superseded=table,
    )


@settings(deadline=None)  # the first call compiles
@given(SOME, st.booleans())
def test_a_list_is_a_set_of_numbers(numbers: set[str], is_allow_list: bool) -> None:
    check = make_check(numbers, is_allow_list=is_allow_list)
    leaves = check.find_opted_out(pa.array(PEOPLE)).tolist()
    assert leaves == [(each in numbers) != is_allow_list for each in PEOPLE]


@settings(deadline=None)  # the first call compiles
@given(SOME)
def test_who_opted_out_under_any_number_has_under_all(numbers: set[str]) -> None:
    check = make_check(numbers, merged=True)
    one_person = set(PEOPLE[:3])
    leaves = check.find_opted_out(pa.array(PEOPLE)).tolist()
    assert leaves == [
        bool(numbers & one_person) if each in one_person else each in numbers
        for each in PEOPLE
    ]


@settings(deadline=None)  # the first call compiles
@given(SOME)
def test_an_allow_list_must_name_a_number_and_its_survivor(numbers: set[str]) -> None:
    check = make_check(numbers, is_allow_list=True, merged=True)
    leaves = check.find_opted_out(pa.array(PEOPLE)).tolist()
    assert leaves == [
        each not in numbers
        or (each in {PEOPLE[0], PEOPLE[2]} and PEOPLE[1] not in numbers)
        for each in PEOPLE
    ]


@settings(deadline=None)  # the first call compiles
@given(SOME)
def test_survivors_are_added_and_nobody_else(numbers: set[str]) -> None:
    grown = add_survivors(build_list(numbers), HASH, make_table(MERGED))
    expected = numbers | ({PEOPLE[1]} if numbers & {PEOPLE[0], PEOPLE[2]} else set())
    assert read_list(grown) == expected


def test_a_re_issued_number_is_nobody_to_check() -> None:
    check = make_check(set(), merged=True)
    checkable = check.find_checkable(pa.array(PEOPLE)).tolist()
    assert checkable == [each != PEOPLE[3] for each in PEOPLE]


@pytest.mark.parametrize(
    ("uncheckable", "leave"), [(Uncheckable.REMOVE, True), (Uncheckable.KEEP, False)]
)
def test_the_project_decides_on_rows_without_a_number(
    uncheckable: Uncheckable, leave: bool
) -> None:
    check = OptOutCheck(
        hash=HASH,
        is_allow_list=False,
        listed=build_list(set()),
        uncheckable=uncheckable,
    )
    assert check.removes_uncheckable is leave


def test_nobody_on_the_list_is_printed() -> None:
    shown = repr(make_check({PEOPLE[0]}))
    assert PEOPLE[0] not in shown
    assert "listed" not in shown
