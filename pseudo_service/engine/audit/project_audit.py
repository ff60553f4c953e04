"""One project's part of the audit trail, for its guardians and for auditors."""

from collections.abc import Iterator
from datetime import datetime

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditEvent, AuditKind, RecordedEvent
from pseudo_service.core.audit.reading import find_linkage, find_of_project
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.linkage.approval import UNDECIDED
from pseudo_service.core.linkage.history import build_timelines
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.ports.audit_log import AuditLog
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal


class ProjectAudit:
    """Hands out a project's events; each reading is itself one of them."""

    def __init__(
        self,
        *,
        log: AuditLog,
        journal: Journal,
        clock: Clock,
        access_control: AccessControl,
    ) -> None:
        self._log = log
        self._journal = journal
        self._clock = clock
        self._access_control = access_control

    def read(
        self,
        project: str,
        *,
        since: datetime | None,
        until: datetime | None,
        actor: Actor,
    ) -> Iterator[RecordedEvent]:
        """Return the project's events, chain by chain, each chain in order.

        Translations into the project count as its own. Votes on a request that is not
        decided yet are left out: a reader may be its next reviewer, who must not know
        them. What is handed out can therefore not be verified as a chain; that takes
        the whole trail (``AuditTrail.export``).

        Args:
            project: The project's id.
            since: The first moment; None for the beginning.
            until: The moment before which events lie; None for now.
            actor: Who reads.

        Raises:
            AccessDenied: The actor is no guardian of the project and no auditor.
            InvalidArgument: The span ends before it begins.
            AuditBroken: An event cannot be read.
        """
        self._access_control.require(actor, Permission.READ_PROJECT_AUDIT, project)
        if since is not None and until is not None and until <= since:
            msg = "until: give a moment after since"
            raise InvalidArgument(msg)
        self._journal.record(
            AuditEvent(
                kind=AuditKind.AUDIT_READ,
                at=self._clock.now(),
                actor=actor.subject,
                project=project,
                details={
                    "since": since.isoformat() if since else None,
                    "until": until.isoformat() if until else None,
                },
            )
        )
        return self._read(project, since, until)

    def _read(
        self, project: str, since: datetime | None, until: datetime | None
    ) -> Iterator[RecordedEvent]:
        now = self._clock.now()
        stories = {
            request_id: story
            for request_id, story in build_timelines(
                find_linkage(self._trail())
            ).items()
            if project in story.request.projects
        }
        # Whatever comes between this look and the next one is not decided yet.
        decided = {
            request_id
            for request_id, story in stories.items()
            if story.state(now) not in UNDECIDED
        }
        for recorded, event in find_of_project(self._trail(), project, stories):
            is_hidden = (
                event.kind is AuditKind.LINKAGE_REVIEWED
                and event.operation not in decided
            )
            is_early = since is not None and event.at < since
            is_late = until is not None and event.at >= until
            if not (is_hidden or is_early or is_late):
                yield recorded

    def _trail(self) -> Iterator[RecordedEvent]:
        for chain in self._log.chains():
            yield from self._log.read(chain)
