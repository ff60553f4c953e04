"""What became of a request, told from its events in any order."""

import random
from datetime import timedelta

import pytest

from pseudo_service.core.audit.events import AuditEvent, AuditKind, encode_event
from pseudo_service.core.audit.reading import decode_event
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


@pytest.mark.parametrize(("story", "state"), CASES.values(), ids=CASES)
def test_a_story_ends_where_the_request_stands(
    story: RequestEvents, state: LinkageState
) -> None:
    shuffled = list(story.events)
    random.Random(5).shuffle(shuffled)
    (told,) = build_timelines(shuffled).values()
    assert told.state(LATER) is state
    assert told.subject_count == 2
    assert told.request.subjects == ()
    assert told.is_open is (told.intent_at is not None and not told.released_at)


def test_time_ends_only_what_was_not_released() -> None:
    (waiting,) = build_timelines(RequestEvents().approve().events).values()
    assert waiting.state(MUCH_LATER) is LinkageState.EXPIRED
    (released,) = build_timelines(RequestEvents().release().events).values()
    assert released.state(MUCH_LATER) is LinkageState.RELEASED


def test_the_deciding_vote_is_the_one_that_sufficed() -> None:
    (told,) = build_timelines(RequestEvents().approve().events).values()
    assert told.decided_at == START + timedelta(hours=2)
    assert told.was_approved


def test_the_review_after_a_break_glass_release_decides_nothing_before_it() -> None:
    story, _ = CASES["emergency disputed"]
    (told,) = build_timelines(story.events).values()
    assert told.was_approved
    assert [vote.reviewer for vote in told.later_votes] == ["officer-2"]


def test_outcomes_and_fetches_are_counted_and_refusals_change_nothing() -> None:
    story = RequestEvents().release("a1", "b2").fetch().fetch().refuse()
    (told,) = build_timelines(story.events).values()
    assert told.outcomes == {"found": 2}
    assert told.fetched == 2


def test_events_without_their_submission_tell_nothing() -> None:
    assert build_timelines(RequestEvents().approve().events[1:]) == {}


@pytest.mark.parametrize(("projects", "outcome"), [(2, "found"), (0, "unknown")])
def test_a_located_person_counts_as_found(projects: int, outcome: str) -> None:
    story = (
        RequestEvents(verb=LinkageVerb.LOCATE, subjects=("one",))
        .approve()
        .begin_release()
    )
    story.events.append(
        story.sealer.describe_released(
            story.request,
            at=story.now,
            step=story.step,
            counts={"projects": projects, "unaccounted": 0},
            register_faults=0,
            sealed_digest=bytes(32),
        )
    )
    assert build_timelines(story.events)["request-1"].outcomes == {outcome: 1}


def test_an_event_is_read_as_it_was_written() -> None:
    for event in RequestEvents().release("a1").events:
        assert decode_event(encode_event(event)) == event


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '{"kind":"nothing"}',
        encode_event(
            AuditEvent(
                kind=AuditKind.AUDIT_READ,
                at=START.replace(tzinfo=None),
                actor="a",
                details={},
            )
        ),
    ],
)
def test_what_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(AuditBroken):
        decode_event(body)
