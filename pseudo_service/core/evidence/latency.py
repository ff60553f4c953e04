"""How long linkage requests took from step to step."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pseudo_service.core.evidence.tables import format_duration
from pseudo_service.core.linkage.history import RequestTimeline
from pseudo_service.core.linkage.request import LinkageMode

SLOW_SHARE = 0.9
LATENCY_HEADERS = ("step", "mode", "requests", "median", "9 of 10 within", "longest")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDuration:
    """How long one step took over several requests."""

    step: str
    mode: LinkageMode
    requests: int
    median: timedelta
    ninth_decile: timedelta
    longest: timedelta


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
