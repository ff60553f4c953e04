"""Tables of requests: releases, decisions, latency and emergencies."""

from datetime import timedelta

from pseudo_service.core.evidence.linkage import (
    list_released,
    tabulate_break_glass,
    tabulate_decisions,
    tabulate_latency,
    tabulate_releases,
)
from pseudo_service.core.evidence.tables import EvidenceTable
from pseudo_service.core.linkage.history import RequestTimeline, build_timelines
from pseudo_service.core.linkage.request import Decision, LinkageMode
from tests.lib.values.evidence import DAY, PERIOD
from tests.lib.values.request_events import START, RequestEvents

NOW = START + 2 * DAY
HOUR = timedelta(hours=1)


def build(*requests: RequestEvents) -> dict[str, RequestTimeline]:
    return build_timelines([event for one in requests for event in one.events])


def read(table: EvidenceTable, *headers: str) -> list[tuple[str, ...]]:
    places = [table.headers.index(header) for header in headers]
    return [tuple(row[place] for place in places) for row in table.rows]


def make_emergency() -> RequestEvents:
    made = RequestEvents(mode=LinkageMode.BREAK_GLASS, subjects=("one",))
    made.vote("guardian-1", guardian_of=("asthma",)).begin_release()
    return made.finish_release("c0de")


def test_a_release_counts_in_the_period_of_its_intent() -> None:
    before = RequestEvents(request_id="before", start=PERIOD.since - 4 * HOUR).release(
        "c0de"
    )
    within = RequestEvents(request_id="within", start=PERIOD.since - HOUR).release("a")
    table = tabulate_releases(build(before, within), PERIOD)
    assert read(table, "request", "found", "asked for") == [("within", "1", "2")]


def test_a_release_that_is_fetched_again_says_how_often() -> None:
    timelines = build(RequestEvents().release("a", "b").fetch().fetch())
    table = tabulate_releases(timelines, PERIOD)
    assert read(table, "fetched again", "released") == [("2", "2026-03-02 12:01")]
    assert not tabulate_releases(build(RequestEvents().approve()), PERIOD).rows


def test_a_decision_says_how_long_it_took() -> None:
    rejected = RequestEvents(request_id="no").vote("officer-2")
    rejected.vote("guardian-1", guardian_of=("asthma",), decision=Decision.REJECT)
    timelines = build(rejected, RequestEvents(request_id="waits"))
    table = tabulate_decisions(timelines, PERIOD, now=NOW)
    columns = ("request", "state", "first review after", "decided after")
    assert read(table, *columns) == [
        ("no", "rejected", "1 h 0 min", "2 h 0 min"),
        ("waits", "submitted", "", ""),
    ]
    reviewers = read(table, "reviewers")[0][0]
    assert reviewers == "officer-2 (approve), guardian-1 (guardian, reject)"


def test_an_emergency_waits_until_now_for_its_second_review() -> None:
    waiting = make_emergency()
    table = tabulate_break_glass(build(waiting), PERIOD, now=NOW)
    assert read(table, "second review", "by", "after") == [
        ("STILL AWAITED", "", "1 d 22 h")
    ]
    disputed = make_emergency().vote("officer-2", decision=Decision.REJECT)
    table = tabulate_break_glass(build(disputed), PERIOD, now=NOW)
    assert read(table, "second review", "by", "after") == [
        ("DISPUTED", "officer-2", "1 h 0 min")
    ]


def test_a_routine_release_is_no_emergency() -> None:
    timelines = build(RequestEvents().release("c0de"))
    assert not tabulate_break_glass(timelines, PERIOD, now=NOW).rows


def test_latency_is_that_of_requests_of_the_period() -> None:
    early = RequestEvents(request_id="early", start=PERIOD.since - 90 * DAY).release()
    table = tabulate_latency(build(early, RequestEvents().approve()), PERIOD)
    assert read(table, "step", "requests", "median") == [
        ("submission to first review", "1", "1 h 0 min"),
        ("first review to decision", "1", "1 h 0 min"),
    ]


def test_releases_come_in_their_order() -> None:
    late = RequestEvents(request_id="late", start=START + 5 * HOUR).release("c0de")
    early = RequestEvents(request_id="early").release("c0de")
    timelines = build(late, early, RequestEvents())
    released = list_released(timelines.values())
    assert [timeline.request.request_id for timeline in released] == ["early", "late"]
