"""The end of projects over stores in memory."""

from datetime import timedelta

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.projects.project import (
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
)
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from pseudo_service.engine.keys.rotation import KeyRotation
from pseudo_service.engine.projects.closing import ProjectClosing
from pseudo_service.engine.projects.lifecycle import ProjectLifecycle, ProjectRequest
from pseudo_service.ports.key_vault import Signature
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryJournal, MemoryVault
from tests.lib.stores.memory_projects import MemoryKeyRows, MemoryProjects, Trail


def make_custodian(name: str) -> Actor:
    grants = frozenset({RoleGrant.parse("custodian")})
    return Actor(subject=f"local:{name}", grants=grants, expires_at=None)


FIRST, SECOND, THIRD = (make_custodian(name) for name in ("first", "second", "third"))
GUARDIAN = Actor(
    subject="local:guardian",
    grants=frozenset({RoleGrant.parse("guardian:asthma")}),
    expires_at=None,
)


class ClosingHarness:
    """The end of projects over stores in memory."""

    def __init__(self) -> None:
        self.trail = Trail()
        self.clock = FakeClock()
        self.vault = MemoryVault()
        self.vault.create_key("audit")
        self.rows = MemoryKeyRows(self.trail)
        self.projects = MemoryProjects(self.rows, self.trail)
        self.journal = MemoryJournal(self.trail)
        self.ring = KeyRing(
            vault=self.vault,
            rows=self.rows,
            clock=self.clock,
            entropy=SeededEntropy("keys"),
            lifetime=timedelta(days=400),
        )
        access_control = AccessControl(journal=self.journal, clock=self.clock)
        self.lifecycle = ProjectLifecycle(
            projects=self.projects,
            rows=self.rows,
            key_ring=self.ring,
            vault=self.vault,
            clock=self.clock,
            entropy=SeededEntropy("tags"),
            access_control=access_control,
        )
        self.rotation = KeyRotation(
            projects=self.projects,
            rows=self.rows,
            key_ring=self.ring,
            clock=self.clock,
            access_control=access_control,
        )
        self.closing = ProjectClosing(
            projects=self.projects,
            rows=self.rows,
            key_ring=self.ring,
            vault=self.vault,
            signer=ReceiptSigner(
                vault=self.vault,
                clock=self.clock,
                entropy=SeededEntropy("signer"),
                process="process",
                instance="instance",
                lifetime=timedelta(days=1),
            ),
            journal=self.journal,
            clock=self.clock,
            access_control=access_control,
        )

    def make(self, project: str) -> None:
        request = ProjectRequest(
            project_id=project,
            title="Outcomes",
            date_shift=DateShiftRule(bound=52),
            opt_outs=OptOutRule(
                application=OptOutApplication.NOT_APPLICABLE, legal_basis="consent"
            ),
            daily_quota=1000,
        )
        self.lifecycle.create(request, FIRST)

    def close(self, days: int = 30) -> None:
        self.closing.close(
            "asthma", reason="study ended", cooling_days=days, actor=FIRST
        )

    def let_it_cool(self) -> None:
        self.close()
        self.closing.agree("asthma", actor=SECOND)
        self.clock.advance(days=30)

    def verify(self, message: bytes, signature: bytes, key_id: str) -> None:
        assert self.vault.key_name(key_id) == "audit"
        self.vault.verify(message, Signature(key_id=key_id, value=signature))
