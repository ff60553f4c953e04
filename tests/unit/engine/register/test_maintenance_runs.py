"""Runs of maintenance: who may begin one, and what is on record of it."""

import pytest

from pseudo_service.core.access.roles import Actor, Permission, RoleGrant
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import AccessDenied, GrantSpent
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.register.maintenance_runs import MaintenanceRuns
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryJournal

CUSTODIAN = Actor(
    subject="ada", grants=frozenset({RoleGrant.parse("custodian")}), expires_at=None
)
PIPELINE = Actor(
    subject="pipeline",
    grants=frozenset({RoleGrant.parse("pipeline:asthma")}),
    expires_at=None,
)


class Harness:
    def __init__(self) -> None:
        self.journal, self.clock = MemoryJournal(), FakeClock()
        self.runs = MaintenanceRuns(
            access_control=AccessControl(journal=self.journal, clock=self.clock),
            recorder=AuditRecorder(self.journal, self.clock),
            entropy=SeededEntropy(),
        )


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_only_a_custodian_may_and_a_refusal_is_on_record(harness: Harness) -> None:
    harness.runs.begin(CUSTODIAN, Permission.MAINTAIN_REGISTER)
    assert harness.journal.trail.events == []
    with pytest.raises(AccessDenied):
        harness.runs.begin(PIPELINE, Permission.MAINTAIN_REGISTER)
    assert harness.journal.trail.kinds() == [AuditKind.CALL_REFUSED.value]


def test_events_of_a_run_carry_its_operation_and_actor(harness: Harness) -> None:
    run = harness.runs.begin(CUSTODIAN, Permission.MAINTAIN_REGISTER)
    run.record(AuditKind.REGISTER_COMPACT_INTENT, {"reason": "monthly"})
    described = run.describe(AuditKind.REGISTER_REWRITTEN, {"written": 2})
    (recorded,) = harness.journal.trail.events
    for event in (recorded, described):
        assert event.operation == run.operation
        assert event.actor == "ada"
        assert event.project is None
        assert event.at == harness.clock.now()
    assert recorded.details == {"reason": "monthly"}
    assert described.details == {"written": 2}


def test_each_run_has_an_operation_and_a_grant_of_its_own(harness: Harness) -> None:
    one, two = (
        harness.runs.begin(CUSTODIAN, Permission.MAINTAIN_REGISTER),
        harness.runs.begin(CUSTODIAN, Permission.MAINTAIN_REGISTER),
    )
    assert one.operation != two.operation
    grant = one.mint_grant()
    assert grant.operation == one.operation
    grant.spend()
    with pytest.raises(GrantSpent):
        grant.spend()
