"""Who is met for the first time, and what a rewriting replaces."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.arrow.arrays import BlindIndices
from pseudo_service.core.audit.events import AuditEvent, AuditKind, Detail
from pseudo_service.core.pseudonyms.matching import MacIndex
from pseudo_service.engine.register import segment_rewriting
from pseudo_service.engine.register.opening import RegisterGrant
from pseudo_service.engine.register.rewrite_sealing import RewriteSealer
from pseudo_service.engine.register.segment_rewriting import (
    SeenIdentities,
    SegmentRewriting,
)
from tests.lib.harnesses.register_maintenance import (
    MRN,
    NHS,
    ROOT,
    MaintainedRegister,
    cared,
    hash_blindly,
)
from tests.lib.stores.stored_values import make_event
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NUMBERS = make_numbers(81_000, 9)
PAGES = st.lists(
    st.tuples(st.sampled_from(["nhs", "mrn"]), st.lists(st.integers(0, 9), max_size=8)),
    max_size=6,
)


def write_blind(names: list[int]) -> BlindIndices:
    """Return indices; some share their first and some their last eight bytes."""
    rows = [bytes(7) + bytes([name // 3]) + bytes(7) + bytes([name]) for name in names]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 16)


@given(PAGES)
def test_everyone_is_new_once_in_each_kind(pages: list[tuple[str, list[int]]]) -> None:
    seen, expected = SeenIdentities(), set[tuple[str, int]]()
    for kind, names in pages:
        new = seen.add(kind, write_blind(names)).tolist()
        first = []
        for name in names:
            first.append((kind, name) not in expected)
            expected.add((kind, name))
        assert new == first


class Harness:
    def __init__(self, cared: MaintainedRegister) -> None:
        self.cared = cared
        self.noted: list[Mapping[str, Detail]] = []

    def begin(self) -> SegmentRewriting:
        return SegmentRewriting(
            opened=self.cared.opening.open(RegisterGrant(operation="test")),
            keeper=self.cared.keeper,
            sealer=RewriteSealer(
                vault=self.cared.vault,
                clock=self.cared.clock,
                entropy=self.cared.entropy,
                service_root=ROOT,
            ),
            describe=self.describe,
        )

    def describe(self, details: Mapping[str, Detail]) -> AuditEvent:
        self.noted.append(details)
        return make_event(kind=AuditKind.REGISTER_REWRITTEN)


@pytest.fixture
def harness(cared: MaintainedRegister) -> Harness:
    return Harness(cared)


def test_merging_leaves_everyone_once_in_one_segment_a_kind(harness: Harness) -> None:
    for number in [*NUMBERS, *NUMBERS[:2]]:
        harness.cared.add([number])
    harness.cared.add(["RX1", "RX2"], MRN)
    rewriting = harness.begin()
    progress = list(rewriting.merge())
    assert harness.cared.read() == sorted(
        [("nhs_number", number) for number in NUMBERS]
        + [("mrn@RXH", "RX1"), ("mrn@RXH", "RX2")]
    )
    assert (rewriting.removed, rewriting.written) == (12, 2)
    assert rewriting.identities == 11
    assert progress[-1].segments == 12
    assert sum(int(str(each["rows"])) for each in harness.noted) == 11


def test_a_large_kind_is_cut_into_segments(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_rewriting, "SEGMENT_IDENTITIES", 4)
    harness.cared.add(NUMBERS)
    rewriting = harness.begin()
    list(rewriting.merge())
    assert rewriting.written == 3
    assert harness.cared.read() == sorted(("nhs_number", each) for each in NUMBERS)


def test_erasing_touches_only_segments_that_hold_the_people(harness: Harness) -> None:
    kept = harness.cared.add(NUMBERS[4:])
    harness.cared.add(NUMBERS[:4])
    rewriting = harness.begin()
    wanted = [NUMBERS[1], "9990441537", NUMBERS[3]]
    found = rewriting.erase(MacIndex.build(hash_blindly(wanted)), kind=NHS)
    assert found == {0, 2}
    assert (rewriting.removed, rewriting.written) == (1, 1)
    left = {number for _, number in harness.cared.read()}
    assert left == {*NUMBERS} - {NUMBERS[1], NUMBERS[3]}
    stored = harness.cared.register.read_segments(after=0)
    assert kept in {each.segment.segment_id for each in stored}


def test_a_segment_of_nobody_else_is_removed_and_none_written(harness: Harness) -> None:
    harness.cared.add(NUMBERS[:1])
    rewriting = harness.begin()
    rewriting.erase(MacIndex.build(hash_blindly(NUMBERS[:1])), kind=NHS)
    assert (rewriting.removed, rewriting.written) == (1, 0)
    assert harness.cared.read() == []
    assert harness.cared.count_data_keys() == 1


def test_what_was_edited_is_left_as_it_is(harness: Harness) -> None:
    edited = harness.cared.add(NUMBERS[:2])
    harness.cared.add(NUMBERS[2:])
    harness.cared.edit("segment", edited, mac=bytes(32))
    rewriting = harness.begin()
    found = rewriting.erase(MacIndex.build(hash_blindly(NUMBERS)), kind=NHS)
    assert found == set(range(2, 9))
    assert [fault.where for fault in rewriting.faults] == [edited]
    stored = [each.segment for each in harness.cared.register.read_segments(after=0)]
    assert [each.segment_id for each in stored] == [edited]
