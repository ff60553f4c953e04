"""Runs of the register's maintenance: authorised, named, and recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditEvent, AuditKind, Detail
from pseudo_service.core.ids import OperationId
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.register.opening import MaintenanceGrant
from pseudo_service.ports.entropy import Entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceRun:
    """One run of maintenance; made by ``MaintenanceRuns.begin``."""

    operation: OperationId
    actor: Actor
    recorder: AuditRecorder = field(repr=False)

    def describe(self, kind: AuditKind, details: Mapping[str, Detail]) -> AuditEvent:
        """Return an event of the run, for a change that commits it with its rows."""
        return self.recorder.describe(
            kind,
            actor=self.actor.subject,
            project=None,
            operation=self.operation,
            **details,
        )

    def record(self, kind: AuditKind, details: Mapping[str, Detail]) -> None:
        """Put an event of the run on record."""
        self.recorder.record(
            kind,
            actor=self.actor.subject,
            project=None,
            operation=self.operation,
            **details,
        )

    def mint_grant(self) -> MaintenanceGrant:
        """Mint a grant; call this after the run's intent is on record."""
        return MaintenanceGrant(operation=self.operation)


class MaintenanceRuns:
    """Begins runs for actors who may maintain the register."""

    def __init__(
        self,
        *,
        access_control: AccessControl,
        recorder: AuditRecorder,
        entropy: Entropy,
    ) -> None:
        self._access_control = access_control
        self._recorder = recorder
        self._entropy = entropy

    def begin(self, actor: Actor, permission: Permission) -> MaintenanceRun:
        """Return a run of an actor who may do this, under an id of its own.

        Raises:
            AccessDenied: No role of the actor gives the permission; the refusal is on
                record.
        """
        self._access_control.require(actor, permission)
        return MaintenanceRun(
            operation=OperationId(self._entropy.draw(16).hex()),
            actor=actor,
            recorder=self._recorder,
        )
