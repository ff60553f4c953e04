"""Who is let in: the access check of every use case, with refusals recorded."""

from pseudo_service.core.access.roles import Actor, Permission, check_may, check_purpose
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import AccessDenied
from pseudo_service.core.projects.project import check_project_id
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal


class AccessControl:
    """Checks permission and purpose before anything else happens."""

    def __init__(self, *, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def require(
        self, actor: Actor, permission: Permission, project: str | None = None
    ) -> None:
        """Raise unless the actor may do this; a refusal is on record first.

        Raises:
            AccessDenied: No role of the actor gives the permission.
        """
        if project is not None:
            check_project_id(project)
        try:
            check_may(actor, permission, project)
        except AccessDenied:
            self.record_refusal(actor, permission, project)
            raise

    def record_refusal(
        self, actor: Actor, permission: Permission, project: str | None
    ) -> None:
        """Put on record that the actor tried what they may not do."""
        self._journal.record(
            AuditEvent(
                kind=AuditKind.CALL_REFUSED,
                at=self._clock.now(),
                actor=actor.subject,
                project=project,
                details={"permission": permission.value},
            )
        )

    def require_for_data(
        self, actor: Actor, permission: Permission, *, project: str, purpose: str
    ) -> None:
        """Raise unless the actor may make this data call for the stated purpose."""
        self.require(actor, permission, project)
        check_purpose(purpose)
