"""The timeline of a request, from its events in any order."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from pseudo_service.core.errors import AuditBroken
from pseudo_service.core.linkage.history import build_timelines
from pseudo_service.core.linkage.request import (
    Decision,
    LinkageMode,
    LinkageState,
    LinkageVerb,
)
from tests.lib.values.request_events import START, RequestEvents

LATER = START + timedelta(days=1)
MUCH_LATER = START + timedelta(days=8)
EMERGENCY = LinkageMode.BREAK_GLASS
GUARDIAN = ("asthma",)

CASES = {
    "submitted": (RequestEvents(), LinkageState.SUBMITTED),
    "one vote": (RequestEvents().vote("officer-2"), LinkageState.PARTIALLY_REVIEWED),
    "approved": (RequestEvents().approve(), LinkageState.APPROVED),
    "rejected": (
        RequestEvents().vote("officer-2").vote("guardian-1", decision=Decision.REJECT),
        LinkageState.REJECTED,
    ),
    "withdrawn": (RequestEvents().withdraw(), LinkageState.WITHDRAWN),
    "released": (RequestEvents().release("c0de"), LinkageState.RELEASED),
    "intent only": (RequestEvents().approve().begin_release(), LinkageState.RELEASED),
    "emergency": (
        RequestEvents(mode=EMERGENCY)
        .vote("guardian-1", guardian_of=GUARDIAN)
        .begin_release()
        .finish_release("c0de"),
        LinkageState.AWAITING_SECOND_REVIEW,
    ),
    "emergency confirmed": (
        RequestEvents(mode=EMERGENCY)
        .vote("guardian-1", guardian_of=GUARDIAN)
        .begin_release()
        .finish_release("c0de")
        .vote("officer-2"),
        LinkageState.RELEASED,
    ),
    "emergency disputed": (
        RequestEvents(mode=EMERGENCY)
        .vote("guardian-1", guardian_of=GUARDIAN)
        .begin_release()
        .finish_release("c0de")
        .vote("officer-2", decision=Decision.REJECT),
        LinkageState.DISPUTED,
    ),
}


@pytest.mark.parametrize(("request_events", "state"), CASES.values(), ids=CASES)
def test_a_timeline_ends_in_the_state_of_the_request(
    request_events: RequestEvents, state: LinkageState
) -> None:
    shuffled = list(request_events.events)
    random.Random(5).shuffle(shuffled)
    (timeline,) = build_timelines(shuffled).values()
    assert timeline.state(LATER) is state
    assert timeline.subject_count == 2
    assert timeline.request.subjects == ()
    assert timeline.is_open is (
        timeline.intent_at is not None and not timeline.released_at
    )


def test_time_ends_only_what_was_not_released() -> None:
    (waiting,) = build_timelines(RequestEvents().approve().events).values()
    assert waiting.state(MUCH_LATER) is LinkageState.EXPIRED
    (released,) = build_timelines(RequestEvents().release().events).values()
    assert released.state(MUCH_LATER) is LinkageState.RELEASED


def test_the_deciding_vote_is_the_one_that_sufficed() -> None:
    (timeline,) = build_timelines(RequestEvents().approve().events).values()
    assert timeline.decided_at == START + timedelta(hours=2)
    assert timeline.was_approved


def test_the_review_after_a_break_glass_release_decides_nothing_before_it() -> None:
    recorded, _ = CASES["emergency disputed"]
    (timeline,) = build_timelines(recorded.events).values()
    assert timeline.was_approved
    assert [vote.reviewer for vote in timeline.later_votes] == ["officer-2"]


def test_outcomes_and_fetches_are_counted_and_refusals_change_nothing() -> None:
    recorded = RequestEvents().release("a1", "b2").fetch().fetch().refuse()
    (timeline,) = build_timelines(recorded.events).values()
    assert timeline.outcomes == {"found": 2}
    assert timeline.fetched == 2


def test_events_without_their_submission_tell_nothing() -> None:
    assert build_timelines(RequestEvents().approve().events[1:]) == {}


@pytest.mark.parametrize(("projects", "outcome"), [(2, "found"), (0, "unknown")])
def test_a_located_person_counts_as_found(projects: int, outcome: str) -> None:
    recorded = (
        RequestEvents(verb=LinkageVerb.LOCATE, subjects=("one",))
        .approve()
        .begin_release()
    )
    recorded.events.append(
        recorded.sealer.describe_released(
            recorded.request,
            at=recorded.now,
            step=recorded.step,
            counts={"projects": projects, "unaccounted": 0},
            register_faults=0,
            sealed_digest=bytes(32),
        )
    )
    assert build_timelines(recorded.events)["request-1"].outcomes == {outcome: 1}


@pytest.mark.parametrize("kind", ["linkage_submitted", "linkage_reviewed"])
def test_an_event_without_its_details_breaks_the_trail(kind: str) -> None:
    events = [
        replace(event, details={}) if event.kind == kind else event
        for event in RequestEvents().approve().events
    ]
    with pytest.raises(AuditBroken, match="audit verify"):
        build_timelines(events)
