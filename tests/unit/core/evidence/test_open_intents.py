"""Open matters, from events."""

from datetime import timedelta

import pytest

from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.evidence.open_intents import RESULT_OF, find_open_matters
from pseudo_service.core.linkage.history import build_timelines
from pseudo_service.core.linkage.request import LinkageMode
from tests.lib.values.request_events import START, RequestEvents

NOW = START + timedelta(days=2)


def make_event(kind: AuditKind, operation: str | None = "run-1") -> AuditEvent:
    return AuditEvent(
        kind=kind,
        at=START,
        actor="custodian-1",
        project="asthma",
        operation=operation,
        details={},
    )


@pytest.mark.parametrize("intent", RESULT_OF)
def test_an_intent_is_open_until_its_own_result(intent: AuditKind) -> None:
    begun, result = make_event(intent), make_event(RESULT_OF[intent])
    (matter,) = find_open_matters([begun], {}, now=NOW)
    assert matter.what == intent
    assert not find_open_matters([begun, result], {}, now=NOW)
    other = make_event(RESULT_OF[intent], "run-2")
    assert len(find_open_matters([begun, other], {}, now=NOW)) == 1


def test_several_intents_of_one_operation_are_one_matter() -> None:
    erasing = [make_event(AuditKind.IDENTITIES_ERASE_INTENT)] * 3
    assert len(find_open_matters(erasing, {}, now=NOW)) == 1


def test_data_calls_are_answered_not_ended() -> None:
    assert not find_open_matters([make_event(AuditKind.BATCH_INTENT)], {}, now=NOW)


def test_an_emergency_waits_for_its_second_review() -> None:
    request = RequestEvents(mode=LinkageMode.BREAK_GLASS)
    request.vote("guardian-1", guardian_of=("asthma",)).begin_release()
    request.finish_release("c0de")
    (matter,) = find_open_matters(
        request.events, build_timelines(request.events), now=NOW
    )
    assert matter.what == "awaiting_second_review"
    request.vote("officer-2")
    assert not find_open_matters(
        request.events, build_timelines(request.events), now=NOW
    )
