"""Loading opt-out lists, and the check that a project applies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.arrow.arrays import Macs
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import (
    AccessDenied,
    OptOutListMissing,
    OptOutListRefused,
    OptOutListStale,
)
from pseudo_service.core.identifiers.kinds import ChiInNhsColumn, IdentifierRules
from pseudo_service.core.identifiers.superseded import PinnedSupersededNumbers
from pseudo_service.core.keys.material import Root, RootPurpose, SecretKey
from pseudo_service.core.projects.project import (
    OptOutApplication,
    OptOutRule,
    Project,
    Uncheckable,
)
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.ports.opt_outs import OptOutList, OptOutListKind
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryJournal
from tests.lib.stores.stored_values import make_project
from tests.lib.values.cohort import make_numbers
from tests.lib.values.superseded_numbers import make_table

ROOT = Root(
    owner="_service", version=1, purpose=RootPurpose.SERVICE, key=SecretKey(b"s" * 32)
)
CUSTODIAN = Actor(
    subject="ada", grants=frozenset({RoleGrant.parse("custodian")}), expires_at=None
)
AUDITOR = replace(CUSTODIAN, grants=frozenset({RoleGrant.parse("auditor")}))
NUMBERS = make_numbers(89_000, 6)


class MemoryOptOuts:
    """``OptOutStore``; what it holds may be tampered with."""

    def __init__(self) -> None:
        self.facts: list[OptOutList] = []
        self.indices: dict[str, Macs] = {}
        self.events: list[AuditEvent] = []
        self.reads = 0

    def load(self, facts: OptOutList, indices: Macs, audit: AuditEvent) -> None:
        self.facts.append(facts)
        self.indices[facts.list_id] = indices
        self.events.append(audit)

    def newest(self) -> OptOutList | None:
        return self.facts[-1] if self.facts else None

    def read(self, list_id: str) -> Macs:
        self.reads += 1
        return self.indices[list_id]


class Harness:
    def __init__(self) -> None:
        self.store, self.clock = MemoryOptOuts(), FakeClock()
        self.lists = OptOutLists(
            store=self.store,
            service_root=ROOT,
            rules=IdentifierRules(
                accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT
            ),
            clock=self.clock,
            entropy=SeededEntropy(),
            access_control=AccessControl(journal=MemoryJournal(), clock=self.clock),
        )
        rule = OptOutRule(
            application=OptOutApplication.APPLIED,
            legal_basis="section 251",
            uncheckable=Uncheckable.REMOVE,
        )
        self.project: Project = replace(make_project(), opt_outs=rule)

    def load(
        self,
        *chunks: Sequence[str],
        kind: OptOutListKind = OptOutListKind.OPT_OUT,
        entries: int | None = None,
        actor: Actor = CUSTODIAN,
        days: float = 7,
    ) -> OptOutList:
        return self.lists.load(
            kind,
            entries=sum(map(len, chunks)) if entries is None else entries,
            expires_at=self.clock.now() + timedelta(days=days),
            chunks=chunks,
            actor=actor,
        )

    def find_opted_out(
        self, superseded: PinnedSupersededNumbers | None = None
    ) -> list[str]:
        found = self.lists.check_for(self.project, superseded)
        assert found is not None
        leaves = found[0].find_opted_out(pa.array(NUMBERS))
        return pa.array(NUMBERS).filter(pa.array(leaves)).to_pylist()


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_a_loaded_list_is_in_force_at_once(harness: Harness) -> None:
    harness.load(NUMBERS[:2], NUMBERS[1:3])
    assert harness.find_opted_out() == NUMBERS[:3]
    harness.load(NUMBERS[4:])
    assert harness.find_opted_out() == NUMBERS[4:]


def test_an_allow_list_names_those_who_stay(harness: Harness) -> None:
    harness.load(NUMBERS[:2], kind=OptOutListKind.ALLOW)
    assert harness.find_opted_out() == NUMBERS[2:]


def test_spelling_and_order_make_no_other_list(harness: Harness) -> None:
    one = harness.load(NUMBERS[:3])
    spelt = f"{NUMBERS[2][:3]} {NUMBERS[2][3:6]} {NUMBERS[2][6:]}"
    other = harness.load([spelt, NUMBERS[0]], [NUMBERS[1], NUMBERS[1]])
    assert (one.entries, one.digest) == (other.entries, other.digest)
    stored = harness.store.indices[one.list_id]
    np.testing.assert_array_equal(stored, harness.store.indices[other.list_id])


def test_no_number_is_stored_or_on_record(harness: Harness) -> None:
    facts = harness.load(NUMBERS)
    kept = repr(harness.store.events) + repr(facts)
    kept += harness.store.indices[facts.list_id].tobytes().decode("latin-1")
    assert not [number for number in NUMBERS if number in kept]


def test_a_list_is_read_once(harness: Harness) -> None:
    harness.load(NUMBERS[:2])
    for _ in range(3):
        harness.find_opted_out()
    assert harness.store.reads == 1
    pinned = PinnedSupersededNumbers(
        table=make_table({NUMBERS[0]: NUMBERS[5]}), pin="table-1"
    )
    assert harness.find_opted_out(pinned) == [*NUMBERS[:2], NUMBERS[5]]
    assert harness.store.reads == 2


@pytest.mark.parametrize(
    ("chunks", "entries", "why"),
    [
        ([NUMBERS[:2]], 3, "2 of 3 announced"),
        ([NUMBERS[:2]], 1, "2 of 1 announced"),
        ([], 0, "0 of 0 announced"),
        ([NUMBERS[:2], ["9990441538"]], 3, "first at position 2"),
        ([["", NUMBERS[0]]], 2, "first at position 0"),
    ],
)
def test_an_incomplete_or_faulty_list_is_refused(
    harness: Harness, chunks: list[list[str]], entries: int, why: str
) -> None:
    with pytest.raises(OptOutListRefused, match=why):
        harness.load(*chunks, entries=entries)
    assert harness.store.facts == []


@pytest.mark.parametrize("days", [-1, 0, 31.01])
def test_a_list_lives_a_month_at_most(harness: Harness, days: float) -> None:
    with pytest.raises(OptOutListRefused, match="within 31 days"):
        harness.load(NUMBERS, days=days)


def test_only_a_custodian_loads(harness: Harness) -> None:
    with pytest.raises(AccessDenied):
        harness.load(NUMBERS, actor=AUDITOR)


def test_no_list_and_an_expired_list_stop_the_project(harness: Harness) -> None:
    with pytest.raises(OptOutListMissing):
        harness.lists.check_for(harness.project)
    harness.load(NUMBERS)
    harness.clock.advance(days=7)
    with pytest.raises(OptOutListStale):
        harness.lists.check_for(harness.project)


def test_a_project_without_opt_outs_needs_no_list(harness: Harness) -> None:
    rule = replace(
        harness.project.opt_outs, application=OptOutApplication.NOT_APPLICABLE
    )
    assert harness.lists.check_for(replace(harness.project, opt_outs=rule)) is None


@pytest.mark.parametrize("what", ["person", "kind", "expiry"])
def test_a_list_that_was_edited_in_the_database_is_refused(
    harness: Harness, what: str
) -> None:
    facts = harness.load(NUMBERS)
    match what:
        case "person":
            harness.store.indices[facts.list_id] = harness.store.indices[facts.list_id][
                1:
            ]
        case "kind":
            harness.store.facts[-1] = replace(facts, kind=OptOutListKind.ALLOW)
        case _:
            later = facts.expires_at + timedelta(days=7)
            harness.store.facts[-1] = replace(facts, expires_at=later)
    with pytest.raises(OptOutListMissing, match="not the one that was loaded"):
        harness.lists.check_for(harness.project)
