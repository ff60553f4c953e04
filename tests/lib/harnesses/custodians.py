"""The use cases of custodians over stores in memory."""

from dataclasses import replace
from datetime import timedelta

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.projects.project import (
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
)
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.keys.rotation import KeyRotation
from pseudo_service.engine.projects.lifecycle import ProjectLifecycle, ProjectRequest
from pseudo_service.engine.projects.policy_registry import PolicyRegistry
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryJournal, MemoryPolicies, MemoryVault
from tests.lib.stores.memory_projects import MemoryKeyRows, MemoryProjects, Trail


def make_actor(*roles: str) -> Actor:
    grants = frozenset(RoleGrant.parse(role) for role in roles)
    return Actor(subject="local:somebody", grants=grants, expires_at=None)


CUSTODIAN = make_actor("custodian")
LOADER = make_actor("pipeline:asthma")


def make_request(project: str = "asthma", **changes: object) -> ProjectRequest:
    request = ProjectRequest(
        project_id=project,
        title="Outcomes of asthma",
        date_shift=DateShiftRule(bound=52),
        opt_outs=OptOutRule(
            application=OptOutApplication.NOT_APPLICABLE, legal_basis="consent"
        ),
        daily_quota=1000,
    )
    return replace(request, **changes)  # type: ignore[arg-type]


class CustodianHarness:
    """The use cases of custodians over stores in memory."""

    def __init__(self) -> None:
        self.trail = Trail()
        self.clock = FakeClock()
        self.vault = MemoryVault()
        self.vault.create_key("audit")
        self.rows = MemoryKeyRows(self.trail)
        self.projects = MemoryProjects(self.rows, self.trail)
        self.policies = MemoryPolicies(self.trail)
        self.journal = MemoryJournal(self.trail)
        self.ring = KeyRing(
            vault=self.vault,
            rows=self.rows,
            clock=self.clock,
            entropy=SeededEntropy("keys"),
            lifetime=timedelta(hours=1),
        )
        self.access_control = AccessControl(journal=self.journal, clock=self.clock)
        shared = {
            "projects": self.projects,
            "clock": self.clock,
            "access_control": self.access_control,
        }
        self.lifecycle = ProjectLifecycle(
            rows=self.rows,
            key_ring=self.ring,
            vault=self.vault,
            entropy=SeededEntropy("tags"),
            **shared,
        )
        self.rotation = KeyRotation(rows=self.rows, key_ring=self.ring, **shared)
        self.registry = PolicyRegistry(policies=self.policies, **shared)
