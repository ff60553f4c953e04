"""The releases that concerned one person, found by keyed code.

The trail names nobody. Every release leaves the keyed codes of the people it found. The
same code is computed from an identifier, and the events that list it are the answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pseudo_service.core.access.roles import Actor, Permission, check_purpose
from pseudo_service.core.audit.events import BETWEEN, AuditEvent, AuditKind
from pseudo_service.core.linkage.history import RequestTimeline, build_timelines
from pseudo_service.core.linkage.request import LinkageRequest, LinkageVerb
from pseudo_service.core.linkage.sealed_events import LinkageEventSealer
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.audit.subject_codes import SubjectCodes
from pseudo_service.engine.audit.trail import read_events
from pseudo_service.ports.audit_log import AuditLog


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRelease:
    """A release that found the person, or that was a search for them."""

    request_id: str
    verb: LinkageVerb
    project: str
    target_project: str
    released_at: datetime
    redeemer: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectReleases:
    """The releases on record that concerned one person.

    ``open_requests`` began a release whose outcome is not on record. Each may have
    concerned any person on its list.
    """

    releases: Sequence[SubjectRelease]
    open_requests: Sequence[str]


class SubjectTrace:
    """Finds the releases of one person; an event records each question."""

    def __init__(
        self,
        *,
        log: AuditLog,
        sealer: LinkageEventSealer,
        codes: SubjectCodes,
        access_control: AccessControl,
        recorder: AuditRecorder,
    ) -> None:
        self._log = log
        self._sealer = sealer
        self._codes = codes
        self._access_control = access_control
        self._recorder = recorder

    def trace(
        self,
        identifier: str,
        *,
        kind: str,
        project: str,
        purpose: str,
        actor: Actor,
    ) -> SubjectReleases:
        """Return the releases that found the person, the earliest first.

        The search covers every number that the person has had.

        Args:
            identifier: As a record writes it; canonicalised here, kept nowhere.
            kind: Its kind, such as ``nhs_number``.
            project: Only requests of, or into, this project. An auditor may leave it
                empty, for all projects.
            purpose: What the answer is for.
            actor: The caller.

        Raises:
            AccessDenied: The caller is no guardian of the project and no auditor.
            PurposeMissing: The purpose is not stated.
            IdentifierRefused: The identifier is not one of its kind.
            GrantRefused: The seal of a linkage event does not verify.
        """
        self._access_control.require(actor, Permission.TRACE_SUBJECT, project or None)
        check_purpose(purpose)
        person = self._codes.read_numbers(identifier, kind)
        code, *others = (
            self._codes.encode(person.kind, number)
            for number in (person.number, *person.others)
        )
        self._recorder.record(
            AuditKind.SUBJECT_TRACED,
            actor=actor.subject,
            project=project or None,
            purpose=purpose,
            kind=kind,
            subject_code=code,
            other_numbers=len(others),
        )
        records = self._sealer.read_each(read_events(self._log))
        events = [record.event for record in records]
        timelines = {
            request_id: timeline
            for request_id, timeline in build_timelines(events).items()
            if not project or project in timeline.request.terms.projects
        }
        return SubjectReleases(
            releases=_list_releases(timelines, _find_requests(events, {code, *others})),
            open_requests=[
                request_id
                for request_id, timeline in timelines.items()
                if timeline.is_open
            ],
        )


def _find_requests(events: Iterable[AuditEvent], codes: set[str]) -> set[str | None]:
    return {event.operation for event in events if _concerns(event, codes)}


def _concerns(event: AuditEvent, codes: set[str]) -> bool:
    """Return whether a release found the person, or a LOCATE request asks for them."""
    if event.kind is AuditKind.LINKAGE_SUBMITTED:
        return event.details.get("subject_code") in codes
    is_list = event.kind is AuditKind.LINKAGE_SUBJECTS
    return is_list and not codes.isdisjoint(str(event.details["codes"]).split(BETWEEN))


def _list_releases(
    timelines: Mapping[str, RequestTimeline], found: set[str | None]
) -> list[SubjectRelease]:
    released = [
        _describe_release(timeline.request, timeline.released_at)
        for request_id, timeline in timelines.items()
        if request_id in found and timeline.released_at is not None
    ]
    return sorted(released, key=lambda one: one.released_at)


def _describe_release(request: LinkageRequest, released_at: datetime) -> SubjectRelease:
    terms = request.terms
    return SubjectRelease(
        request_id=request.request_id,
        verb=terms.verb,
        project=terms.project,
        target_project=terms.target_project,
        released_at=released_at,
        redeemer=terms.redeemer,
        purpose=terms.purpose,
    )
