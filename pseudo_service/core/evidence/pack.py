"""The evidence pack of a project: tables made from its events alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.evidence.activity import (
    tabulate_activity,
    tabulate_keys,
    tabulate_lifecycle,
    tabulate_readings,
    tabulate_refusals,
    tabulate_removed,
)
from pseudo_service.core.evidence.linkage import (
    Timelines,
    tabulate_break_glass,
    tabulate_decisions,
    tabulate_latency,
    tabulate_releases,
)
from pseudo_service.core.evidence.open_intents import find_open_matters
from pseudo_service.core.evidence.tables import (
    EvidenceTable,
    Period,
    format_duration,
    format_moment,
)
from pseudo_service.core.linkage.history import build_timelines


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All tables about one project in a period, as of ``made_at``."""

    project: str
    period: Period
    made_at: datetime
    events: int
    tables: Sequence[EvidenceTable]


def build_evidence(
    events: Sequence[AuditEvent], *, project: str, period: Period, made_at: datetime
) -> Evidence:
    """Return the pack.

    Args:
        events: The project's, from its beginning on: something that ended in the
            period may have begun before it.
        project: The project's id.
        period: The period of the tables.
        made_at: When the events were read; states are as of this moment.
    """
    timelines = build_timelines(events)
    return Evidence(
        project=project,
        period=period,
        made_at=made_at,
        events=sum(period.holds(event.at) for event in events),
        tables=(
            tabulate_releases(timelines, period),
            tabulate_break_glass(timelines, period, now=made_at),
            tabulate_decisions(timelines, period, now=made_at),
            tabulate_latency(timelines, period),
            _tabulate_open(events, timelines, made_at),
            tabulate_refusals(events, period),
            tabulate_removed(events, period),
            tabulate_keys(events, period, now=made_at),
            tabulate_lifecycle(events, period),
            tabulate_readings(events, period),
            tabulate_activity(events, period),
        ),
    )


def _tabulate_open(
    events: Sequence[AuditEvent], timelines: Timelines, now: datetime
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
                format_moment(matter.since),
                matter.what.replace("_", " "),
                format_duration(now - matter.since),
                matter.actor,
                matter.operation,
            )
            for matter in find_open_matters(events, timelines, now=now)
        ],
        nothing="Everything that was begun was ended.",
    )
