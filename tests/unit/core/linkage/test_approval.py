"""The approval rule case by case; tests/properties/test_approval.py restates it."""

from datetime import timedelta

import pytest

from pseudo_service.core.errors import GrantSpent, RequestExpired, RequestState
from pseudo_service.core.linkage.approval import (
    EXPIRABLE,
    OPENED,
    Step,
    may_vote,
    state_after_votes,
    state_at,
    step_from,
    step_of_release,
    step_of_second_review,
    step_of_vote,
)
from pseudo_service.core.linkage.request import (
    Decision,
    LinkageMode,
    LinkageState,
    LinkageVerb,
    Vote,
)
from tests.lib.values.linkage_requests import SUBMITTED_AT, build_request

ROUTINE = build_request(requester="mara", redeemer="olek")
URGENT = build_request(requester="mara", redeemer="olek", mode=LinkageMode.BREAK_GLASS)
TRANSLATION = build_request(
    requester="mara",
    redeemer="olek",
    verb=LinkageVerb.TRANSLATE,
    target_project="stroke",
)


def vote(reviewer: str, *guardian_of: str, approves: bool = True) -> Vote:
    return Vote(
        reviewer=reviewer,
        guardian_of=guardian_of,
        decision=Decision.APPROVE if approves else Decision.REJECT,
        reason="",
        at=SUBMITTED_AT,
    )


GWEN = vote("gwen", "asthma")
RAVI = vote("ravi")
AGAINST = vote("ravi", approves=False)


@pytest.mark.parametrize(
    ("votes", "state"),
    [
        ([], LinkageState.SUBMITTED),
        ([GWEN], LinkageState.PARTIALLY_REVIEWED),
        ([GWEN, RAVI], LinkageState.APPROVED),
        ([RAVI, vote("ann")], LinkageState.PARTIALLY_REVIEWED),
        ([RAVI, vote("ann"), GWEN], LinkageState.APPROVED),
        ([AGAINST], LinkageState.PARTIALLY_REVIEWED),
        ([GWEN, AGAINST], LinkageState.REJECTED),
        ([GWEN, GWEN], LinkageState.PARTIALLY_REVIEWED),
        ([GWEN, vote("mara", "asthma")], LinkageState.PARTIALLY_REVIEWED),
        ([GWEN, vote("olek", "asthma")], LinkageState.PARTIALLY_REVIEWED),
        ([AGAINST, vote("ravi"), GWEN], LinkageState.REJECTED),
    ],
)
def test_a_routine_request_takes_two_people_and_a_guardian(
    votes: list[Vote], state: LinkageState
) -> None:
    assert state_after_votes(ROUTINE, votes) is state


@pytest.mark.parametrize(
    ("votes", "state"),
    [
        ([RAVI], LinkageState.PARTIALLY_REVIEWED),
        ([AGAINST], LinkageState.PARTIALLY_REVIEWED),
        ([GWEN], LinkageState.APPROVED),
        ([vote("gwen", "asthma", approves=False)], LinkageState.REJECTED),
        ([vote("gwen", "stroke")], LinkageState.PARTIALLY_REVIEWED),
    ],
)
def test_one_guardian_decides_an_urgent_request(
    votes: list[Vote], state: LinkageState
) -> None:
    assert state_after_votes(URGENT, votes) is state


def test_a_translation_takes_a_guardian_of_each_project() -> None:
    other = vote("sam", "stroke")
    assert (
        state_after_votes(TRANSLATION, [GWEN, RAVI]) is LinkageState.PARTIALLY_REVIEWED
    )
    assert state_after_votes(TRANSLATION, [GWEN, other]) is LinkageState.APPROVED
    both = vote("kim", "asthma", "stroke")
    assert state_after_votes(TRANSLATION, [both, RAVI]) is LinkageState.APPROVED


def test_neither_the_requester_nor_the_redeemer_votes() -> None:
    assert not may_vote(ROUTINE, "mara")
    assert not may_vote(ROUTINE, "olek")
    assert may_vote(ROUTINE, "gwen")


def test_each_step_is_named_by_what_happened() -> None:
    assert step_of_vote(LinkageState.APPROVED) is Step.APPROVE
    assert step_of_vote(LinkageState.REJECTED) is Step.REJECT
    assert step_of_vote(LinkageState.PARTIALLY_REVIEWED) is Step.REVIEW
    assert step_of_second_review(Decision.APPROVE) is Step.CONFIRM
    assert step_of_second_review(Decision.REJECT) is Step.DISPUTE
    assert step_of_release(LinkageMode.ROUTINE) is Step.RELEASE
    assert step_of_release(LinkageMode.BREAK_GLASS) is Step.RELEASE_AHEAD


@pytest.mark.parametrize("state", sorted(OPENED))
def test_what_was_released_is_not_released_again(state: LinkageState) -> None:
    for step in (Step.RELEASE, Step.RELEASE_AHEAD):
        with pytest.raises(GrantSpent, match="submit a new one"):
            step_from(state, step)


def test_a_refusal_says_what_to_do_next() -> None:
    with pytest.raises(RequestExpired, match="submit a new one"):
        step_from(LinkageState.EXPIRED, Step.RELEASE)
    with pytest.raises(RequestState, match="pseudo linkage show"):
        step_from(LinkageState.SUBMITTED, Step.RELEASE)


def test_only_a_request_that_was_not_opened_expires() -> None:
    later = SUBMITTED_AT + timedelta(days=9)
    for state in LinkageState:
        expected = LinkageState.EXPIRED if state in EXPIRABLE else state
        assert state_at(state, SUBMITTED_AT, later) is expected
    assert not EXPIRABLE & OPENED
