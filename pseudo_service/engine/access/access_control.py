"""The access check of every use case; each refusal is recorded."""

from pseudo_service.core.access.roles import Actor, Permission, check_may, check_purpose
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import AccessDenied
from pseudo_service.core.projects.project import check_project_id
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal


class AccessControl:
    """Checks permission and purpose; a use case calls it first."""

    def __init__(self, *, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def require(
        self, actor: Actor, permission: Permission, project: str | None = None
    ) -> None:
        """Raise unless the actor has the permission; a refusal is recorded first.

        Raises:
            InvalidArgument: The text cannot be a project's id.
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
        """Record that the actor lacks a permission and used it."""
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
        """Raise unless the actor may make this data call for the stated purpose.

        Raises:
            InvalidArgument: The text cannot be a project's id.
            AccessDenied: No role of the actor gives the permission.
            PurposeMissing: The purpose is not usable.
        """
        self.require(actor, permission, project)
        check_purpose(purpose)
