"""Questions that are asked of the audit trail again and again, answered from events."""

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
"""What follows an intent when all goes well; data calls have their answer instead."""

SLOW_SHARE = 0.9
LATENCY_HEADERS = ("step", "mode", "requests", "median", "9 of 10 within", "longest")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class OpenMatter:
    """Something that was begun and not ended; ``what`` is an intent's kind or a state."""

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
    stories: Mapping[str, RequestTimeline],
    *,
    now: datetime,
) -> list[OpenMatter]:
    """Return intents without their result, and break-glass uses without their review.

    An intent may be at work at this moment: look at its age.
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
            since=story.intent_at,
            what=LinkageState.AWAITING_SECOND_REVIEW.value,
            actor=story.request.redeemer,
            project=story.request.project,
            operation=request_id,
        )
        for request_id, story in stories.items()
        if story.intent_at is not None
        and story.state(now) is LinkageState.AWAITING_SECOND_REVIEW
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


def measure_latency(stories: Iterable[RequestTimeline]) -> list[StepDuration]:
    """Return how long requests took from step to step, by mode.

    The steps: submission to the first review, first review to the decision, approval
    to the release, and submission to the release.
    """
    told = list(stories)
    return [
        _summarise(step, mode, durations)
        for mode in LinkageMode
        for step, durations in _take_steps(told, mode).items()
        if durations
    ]


def _take_steps(
    stories: Sequence[RequestTimeline], mode: LinkageMode
) -> dict[str, list[timedelta]]:
    steps: dict[str, list[timedelta]] = {
        "submission to first review": [],
        "first review to decision": [],
        "approval to release": [],
        "submission to release": [],
    }
    for story in stories:
        if story.request.mode is not mode:
            continue
        first = story.votes[0].at if story.votes else None
        approved = story.decided_at if story.was_approved else None
        spans = (
            (story.request.submitted_at, first),
            (first, story.decided_at),
            (approved, story.released_at),
            (story.request.submitted_at, story.released_at),
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
        median=_pick(ordered, 0.5),
        ninth_decile=_pick(ordered, SLOW_SHARE),
        longest=ordered[-1],
    )


def _pick(ordered: Sequence[timedelta], share: float) -> timedelta:
    """Return the quantile by nearest rank: of few requests one of them, not a mean."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def write_step(each: StepDuration) -> tuple[str, ...]:
    """Return one row below ``LATENCY_HEADERS``."""
    return (
        each.step,
        each.mode.value,
        str(each.requests),
        write_duration(each.median),
        write_duration(each.ninth_decile),
        write_duration(each.longest),
    )


def list_released(stories: Iterable[RequestTimeline]) -> list[RequestTimeline]:
    """Return the requests whose release was begun, the earliest first."""
    begun = [(story.intent_at, story) for story in stories if story.intent_at]
    return [story for _, story in sorted(begun, key=lambda pair: pair[0])]


def write_duration(duration: timedelta) -> str:
    """Write a duration as a person says it: ``3 d 4 h``, ``2 h 5 min``, ``40 s``."""
    seconds = int(duration.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
