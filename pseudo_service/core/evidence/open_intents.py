"""What began and has no end on record, from events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.linkage.history import RequestTimeline
from pseudo_service.core.linkage.request import LinkageState

RESULT_OF: Mapping[AuditKind, AuditKind] = MappingProxyType(
    {
        AuditKind.LINKAGE_RELEASE_INTENT: AuditKind.LINKAGE_RELEASED,
        AuditKind.PROJECT_DESTROY_INTENT: AuditKind.PROJECT_DESTROYED,
        AuditKind.REGISTER_VERIFY_INTENT: AuditKind.REGISTER_VERIFIED,
        AuditKind.REGISTER_COMPACT_INTENT: AuditKind.REGISTER_COMPACTED,
        AuditKind.IDENTITIES_ERASE_INTENT: AuditKind.IDENTITIES_ERASED,
        AuditKind.RECALL_INTENT: AuditKind.RECALLED,
        AuditKind.KEY_MAP_INTENT: AuditKind.KEY_MAPPED,
    }
)
"""The result that follows each intent; for calls with data the answer is the result."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class OpenMatter:
    """Something that began and has no end on record.

    ``what`` is the kind of an intent, or the state of a request.
    """

    since: datetime
    what: str
    actor: str
    project: str
    operation: str


def find_open_matters(
    events: Iterable[AuditEvent],
    timelines: Mapping[str, RequestTimeline],
    *,
    now: datetime,
) -> list[OpenMatter]:
    """Return intents without a result, and break-glass releases without a review.

    The work of an intent may be going on at this moment: consider its age.
    """
    ordered = sorted(events, key=lambda event: event.at)
    ended = {_key(event, event.kind) for event in ordered}
    begun = {
        _key(event, event.kind): event for event in ordered if event.kind in RESULT_OF
    }
    matters = [
        _describe(event)
        for event in begun.values()
        if _key(event, RESULT_OF[event.kind]) not in ended
    ]
    waiting = [
        OpenMatter(
            since=timeline.intent_at,
            what=LinkageState.AWAITING_SECOND_REVIEW.value,
            actor=timeline.request.terms.redeemer,
            project=timeline.request.terms.project,
            operation=request_id,
        )
        for request_id, timeline in timelines.items()
        if timeline.intent_at is not None
        and timeline.state(now) is LinkageState.AWAITING_SECOND_REVIEW
    ]
    return sorted(matters + waiting)


def _key(event: AuditEvent, kind: AuditKind) -> tuple[AuditKind, str, str]:
    return kind, event.project or "", event.operation or ""


def _describe(event: AuditEvent) -> OpenMatter:
    return OpenMatter(
        since=event.at,
        what=event.kind.value,
        actor=event.actor,
        project=event.project or "",
        operation=event.operation or "",
    )
