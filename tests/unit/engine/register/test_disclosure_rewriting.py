"""Disclosures merged and erased from; what does not open is left as it is."""

from collections.abc import Mapping

import pytest

from pseudo_service.core.audit.events import AuditEvent, AuditKind, Detail
from pseudo_service.core.disclosures.disclosure import NO_OPERATION
from pseudo_service.core.ids import ProjectId
from pseudo_service.core.register.segments import RegisterFault, RegisterFaultKind
from pseudo_service.engine.register.disclosure_rewriting import (
    CheckedDisclosures,
    DisclosureRewriting,
)
from pseudo_service.engine.register.opening import RegisterGrant
from pseudo_service.engine.register.rewrite_sealing import RewriteSealer
from tests.lib.harnesses.register_maintenance import (
    NHS,
    PROJECT,
    ROOT,
    MaintainedRegister,
    cared,
    hash_blindly,
)
from tests.lib.stores.stored_values import make_event
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NUMBERS = make_numbers(82_000, 6)
STUDY = ProjectId(PROJECT)


class Harness:
    def __init__(self, cared: MaintainedRegister) -> None:
        self.cared = cared
        self.noted: list[Mapping[str, Detail]] = []

    def open(self) -> CheckedDisclosures:
        return CheckedDisclosures(
            opened=self.cared.opening.open(RegisterGrant(operation="test")),
            store=self.cared.disclosures,
            service_root=ROOT,
        )

    def begin(self, reader: CheckedDisclosures | None = None) -> DisclosureRewriting:
        return DisclosureRewriting(
            reader=reader or self.open(),
            store=self.cared.disclosures,
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

    def read(self) -> list[tuple[str, list[int], list[int]]]:
        """Return each disclosure's operation, prefixes and counts of operations."""
        return [
            (each.operation, people.prefixes.tolist(), people.operations.tolist())
            for each, people in self.open().read(STUDY)
        ]


@pytest.fixture
def harness(cared: MaintainedRegister) -> Harness:
    return Harness(cared)


def read_sorted(numbers: list[str]) -> list[int]:
    blind = hash_blindly(numbers)
    return sorted(int.from_bytes(row[:8].tobytes(), "big") for row in blind)


def test_many_disclosures_become_one(harness: Harness) -> None:
    harness.cared.release(NUMBERS[:3], "run-1")
    harness.cared.release(NUMBERS[1:3], "run-1")  # a later part of the same run
    harness.cared.release(NUMBERS[2:], "run-2")
    rewriting = harness.begin()
    rewriting.merge(STUDY)
    ((operation, prefixes, counts),) = harness.read()
    assert operation == NO_OPERATION
    assert prefixes == read_sorted(NUMBERS)
    both = read_sorted([NUMBERS[2]])[0]
    assert {prefixes[at] for at, count in enumerate(counts) if count == 2} == {both}
    assert (rewriting.removed, rewriting.written) == (3, 1)
    assert harness.noted == [{"memberships": 3, "written": 1}]


def test_merged_again_nothing_is_counted_twice(harness: Harness) -> None:
    harness.cared.release(NUMBERS[:3], "run-1")
    harness.cared.release(NUMBERS[2:], "run-2")
    harness.begin().merge(STUDY)
    before = harness.read()
    harness.begin().merge(STUDY)
    assert harness.read() == before


def test_erased_people_are_in_no_disclosure(harness: Harness) -> None:
    harness.cared.release(NUMBERS[:3], "run-1")
    untouched = harness.cared.release(NUMBERS[3:], "run-2")
    harness.cared.release(NUMBERS[:1], "run-3")
    harness.begin().erase(hash_blindly(NUMBERS[:1]), kind=NHS.text)
    assert sorted(harness.read()) == sorted(
        [
            ("run-1", read_sorted(NUMBERS[1:3]), [1, 1]),
            ("run-2", read_sorted(NUMBERS[3:]), [1, 1, 1]),
        ]
    )
    stored = {
        each.disclosure_id for each in harness.cared.disclosures.read(project=STUDY)
    }
    assert untouched in stored


def test_another_kind_is_not_erased_from(harness: Harness) -> None:
    harness.cared.release(NUMBERS, "run-1")
    before = harness.read()
    harness.begin().erase(hash_blindly(NUMBERS), kind="mrn@RXH")
    assert harness.read() == before
    assert harness.noted == []


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        ({"mac": bytes(32)}, RegisterFaultKind.DISCLOSURE_MAC),
        ({"project": "stroke-study"}, RegisterFaultKind.DISCLOSURE_MAC),
    ],
)
def test_an_edited_disclosure_is_a_fault_and_stays(
    harness: Harness, edit: dict[str, object], fault: RegisterFaultKind
) -> None:
    edited = harness.cared.release(NUMBERS[:2], "run-1")
    harness.cared.release(NUMBERS[2:], "run-2")
    harness.cared.edit("disclosure", edited, **edit)
    reader = harness.open()
    harness.begin(reader).erase(hash_blindly(NUMBERS), kind=NHS.text)
    assert reader.faults == [RegisterFault(fault=fault, where=edited)]
    stored = [
        each.disclosure_id for each in harness.cared.disclosures.read(project=None)
    ]
    assert stored == [edited]


def test_a_disclosure_whose_key_is_gone_is_a_fault(harness: Harness) -> None:
    lost = harness.cared.release(NUMBERS[:2], "run-1")
    (row,) = harness.cared.register.read_data_keys()
    harness.cared.edit("data_key", row.data_key_id, wrapped=b"something else")
    reader = CheckedDisclosures(
        opened=harness.cared.opening.open(
            RegisterGrant(operation="test"), tolerate_refusals=True
        ),
        store=harness.cared.disclosures,
        service_root=ROOT,
    )
    reader.check_all()
    fault = RegisterFaultKind.DISCLOSURE_DOES_NOT_OPEN
    assert reader.faults == [RegisterFault(fault=fault, where=lost)]
    assert reader.count == 1
