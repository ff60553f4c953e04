"""Open matters, latency and releases, from events."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.evidence.open_intents import (
    RESULT_OF,
    find_open_matters,
    format_duration,
    list_released,
    measure_latency,
)
from pseudo_service.core.linkage.history import build_timelines
from pseudo_service.core.linkage.request import LinkageMode
from tests.lib.values.request_events import START, RequestEvents

NOW = START + timedelta(days=2)
HOUR = timedelta(hours=1)


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


def test_steps_are_measured_apart() -> None:
    timelines = build_timelines(RequestEvents().release("c0de").events)
    measured = {each.step: each.median for each in measure_latency(timelines.values())}
    assert measured == {
        "submission to first review": HOUR,
        "first review to decision": HOUR,
        "approval to release": HOUR + timedelta(minutes=1),
        "submission to release": 3 * HOUR + timedelta(minutes=1),
    }


def test_a_request_counts_as_far_as_it_came() -> None:
    events = [
        event
        for number, request in enumerate(
            (RequestEvents(), RequestEvents().vote("officer-2"))
        )
        for event in RequestEvents(request_id=f"request-{number}", start=START).events[
            : len(request.events)
        ]
    ]
    assert not measure_latency(build_timelines(events).values())
    voted = build_timelines(RequestEvents().vote("officer-2").events)
    assert [each.step for each in measure_latency(voted.values())] == [
        "submission to first review"
    ]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
def test_quantiles_are_some_request_s_own(seconds: list[int]) -> None:
    events = []
    for number, gap in enumerate(seconds):
        request = RequestEvents(request_id=f"request-{number}")
        request.now += timedelta(seconds=gap)
        request.vote("officer-2")
        events += request.events
    (measured,) = measure_latency(build_timelines(events).values())
    spans = sorted(HOUR + timedelta(seconds=gap) for gap in seconds)
    assert measured.longest == spans[-1]
    assert measured.requests == len(spans)
    within = sum(span <= measured.ninth_decile for span in spans)
    assert within >= 0.9 * len(spans)
    below = sum(span < measured.ninth_decile for span in spans)
    assert below < 0.9 * len(spans)
    assert measured.median in spans


def test_releases_come_in_their_order() -> None:
    late = RequestEvents(request_id="late", start=START + 5 * HOUR).release("c0de")
    early = RequestEvents(request_id="early").release("c0de")
    timelines = build_timelines([*late.events, *early.events, *RequestEvents().events])
    released = list_released(timelines.values())
    assert [timeline.request.request_id for timeline in released] == ["early", "late"]


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=61), "1 h 1 min"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
    ],
)
def test_durations_read_as_people_say_them(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text
