"""How long requests took, from events."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.evidence.latency import measure_latency
from pseudo_service.core.linkage.history import build_timelines
from tests.lib.values.request_events import START, RequestEvents

HOUR = timedelta(hours=1)


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
