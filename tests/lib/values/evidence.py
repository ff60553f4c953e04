"""An invented quarter of a project, for tests of the evidence pack."""

from datetime import UTC, datetime, timedelta

from pseudo_service.core.audit.events import AuditEvent, AuditKind, Detail
from pseudo_service.core.evidence.pack import Evidence, build_evidence
from pseudo_service.core.evidence.tables import Period
from pseudo_service.core.linkage.request import Decision, LinkageMode, LinkageVerb
from tests.lib.values.request_events import START, RequestEvents

PERIOD = Period(
    since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 4, 1, tzinfo=UTC)
)
MADE_AT = datetime(2026, 4, 2, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def make_event(
    kind: AuditKind, at: datetime, *, actor: str = "loader-1", **details: Detail
) -> AuditEvent:
    return AuditEvent(kind=kind, at=at, actor=actor, project="asthma", details=details)


def make_events() -> list[AuditEvent]:
    """Return a quarter with everything in it that a pack tells of."""
    emergency = RequestEvents(
        request_id="emergency-1",
        mode=LinkageMode.BREAK_GLASS,
        subjects=("one",),
        start=START + 3 * DAY,
    )
    emergency.vote("guardian-1", guardian_of=("asthma",)).begin_release()
    emergency.finish_release("c0de")
    rejected = RequestEvents(request_id="rejected-1", start=START + 5 * DAY)
    rejected.vote("officer-2").vote("guardian-1", decision=Decision.REJECT)
    translated = RequestEvents(
        request_id="translated-1",
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        start=START + 8 * DAY,
    )
    translated.approve().begin_release()
    early = RequestEvents(request_id="early-1", start=START - 90 * DAY).release("c0de")
    requests = (
        RequestEvents(request_id="recall-1").release("a1", "b2").fetch().refuse(),
        emergency,
        rejected,
        translated,
        early,
    )
    made = datetime(2025, 3, 1, tzinfo=UTC)
    return [
        make_event(
            AuditKind.PROJECT_CREATED, made, actor="custodian-1", pseudonym_key="ab12"
        ),
        make_event(
            AuditKind.KEY_ROTATED,
            START - DAY,
            actor="custodian-1",
            version=2,
            check_value="cd34",
            reason="yearly rotation",
        ),
        make_event(
            AuditKind.TABLE_FINISHED,
            START,
            rows_in=20_000,
            rows_out=19_380,
            removed_opt_out=540,
            removed_uncheckable=80,
        ),
        make_event(
            AuditKind.TABLE_FINISHED,
            START - 40 * DAY,
            rows_in=10_000,
            rows_out=9_700,
            removed_opt_out=300,
        ),
        make_event(AuditKind.TABLE_FAILED, START, code="STORE_UNAVAILABLE"),
        make_event(
            AuditKind.CALL_REFUSED, START, actor="stranger", permission="deidentify"
        ),
        make_event(
            AuditKind.ORACLE_SUSPECTED,
            START,
            sign="sequential",
            blocked=False,
            looked_at=40,
            in_runs=40,
        ),
        make_event(AuditKind.AUDIT_READ, START, actor="guardian-1"),
        *(event for request in requests for event in request.events),
    ]


def make_evidence(events: list[AuditEvent] | None = None) -> Evidence:
    return build_evidence(
        make_events() if events is None else events,
        project="asthma",
        period=PERIOD,
        made_at=MADE_AT,
    )
