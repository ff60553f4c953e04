"""Tables of the daily use of a project, each from a few events."""

from datetime import UTC, datetime, timedelta

import pytest

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.evidence.activity import (
    tabulate_activity,
    tabulate_keys,
    tabulate_lifecycle,
    tabulate_readings,
    tabulate_refusals,
    tabulate_removed,
)
from tests.lib.values.evidence import DAY, PERIOD, make_event

FEBRUARY = datetime(2026, 2, 10, 8, 0, tzinfo=UTC)
BEFORE, AFTER = PERIOD.since - DAY, PERIOD.until


def test_activity_is_counted_by_month_and_kind() -> None:
    events = [
        make_event(AuditKind.VALUES_INTENT, FEBRUARY),
        make_event(AuditKind.VALUES_INTENT, FEBRUARY + DAY),
        make_event(AuditKind.VALUES_INTENT, FEBRUARY + 30 * DAY),
        make_event(AuditKind.TABLE_OPENED, FEBRUARY),
        make_event(AuditKind.TABLE_OPENED, BEFORE),
        make_event(AuditKind.TABLE_OPENED, AFTER),
    ]
    assert tabulate_activity(events, PERIOD).rows == [
        ("2026-02", "table opened", "1"),
        ("2026-02", "values intent", "2"),
        ("2026-03", "values intent", "1"),
    ]


def test_refusals_of_one_cause_are_one_row_with_first_and_last() -> None:
    events = [
        make_event(AuditKind.CALL_REFUSED, FEBRUARY + 2 * DAY, permission="deidentify"),
        make_event(AuditKind.CALL_REFUSED, FEBRUARY, permission="deidentify"),
        make_event(AuditKind.CALL_REFUSED, FEBRUARY, permission="read_audit"),
        make_event(AuditKind.TABLE_FAILED, FEBRUARY),
        make_event(AuditKind.VALUES_INTENT, FEBRUARY),
    ]
    first, last = "2026-02-10 08:00", "2026-02-12 08:00"
    assert tabulate_refusals(events, PERIOD).rows == [
        ("call refused", "deidentify", "loader-1", "2", first, last),
        ("call refused", "read_audit", "loader-1", "1", first, first),
        ("table failed", "", "loader-1", "1", first, first),
    ]


def test_removed_rows_are_added_up_by_reason_and_zeros_left_out() -> None:
    events = [
        make_event(
            AuditKind.TABLE_FINISHED, FEBRUARY, rows_in=1_000, removed_opt_out=7
        ),
        make_event(
            AuditKind.TABLE_FINISHED,
            FEBRUARY + DAY,
            rows_in=500,
            removed_opt_out=3,
            removed_invalid_identifier=2,
        ),
        make_event(AuditKind.TABLE_FAILED, FEBRUARY, rows_in=9, removed_opt_out=9),
    ]
    assert sorted(tabulate_removed(events, PERIOD).rows) == [
        ("2026-02", "identifier not accepted", "2", "1,500"),
        ("2026-02", "national data opt-out", "10", "1,500"),
    ]


@pytest.mark.parametrize(
    ("now", "ages"),
    [
        (PERIOD.until + 9 * DAY, ["100", "50"]),  # the period's end counts
        (PERIOD.until - 10 * DAY, ["90", "40"]),  # it is not over yet
        (PERIOD.until - 60 * DAY, ["40"]),  # before the rotation
    ],
)
def test_a_key_is_as_old_as_at_the_end_or_now(now: datetime, ages: list[str]) -> None:
    made = PERIOD.until - 100 * DAY
    events = [
        make_event(AuditKind.KEY_ROTATED, made + 50 * DAY, version=2, check_value="b"),
        make_event(AuditKind.PROJECT_CREATED, made, pseudonym_key="a"),
    ]
    rows = tabulate_keys(events, PERIOD, now=now).rows
    assert [row[3] for row in rows] == ages
    assert rows[0][0] == "1"
    assert rows[0][-1] == "a"


def test_changes_come_in_order_with_their_details() -> None:
    events = [
        make_event(AuditKind.PROJECT_SUSPENDED, FEBRUARY + DAY, reason="incident"),
        make_event(AuditKind.POLICY_REGISTERED, FEBRUARY, policy="p1", version=3),
        make_event(AuditKind.TABLE_OPENED, FEBRUARY),
        make_event(AuditKind.PROJECT_RESUMED, AFTER),
    ]
    assert [row[1:] for row in tabulate_lifecycle(events, PERIOD).rows] == [
        ("policy registered", "loader-1", "policy: p1, version: 3"),
        ("project suspended", "loader-1", "reason: incident"),
    ]


def test_readers_of_the_trail_are_counted() -> None:
    events = [
        make_event(AuditKind.AUDIT_READ, FEBRUARY, actor="guardian-1"),
        make_event(
            AuditKind.AUDIT_READ, FEBRUARY + timedelta(hours=1), actor="guardian-1"
        ),
        make_event(AuditKind.SUBJECT_TRACED, FEBRUARY, actor="auditor-1"),
        make_event(AuditKind.TABLE_OPENED, FEBRUARY, actor="loader-1"),
    ]
    assert tabulate_readings(events, PERIOD).rows == [
        ("audit read", "guardian-1", "2"),
        ("subject traced", "auditor-1", "1"),
    ]
