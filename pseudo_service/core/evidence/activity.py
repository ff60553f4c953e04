"""Evidence about the daily use of a project: activity, refusals, opt-outs, keys."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType

from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.evidence.tables import EvidenceTable, Period, format_moment
from pseudo_service.core.tables.row_removal import RemovalReason

Events = Sequence[AuditEvent]

_REFUSALS = frozenset(
    {
        AuditKind.CALL_REFUSED,
        AuditKind.LINKAGE_REFUSED,
        AuditKind.ORACLE_SUSPECTED,
        AuditKind.TABLE_FAILED,
    }
)
_CAUSES = ("code", "permission", "sign")
_READINGS = frozenset({AuditKind.AUDIT_READ, AuditKind.SUBJECT_TRACED})
_LIFECYCLE = frozenset(
    {
        AuditKind.PROJECT_CREATED,
        AuditKind.PROJECT_SUSPENDED,
        AuditKind.PROJECT_RESUMED,
        AuditKind.KEY_CREATED,
        AuditKind.KEY_ROTATED,
        AuditKind.POLICY_REGISTERED,
        AuditKind.KEY_MAPPED,
        AuditKind.RECALLED,
        AuditKind.PROJECT_CLOSING,
        AuditKind.PROJECT_CLOSING_AGREED,
        AuditKind.PROJECT_CLOSING_CANCELLED,
        AuditKind.PROJECT_DESTROY_INTENT,
        AuditKind.PROJECT_DESTROYED,
    }
)
_LIFECYCLE_DETAILS = ("policy", "version", "reason", "purpose", "not_before")
_REASONS = MappingProxyType(
    {
        RemovalReason.OPT_OUT: "national data opt-out",
        RemovalReason.UNCHECKABLE: "opt-out could not be checked",
        RemovalReason.EXCLUDED_CODE: "legally restricted code",
        RemovalReason.INVALID_IDENTIFIER: "identifier not accepted",
    }
)


def tabulate_activity(events: Events, period: Period) -> EvidenceTable:
    """Return the number of events by kind and month."""
    within = [event for event in events if period.holds(event.at)]
    counts = Counter((f"{event.at:%Y-%m}", event.kind.value) for event in within)
    return EvidenceTable(
        name="activity",
        title="What was done, month by month",
        evidence_for=(
            "DSPT: use of personal data is logged and can be looked through. Each "
            "number is of events on the audit trail; intents come before answers."
        ),
        headers=("month", "event", "number"),
        rows=[
            (month, kind.replace("_", " "), str(number))
            for (month, kind), number in sorted(counts.items())
        ],
        nothing="Nothing happened in the project in this period.",
        chart="number",
    )


def tabulate_refusals(events: Events, period: Period) -> EvidenceTable:
    """Return refused and failed attempts by caller and cause."""
    found: dict[tuple[str, str, str], list[datetime]] = {}
    for event in events:
        if event.kind in _REFUSALS and period.holds(event.at):
            found.setdefault(_describe_refusal(event), []).append(event.at)
    return EvidenceTable(
        name="refusals",
        title="Attempts that were refused or failed, and signs of trying out",
        evidence_for=(
            "DSPT: access control works, and unusual use is seen. Caldicott Principle "
            "4: people without the right to it got nothing."
        ),
        headers=("what", "cause", "caller", "times", "first", "last"),
        rows=[
            (
                *name,
                str(len(times)),
                format_moment(min(times)),
                format_moment(max(times)),
            )
            for name, times in sorted(found.items())
        ],
        nothing="Nothing was refused, nothing failed, and no trying out was seen.",
    )


def _describe_refusal(event: AuditEvent) -> tuple[str, str, str]:
    causes = (str(event.details[each]) for each in _CAUSES if event.details.get(each))
    return event.kind.value.replace("_", " "), next(causes, ""), event.actor


def tabulate_removed(events: Events, period: Period) -> EvidenceTable:
    """Return the rows that left finished tables, by month and reason."""
    rows: Counter[tuple[str, RemovalReason]] = Counter()
    total: Counter[str] = Counter()
    for event in events:
        if event.kind is AuditKind.TABLE_FINISHED and period.holds(event.at):
            month = f"{event.at:%Y-%m}"
            total[month] += _read_count(event, "rows_in")
            for reason in RemovalReason:
                rows[month, reason] += _read_count(event, f"removed_{reason}")
    return EvidenceTable(
        name="opt_outs",
        title="Opt-outs honoured, and other rows kept back",
        evidence_for=(
            "National data opt-out policy, as the DSPT asks: rows of people who opted "
            "out, and of people who cannot be checked, leave before anything is "
            "computed. Restricted codes (fertility treatment, gender recognition, "
            "sexual health) are kept back by the policy's lists."
        ),
        headers=("month", "why", "rows removed", "of rows"),
        rows=[
            (month, _REASONS[reason], f"{number:,}", f"{total[month]:,}")
            for (month, reason), number in sorted(rows.items())
            if number
        ],
        nothing="No row was removed from a finished table in this period.",
        chart="rows removed",
    )


def _read_count(event: AuditEvent, name: str) -> int:
    found = event.details.get(name)
    return found if isinstance(found, int) else 0


def tabulate_keys(events: Events, period: Period, *, now: datetime) -> EvidenceTable:
    """Return the versions of the pseudonym key that existed, and their ages.

    A period that is not over ends ``now``: no key is older than it is.
    """
    end = min(period.until, now)
    made = [
        event
        for event in sorted(events, key=lambda event: event.at)
        if event.kind in (AuditKind.PROJECT_CREATED, AuditKind.KEY_ROTATED)
        and event.at < end
    ]
    return EvidenceTable(
        name="keys",
        title="Key versions and their ages",
        evidence_for=(
            "DSPT: keys are managed and renewed. Keys themselves never leave the "
            "service unwrapped; check values tell one from another and nothing else."
        ),
        headers=(
            "version",
            "made",
            "by",
            "age in days",
            "why",
            "check value",
        ),
        rows=[_list_key_cells(event, end) for event in made],
        nothing="The project's making is not among the events that were read.",
    )


def _list_key_cells(event: AuditEvent, end: datetime) -> tuple[str, ...]:
    is_first = event.kind is AuditKind.PROJECT_CREATED
    check_value = event.details.get("pseudonym_key" if is_first else "check_value")
    return (
        "1" if is_first else str(event.details.get("version")),
        format_moment(event.at),
        event.actor,
        str((end - event.at).days),
        "the project was made" if is_first else str(event.details.get("reason") or ""),
        str(check_value or ""),
    )


def tabulate_lifecycle(events: Events, period: Period) -> EvidenceTable:
    """Return policies, rotations, recalls, suspensions and the project's end."""
    found = sorted(
        (e for e in events if e.kind in _LIFECYCLE and period.holds(e.at)),
        key=lambda event: event.at,
    )
    return EvidenceTable(
        name="life",
        title="Policies, rotations, recalls and closing",
        evidence_for=(
            "DSPT: changes to processing are deliberate, by named people, and on "
            "record; data is not kept longer than needed (closing and destruction)."
        ),
        headers=("when", "what", "by", "details"),
        rows=[
            (
                format_moment(event.at),
                event.kind.value.replace("_", " "),
                event.actor,
                ", ".join(
                    f"{name.replace('_', ' ')}: {event.details[name]}"
                    for name in _LIFECYCLE_DETAILS
                    if event.details.get(name)
                ),
            )
            for event in found
        ],
        nothing="Nothing of this kind happened in this period.",
    )


def tabulate_readings(events: Events, period: Period) -> EvidenceTable:
    """Return the people who read the project's audit trail or traced a person."""
    counts = Counter(
        (event.kind.value.replace("_", " "), event.actor)
        for event in events
        if event.kind in _READINGS and period.holds(event.at)
    )
    return EvidenceTable(
        name="readings",
        title="Who looked into the audit trail",
        evidence_for=(
            "DSPT: logs are protected, and reading them is itself on record. Caldicott "
            "Principle 8: people can be told who looked for them."
        ),
        headers=("what", "by", "times"),
        rows=[(*name, str(number)) for name, number in sorted(counts.items())],
        nothing="Nobody read it in this period.",
    )
