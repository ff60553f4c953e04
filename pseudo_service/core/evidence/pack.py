"""The evidence pack of a project: tables made from its events, and from nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.evidence.activity import (
    tabulate_activity,
    tabulate_keys,
    tabulate_life,
    tabulate_readings,
    tabulate_refusals,
    tabulate_removed,
)
from pseudo_service.core.evidence.linkage import (
    Stories,
    tabulate_break_glass,
    tabulate_decisions,
    tabulate_latency,
    tabulate_releases,
)
from pseudo_service.core.evidence.open_intents import find_open_matters, write_duration
from pseudo_service.core.evidence.tables import EvidenceTable, Period, write_moment
from pseudo_service.core.linkage.history import build_timelines

__all__ = ["Evidence", "EvidenceTable", "Period", "gather_evidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All tables about one project in a period, as of ``made_at``."""

    project: str
    period: Period
    made_at: datetime
    events: int
    tables: Sequence[EvidenceTable]


def gather_evidence(
    events: Sequence[AuditEvent], *, project: str, period: Period, made_at: datetime
) -> Evidence:
    """Return the pack.

    Args:
        events: The project's, from its beginning on: what began before the period is
            needed to judge what ended in it.
        project: The project's id.
        period: What the tables are about.
        made_at: Until when the events were read; states are as of this moment.
    """
    stories = build_timelines(events)
    return Evidence(
        project=project,
        period=period,
        made_at=made_at,
        events=sum(period.holds(event.at) for event in events),
        tables=(
            tabulate_releases(stories, period),
            tabulate_break_glass(stories, period, now=made_at),
            tabulate_decisions(stories, period, now=made_at),
            tabulate_latency(stories, period),
            _tabulate_open(events, stories, made_at),
            tabulate_refusals(events, period),
            tabulate_removed(events, period),
            tabulate_keys(events, period, now=made_at),
            tabulate_life(events, period),
            tabulate_readings(events, period),
            tabulate_activity(events, period),
        ),
    )


def _tabulate_open(
    events: Sequence[AuditEvent], stories: Stories, now: datetime
) -> EvidenceTable:
    return EvidenceTable(
        name="open",
        title="What was begun and has no end on record",
        evidence_for=(
            "DSPT: incidents are found. A release without its result may have been "
            "opened; an emergency release without its second review is not closed."
        ),
        headers=("since", "what", "for", "by", "operation"),
        rows=[
            (
                write_moment(matter.since),
                matter.what.replace("_", " "),
                write_duration(now - matter.since),
                matter.actor,
                matter.operation,
            )
            for matter in find_open_matters(events, stories, now=now)
        ],
        nothing="Everything that was begun was ended.",
    )
