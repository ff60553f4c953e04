"""The events of one project, for its guardians and for auditors."""

from collections.abc import Iterator
from datetime import datetime

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditKind, RecordedEvent
from pseudo_service.core.audit.reading import find_linkage, find_of_project
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.linkage.approval import UNDECIDED
from pseudo_service.core.linkage.history import build_timelines
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.audit.trail import read_events
from pseudo_service.ports.audit_log import AuditLog
from pseudo_service.ports.clock import Clock


class ProjectAudit:
    """Returns a project's events; each reading adds an event."""

    def __init__(
        self,
        *,
        log: AuditLog,
        recorder: AuditRecorder,
        clock: Clock,
        access_control: AccessControl,
    ) -> None:
        self._log = log
        self._recorder = recorder
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

        Translations into the project count as its own. Votes on an undecided request
        are left out, because the reader may be its next reviewer and must not know
        them. The result can therefore not be verified as a chain; that takes the whole
        trail (``AuditTrail.export``).

        Args:
            project: The project's id.
            since: The first moment; None for the beginning.
            until: The moment after the last one; None for now.
            actor: The caller.

        Raises:
            AccessDenied: The actor is no guardian of the project and no auditor.
            InvalidArgument: The span ends before it begins.
            AuditBroken: An event cannot be read.
        """
        self._access_control.require(actor, Permission.READ_PROJECT_AUDIT, project)
        if since is not None and until is not None and until <= since:
            msg = "until: give a moment after since"
            raise InvalidArgument(msg)
        self._recorder.record(
            AuditKind.AUDIT_READ,
            actor=actor.subject,
            project=project,
            since=since.isoformat() if since else None,
            until=until.isoformat() if until else None,
        )
        return self._read(project, since, until)

    def _read(
        self, project: str, since: datetime | None, until: datetime | None
    ) -> Iterator[RecordedEvent]:
        now = self._clock.now()
        timelines = {
            request_id: timeline
            for request_id, timeline in build_timelines(
                find_linkage(read_events(self._log))
            ).items()
            if project in timeline.request.terms.projects
        }
        # A request that is submitted after this first reading is not decided yet.
        decided = {
            request_id
            for request_id, timeline in timelines.items()
            if timeline.state(now) not in UNDECIDED
        }
        events = find_of_project(read_events(self._log), project, timelines)
        for recorded, event in events:
            is_hidden = (
                event.kind is AuditKind.LINKAGE_REVIEWED
                and event.operation not in decided
            )
            is_early = since is not None and event.at < since
            is_late = until is not None and event.at >= until
            if not (is_hidden or is_early or is_late):
                yield recorded
