"""Operations whose people are not on record, told from the audit trail alone."""

from datetime import timedelta

import pytest

from pseudo_service.core.audit.events import (
    AuditEvent,
    AuditKind,
    Detail,
    RecordedEvent,
    link,
    start_chain,
)
from pseudo_service.core.disclosures.unrecorded import (
    Unaccounted,
    UnaccountedCalls,
    UnaccountedOperation,
    find_unaccounted,
)
from tests.lib.stores.stored_values import NOON

OPENED, INTENT = AuditKind.TABLE_OPENED, AuditKind.BATCH_INTENT
FINISHED, FAILED = AuditKind.TABLE_FINISHED, AuditKind.TABLE_FAILED
CALL, TEXTS = AuditKind.VALUES_INTENT, AuditKind.TEXTS_INTENT
RECORDED = {"membership": "recorded"}
BEFORE = {"membership": "recorded_before"}
MISSING = {"membership": "missing"}


def happen(
    kind: AuditKind,
    details: dict[str, Detail] | None = None,
    *,
    operation: str | None = "run-1",
    part: int = 0,
    project: str = "asthma",
) -> AuditEvent:
    return AuditEvent(
        kind=kind,
        at=NOON,
        actor="loader",
        project=project,
        operation=operation,
        details={"part": part, **(details or {})},
    )


def chain(*events: AuditEvent, name: str = "process-1") -> list[RecordedEvent]:
    """Return events as a chain, a second apart."""
    head, recorded = start_chain(name), []
    for number, event in enumerate(events):
        at = NOON + timedelta(seconds=number)
        moved = AuditEvent(
            kind=event.kind,
            at=at,
            actor=event.actor,
            project=event.project,
            operation=event.operation,
            details=event.details,
        )
        recorded.append(link(head, moved))
        head = type(head)(
            chain=name,
            sequence=recorded[-1].sequence,
            digest=recorded[-1].digest,
        )
    return recorded


def find(*events: AuditEvent, project: str | None = "asthma") -> list[Unaccounted]:
    return find_unaccounted([chain(*events)], project=project)


ACCOUNTED = {
    "nothing happened": [],
    "opened and no batch": [happen(OPENED)],
    "finished": [happen(OPENED), happen(INTENT), happen(FINISHED, RECORDED)],
    "failed": [happen(OPENED), happen(INTENT), happen(FAILED, RECORDED)],
    "failed before any batch": [happen(OPENED), happen(FAILED, MISSING)],
    "left after its end": [
        happen(OPENED),
        happen(INTENT),
        happen(FINISHED, RECORDED),
        happen(FAILED, BEFORE),
    ],
    "sent again after it failed": [
        happen(OPENED),
        happen(INTENT),
        happen(FAILED, RECORDED),
        happen(OPENED),
        happen(INTENT),
        happen(FINISHED, RECORDED),
    ],
    "another project's": [
        happen(OPENED, project="stroke"),
        happen(INTENT, project="stroke"),
    ],
    "single calls": [
        happen(CALL, RECORDED | {"identities": 2}, operation=None),
        happen(TEXTS, RECORDED, operation=None),
        happen(CALL, {"identities": 0}, operation=None),
    ],
}


@pytest.mark.parametrize("case", ACCOUNTED)
def test_what_is_on_record_is_not_named(case: str) -> None:
    assert find(*ACCOUNTED[case]) == []


UNACCOUNTED = {
    "it runs, or was killed": [happen(OPENED), happen(INTENT)],
    "it could not be recorded": [
        happen(OPENED),
        happen(INTENT),
        happen(FAILED, MISSING),
    ],
    "it ended before disclosures were recorded": [
        happen(OPENED),
        happen(INTENT),
        happen(FINISHED),
    ],
    "another part of it ended": [
        happen(OPENED),
        happen(OPENED, part=1),
        happen(INTENT),
        happen(FINISHED, RECORDED, part=1),
    ],
    "one of two at once ended": [
        happen(OPENED),
        happen(INTENT),
        happen(OPENED),
        happen(FINISHED, RECORDED),
    ],
}


@pytest.mark.parametrize("case", UNACCOUNTED)
def test_what_is_not_on_record_is_named(case: str) -> None:
    (found,) = find(*UNACCOUNTED[case])
    assert isinstance(found, UnaccountedOperation)
    assert (found.project, found.operation, found.part) == ("asthma", "run-1", 0)
    assert found.opened_at >= NOON


KILLED = (
    happen(OPENED, {"opt_out_list": "a", "key_version": 1}),
    happen(INTENT, {"input": "d1"}),
    happen(INTENT, {"input": "d2"}),
)
SENT_AGAIN = {
    "whole": ("a", 1, ["d1", "d2"], 0),
    "whole, and more": ("a", 1, ["d1", "d2", "d3"], 0),
    "in part": ("a", 1, ["d1"], 1),
    "other rows under its number": ("a", 1, ["e1", "e2", "e3"], 1),
    "without digests": ("a", 1, ["", "", ""], 1),
    "under another opt-out list": ("b", 1, ["d1", "d2"], 1),
    "under another key": ("a", 2, ["d1", "d2"], 1),
}


@pytest.mark.parametrize("case", SENT_AGAIN)
def test_a_part_that_is_sent_again_accounts_for_the_one_that_was_killed(
    case: str,
) -> None:
    """The same batches under equal pins released the same people; others need not."""
    opt_out_list, version, inputs, left = SENT_AGAIN[case]
    again = chain(
        happen(OPENED, {"opt_out_list": opt_out_list, "key_version": version}),
        *(happen(INTENT, {"input": digest}) for digest in inputs),
        happen(FINISHED, {"rows_in": 1000, **RECORDED}),
        name="process-2",
    )
    for chains in ([chain(*KILLED), again], [again, chain(*KILLED)]):
        assert len(find_unaccounted(chains, project="asthma")) == left


def test_of_streams_at_once_none_accounts_for_another() -> None:
    opened, first, second = (
        happen(OPENED),
        happen(INTENT, {"input": "d1"}),
        happen(INTENT, {"input": "e1"}),
    )
    failed, finished = happen(FAILED, MISSING), happen(FINISHED, RECORDED)
    found = find(opened, first, opened, second, failed, finished)
    assert len(found) == 1


def test_a_process_that_finishes_a_part_does_not_account_for_one_that_was_killed() -> (
    None
):
    killed = chain(happen(OPENED), happen(INTENT), name="process-1")
    again = chain(
        happen(OPENED), happen(INTENT), happen(FINISHED, RECORDED), name="process-2"
    )
    (found,) = find_unaccounted([killed, again], project="asthma")
    assert found.describe() == "run-1 part 0, opened 2026-03-02 12:00:00 UTC"


def test_calls_from_before_are_named_together() -> None:
    old = happen(CALL, {"identities": 1}, operation=None)
    (found,) = find(old, old, happen(TEXTS, operation=None))
    assert isinstance(found, UnaccountedCalls)
    assert found.describe() == (
        "3 single calls from 2026-03-02 12:00:00 to 2026-03-02 12:00:02 UTC"
    )


def test_all_projects_are_told_apart() -> None:
    events = [
        happen(kind, project=project)
        for project in ("asthma", "stroke")
        for kind in (OPENED, INTENT)
    ]
    found = find(*events, project=None)
    assert [one.project for one in found] == ["asthma", "stroke"]
