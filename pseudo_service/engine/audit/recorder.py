"""Builds audit events at the clock's time and writes them to the journal."""

from pseudo_service.core.audit.events import AuditEvent, AuditKind, Detail
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal


class AuditRecorder:
    """Describes and records what happens; ``kind`` may be a detail's name as well."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def describe(
        self,
        kind: AuditKind,
        /,
        *,
        actor: str,
        project: str | None = None,
        operation: str | None = None,
        **details: Detail,
    ) -> AuditEvent:
        """Return an event of now, for a change that commits it with its own rows.

        Args:
            kind: What happens.
            actor: The subject of who does it.
            project: The project that it concerns; None for none.
            operation: The run or request that it belongs to; None for none.
            **details: Counts, codes and ids; no identifiers.
        """
        return AuditEvent(
            kind=kind,
            at=self._clock.now(),
            actor=actor,
            project=project,
            operation=operation,
            details=details,
        )

    def record(
        self,
        kind: AuditKind,
        /,
        *,
        actor: str,
        project: str | None = None,
        operation: str | None = None,
        **details: Detail,
    ) -> AuditEvent:
        """Write an event of now and return it when it is durable.

        The arguments are those of ``describe``.

        Raises:
            StoreUnavailable, StoreFull: It is not known to be durable.
        """
        event = self.describe(
            kind, actor=actor, project=project, operation=operation, **details
        )
        self._journal.record(event)
        return event
