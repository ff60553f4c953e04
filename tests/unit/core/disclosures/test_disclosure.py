"""Sets of released people: packing, merging, sealing."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.disclosures.disclosure import (
    DisclosedPeople,
    Disclosure,
    DisclosureUse,
    merge_members,
)
from pseudo_service.core.disclosures.sealing import (
    check_disclosure,
    open_disclosure,
    pack_members,
    seal_disclosure,
    unpack_members,
)
from pseudo_service.core.keys.material import SecretKey

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DATA_KEY, MAC_KEY = SecretKey(b"d" * 32), SecretKey(b"m" * 32)
PREFIXES = st.integers(0, 2**64 - 1)
SECONDS = st.integers(0, 2**32 - 1)
ONE = st.tuples(st.integers(1, 1000), SECONDS, SECONDS)
SETS = st.dictionaries(PREFIXES | st.integers(0, 20), ONE, min_size=1, max_size=40)


def build(people: dict[int, tuple[int, int, int]]) -> DisclosedPeople:
    rows = sorted((prefix, *facts) for prefix, facts in people.items())
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    times = [sorted(pair) for pair in zip(columns[2], columns[3], strict=True)]
    return DisclosedPeople(
        np.array(columns[0], np.uint64),
        np.array(columns[1], np.uint32),
        np.array([pair[0] for pair in times], np.uint32),
        np.array([pair[1] for pair in times], np.uint32),
    )


def read(members: DisclosedPeople) -> dict[int, tuple[int, int, int]]:
    return {
        int(prefix): (int(times), int(first), int(last))
        for prefix, times, first, last in zip(
            members.prefixes,
            members.operations,
            members.first,
            members.last,
            strict=True,
        )
    }


def seal(members: DisclosedPeople, **changes: object) -> Disclosure:
    facts = {
        "disclosure_id": "m-1",
        "project": "asthma",
        "kind": "nhs_number",
        "use": DisclosureUse.PSEUDONYM,
        "key_version": 3,
        "operation": "run-2026-03",
        "recorded_at": NOON,
        "data_key_id": "k-1",
        "data_key": DATA_KEY,
        "mac_key": MAC_KEY,
        "nonce": b"n" * 12,
    }
    return seal_disclosure(members, **(facts | changes))  # type: ignore[arg-type]


def simple(*prefixes: int, at: datetime = NOON) -> DisclosedPeople:
    return DisclosedPeople.of_one_operation(np.array(prefixes, np.uint64), at)


@given(SETS)
def test_what_is_packed_is_unpacked(people: dict[int, tuple[int, int, int]]) -> None:
    members = build(people)
    assert read(unpack_members(pack_members(members))) == read(members)


@given(st.binary(max_size=60) | SETS.map(build).map(pack_members), st.data())
def test_other_bytes_are_refused_or_are_a_sound_set(
    packed: bytes, data: st.DataObject
) -> None:
    if packed:
        at = data.draw(st.integers(0, len(packed) - 1))
        packed = packed[:at] + data.draw(st.binary(max_size=3)) + packed[at + 1 :]
    try:
        members = unpack_members(packed)
    except ValueError:
        return
    assert len(members) > 0
    assert (np.diff(members.prefixes.astype(object)) > 0).all()
    assert (members.first <= members.last).all()


@given(st.lists(SETS, max_size=4), st.booleans())
def test_merging_is_a_union_with_times_and_counts(
    sets: list[dict[int, tuple[int, int, int]]], same_operation: bool
) -> None:
    parts = [build(people) for people in sets]
    expected: dict[int, tuple[int, int, int]] = {}
    for part in map(read, parts):
        for prefix, (times, first, last) in part.items():
            before = expected.get(prefix, (0, first, last))
            count = max if same_operation else lambda a, b: a + b
            expected[prefix] = (
                count(before[0], times),
                min(before[1], first),
                max(before[2], last),
            )
    merged = merge_members(parts, same_operation=same_operation)
    assert read(merged) == expected
    assert merged.prefixes.tolist() == sorted(expected)


@given(SETS, st.sets(PREFIXES | st.integers(0, 20), max_size=20))
def test_finding_cutting_and_leaving_out_agree_with_sets(
    people: dict[int, tuple[int, int, int]], others: set[int]
) -> None:
    members = build(people)
    wanted = np.array(sorted(others), np.uint64)
    is_member, places = members.find(wanted)
    assert is_member.tolist() == [prefix in people for prefix in sorted(others)]
    assert (members.prefixes[places[is_member]] == wanted[is_member]).all()
    pieces = [read(piece) for piece in members.cut(7)]
    assert all(len(piece) <= 7 for piece in pieces)
    assert {k: v for piece in pieces for k, v in piece.items()} == read(members)
    left = read(members.without(wanted))
    assert set(left) == set(people) - others


def test_nobody_is_found_among_nobody() -> None:
    nobody = merge_members([])
    assert len(nobody) == 0
    assert nobody.find(np.array([0, 5], np.uint64))[0].tolist() == [False, False]


def test_what_is_sealed_opens_and_tells_nothing() -> None:
    members = simple(1, 2, 2**63)
    sealed = seal(members)
    check_disclosure(sealed, MAC_KEY)
    assert read(open_disclosure(sealed, DATA_KEY)) == read(members)
    assert sealed.count == 3
    assert pack_members(members) not in sealed.sealed


def test_a_person_takes_about_six_bytes() -> None:
    drawn = np.random.default_rng(7).integers(0, 2**64 - 1, 200_000, np.uint64)
    packed = pack_members(DisclosedPeople.of_one_operation(np.unique(drawn), NOON))
    assert len(packed) / 200_000 < 6.5
