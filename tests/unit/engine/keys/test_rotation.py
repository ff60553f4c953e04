"""A project's next key version: who may make it, and from which one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import (
    AccessDenied,
    InvalidArgument,
    KeyUnknown,
    ProjectNotActive,
    ProjectUnknown,
    StateConflict,
)
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.core.keys.material import KeyRow, RootPurpose
from pseudo_service.core.projects.project import ProjectState
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.keys.rotation import KeyRotation
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryJournal, MemoryVault
from tests.lib.stores.memory_projects import MemoryKeyRows, MemoryProjects, Trail
from tests.lib.stores.stored_values import make_event, make_project

CUSTODIAN = Actor(
    subject="ada", grants=frozenset({RoleGrant.parse("custodian")}), expires_at=None
)
AUDITOR = replace(CUSTODIAN, grants=frozenset({RoleGrant.parse("auditor")}))
ASTHMA = ProjectId("asthma")


class Harness:
    def __init__(self) -> None:
        self.vault, self.trail, self.clock = MemoryVault(), Trail(), FakeClock()
        for name in ("audit", "project-asthma"):
            self.vault.create_key(name)
        self.rows = MemoryKeyRows(self.trail)
        self.projects = MemoryProjects(self.rows, self.trail)
        self.ring = KeyRing(
            vault=self.vault,
            rows=self.rows,
            clock=self.clock,
            entropy=SeededEntropy(),
            lifetime=timedelta(hours=1),
        )
        self.rotation = KeyRotation(
            projects=self.projects,
            rows=self.rows,
            key_ring=self.ring,
            clock=self.clock,
            access_control=AccessControl(
                journal=MemoryJournal(self.trail), clock=self.clock
            ),
        )
        row = self.ring.make_row(ASTHMA, RootPurpose.PSEUDONYMS, version=KeyVersion(1))
        self.projects.create(make_project("asthma"), [row], make_event())
        self.trail.events.clear()

    def rotate(
        self,
        project: str = "asthma",
        *,
        version: int = 1,
        reason: str = "yearly rotation",
        days: int = 0,
        actor: Actor = CUSTODIAN,
    ) -> KeyRow:
        return self.rotation.rotate(
            ProjectId(project),
            current_version=KeyVersion(version),
            reason=reason,
            overlap_days=days,
            actor=actor,
        )


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_the_next_version_is_in_force_and_on_record(harness: Harness) -> None:
    row = harness.rotate()
    newest = harness.ring.newest(ASTHMA, RootPurpose.PSEUDONYMS)
    assert (row.version, newest.version) == (2, 2)
    assert newest.check_value() == row.check_value
    (event,) = harness.trail.events
    assert event.kind is AuditKind.KEY_ROTATED
    assert (event.actor, event.project) == ("ada", "asthma")
    assert event.details["version"] == 2
    assert event.details["reason"] == "yearly rotation"
    assert event.details["overlap_until"] is None
    assert harness.rotate(version=2).version == 3


def test_a_window_of_overlap_ends_and_the_next_rotation_ends_it(
    harness: Harness,
) -> None:
    harness.rotate(days=30)
    until = harness.projects.get(ASTHMA).overlap_until
    assert until == harness.clock.now() + timedelta(days=30)
    harness.rotate(version=2)
    assert harness.projects.get(ASTHMA).overlap_until is None


@pytest.mark.parametrize("days", [-1, 367])
def test_the_overlap_is_a_year_at_most(harness: Harness, days: int) -> None:
    with pytest.raises(InvalidArgument, match="0 to 366"):
        harness.rotate(days=days)


@pytest.mark.parametrize("version", [0, 2])
def test_another_current_version_is_a_conflict(harness: Harness, version: int) -> None:
    with pytest.raises(StateConflict, match=f"is 1, not {version}"):
        harness.rotate(version=version)
    assert harness.trail.events == []


def test_only_a_custodian_rotates_and_a_refusal_is_on_record(harness: Harness) -> None:
    with pytest.raises(AccessDenied):
        harness.rotate(actor=AUDITOR)
    assert harness.trail.kinds() == [AuditKind.CALL_REFUSED.value]


def test_a_reason_is_needed(harness: Harness) -> None:
    with pytest.raises(InvalidArgument):
        harness.rotate(reason="")


def test_a_project_that_is_not_active_keeps_its_key(harness: Harness) -> None:
    project = harness.projects.projects[ASTHMA]
    harness.projects.projects[ASTHMA] = replace(project, state=ProjectState.SUSPENDED)
    with pytest.raises(ProjectNotActive):
        harness.rotate()


def test_an_unknown_project_and_a_lost_key_are_told_apart(harness: Harness) -> None:
    with pytest.raises(ProjectUnknown):
        harness.rotate("stroke")
    harness.rows.rows.clear()
    with pytest.raises(KeyUnknown):
        harness.rotate()
