"""What began and has no end on record, and how long requests took, from events."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.linkage.history import RequestTimeline
from pseudo_service.core.linkage.request import LinkageMode, LinkageState

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

SLOW_SHARE = 0.9
LATENCY_HEADERS = ("step", "mode", "requests", "median", "9 of 10 within", "longest")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDuration:
    """How long one step took over several requests."""

    step: str
    mode: LinkageMode
    requests: int
    median: timedelta
    ninth_decile: timedelta
    longest: timedelta


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


def measure_latency(timelines: Iterable[RequestTimeline]) -> list[StepDuration]:
    """Return how long requests took from step to step, by mode.

    The steps: submission to the first review, first review to the decision, approval
    to the release, and submission to the release.
    """
    listed = list(timelines)
    return [
        _summarise(step, mode, durations)
        for mode in LinkageMode
        for step, durations in _collect_durations(listed, mode).items()
        if durations
    ]


def _collect_durations(
    timelines: Sequence[RequestTimeline], mode: LinkageMode
) -> dict[str, list[timedelta]]:
    steps: dict[str, list[timedelta]] = {
        "submission to first review": [],
        "first review to decision": [],
        "approval to release": [],
        "submission to release": [],
    }
    for timeline in timelines:
        if timeline.request.terms.mode is not mode:
            continue
        first = timeline.votes[0].at if timeline.votes else None
        approved = timeline.decided_at if timeline.was_approved else None
        spans = (
            (timeline.request.submitted_at, first),
            (first, timeline.decided_at),
            (approved, timeline.released_at),
            (timeline.request.submitted_at, timeline.released_at),
        )
        for durations, (begin, end) in zip(steps.values(), spans, strict=True):
            if begin is not None and end is not None:
                durations.append(end - begin)
    return steps


def _summarise(
    step: str, mode: LinkageMode, durations: Sequence[timedelta]
) -> StepDuration:
    ordered = sorted(durations)
    return StepDuration(
        step=step,
        mode=mode,
        requests=len(ordered),
        median=_read_quantile(ordered, 0.5),
        ninth_decile=_read_quantile(ordered, SLOW_SHARE),
        longest=ordered[-1],
    )


def _read_quantile(ordered: Sequence[timedelta], share: float) -> timedelta:
    """Return the quantile by nearest rank, which is always one of the durations."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def format_step(each: StepDuration) -> tuple[str, ...]:
    """Return one row below ``LATENCY_HEADERS``."""
    return (
        each.step,
        each.mode.value,
        str(each.requests),
        format_duration(each.median),
        format_duration(each.ninth_decile),
        format_duration(each.longest),
    )


def list_released(timelines: Iterable[RequestTimeline]) -> list[RequestTimeline]:
    """Return the requests whose release began, the earliest first."""
    begun = [
        (timeline.intent_at, timeline) for timeline in timelines if timeline.intent_at
    ]
    return [timeline for _, timeline in sorted(begun, key=lambda pair: pair[0])]


def format_duration(duration: timedelta) -> str:
    """Return a duration in its largest units: ``3 d 4 h``, ``2 h 5 min``, ``40 s``."""
    seconds = int(duration.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
