"""The approval rule against a plain restatement, and the table of states."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.errors import GrantSpent, RequestExpired, RequestState
from pseudo_service.core.linkage.approval import (
    TRANSITIONS,
    Step,
    state_after_votes,
    state_at,
    step_from,
)
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageRequest,
    LinkageState,
    LinkageVerb,
    Vote,
)
from tests.lib.values.linkage_requests import build_request

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PEOPLE = ("requester", "redeemer", "ann", "ben", "cat", "dan")
OUTSIDERS = set(PEOPLE[2:])


def make_request(*, target: str = "", is_urgent: bool = False) -> LinkageRequest:
    return build_request(
        request_id="r1",
        verb=LinkageVerb.TRANSLATE if target else LinkageVerb.REIDENTIFY,
        mode=LinkageMode.BREAK_GLASS if is_urgent else LinkageMode.ROUTINE,
        project="asthma",
        target_project=target,
        subjects=("s",),
        purpose="audit of care",
        legal_basis=LegalBasis.DIRECT_CARE,
        consent_reference="letter",
        requester="requester",
        redeemer="redeemer",
        recipient_key=bytes(32),
        submitted_at=NOW,
        expires_at=NOW + timedelta(hours=2),
    )


@st.composite
def draw_votes(draw: st.DrawFn) -> list[Vote]:
    guarded = {
        person: tuple(
            draw(st.lists(st.sampled_from(("asthma", "stroke")), unique=True))
        )
        for person in PEOPLE
    }
    course = draw(
        st.lists(
            st.tuples(st.sampled_from(PEOPLE), st.sampled_from(Decision)), max_size=6
        )
    )
    return [
        Vote(
            reviewer=person,
            guardian_of=guarded[person],
            decision=decision,
            reason="",
            at=NOW,
        )
        for person, decision in course
    ]


def restate(  # noqa: C901 - plain is the point
    request: LinkageRequest, votes: list[Vote]
) -> LinkageState:
    """Say the same in sets of people, without a word from the rule itself."""
    seen: set[str] = set()
    for_it: set[str] = set()
    against: set[str] = set()
    guardians: dict[str, set[str]] = {"asthma": set(), "stroke": set()}
    for vote in votes:
        if vote.reviewer in OUTSIDERS and vote.reviewer not in seen:
            seen.add(vote.reviewer)
            chosen = for_it if vote.decision is Decision.APPROVE else against
            chosen.add(vote.reviewer)
            for project in vote.guardian_of:
                guardians[project].add(vote.reviewer)
    if not seen:
        return LinkageState.SUBMITTED
    needed = [guardians["asthma"]]
    if request.terms.target_project:
        needed.append(guardians["stroke"])
    consents = all(for_it & group for group in needed)
    if request.terms.mode is LinkageMode.BREAK_GLASS:
        if against & guardians["asthma"]:
            return LinkageState.REJECTED
        return LinkageState.APPROVED if consents else LinkageState.PARTIALLY_REVIEWED
    if len(seen) == 1:
        return LinkageState.PARTIALLY_REVIEWED
    if against:
        return LinkageState.REJECTED
    return LinkageState.APPROVED if consents else LinkageState.PARTIALLY_REVIEWED


@given(draw_votes(), st.sampled_from(("", "stroke")), st.booleans())
def test_the_rule_is_what_it_says(
    votes: list[Vote], target: str, is_urgent: bool
) -> None:
    request = make_request(target="" if is_urgent else target, is_urgent=is_urgent)
    assert state_after_votes(request, votes) is restate(request, votes)


@given(draw_votes())
def test_approval_takes_two_people_and_a_guardian(votes: list[Vote]) -> None:
    request = make_request()
    approved = state_after_votes(request, votes) is LinkageState.APPROVED
    first = {vote.reviewer: vote for vote in reversed(votes)}
    outside = [vote for name, vote in first.items() if name in OUTSIDERS]
    two = len({vote.reviewer for vote in outside}) > 1
    all_for = all(vote.decision is Decision.APPROVE for vote in outside)
    guarded = any("asthma" in vote.guardian_of for vote in outside)
    assert approved == (two and all_for and guarded)


REFUSED = (RequestState, RequestExpired, GrantSpent)


@pytest.mark.parametrize("state", LinkageState)
@pytest.mark.parametrize("step", Step)
def test_every_step_from_every_state_leads_on_or_is_refused(
    state: LinkageState, step: Step
) -> None:
    if step in TRANSITIONS[state]:
        assert step_from(state, step) is TRANSITIONS[state][step]
        return
    with pytest.raises(REFUSED) as refusal:
        step_from(state, step)
    if state is LinkageState.EXPIRED:
        assert refusal.type is RequestExpired
    elif step in {Step.RELEASE, Step.RELEASE_AHEAD} and state in {
        LinkageState.RELEASED,
        LinkageState.AWAITING_SECOND_REVIEW,
        LinkageState.DISPUTED,
    }:
        assert refusal.type is GrantSpent
    else:
        assert refusal.type is RequestState


def test_the_table_holds_these_steps_and_no_others() -> None:
    told = {
        (str(state), str(step), str(new))
        for state, steps in TRANSITIONS.items()
        for step, new in steps.items()
    }
    is_open = ("submitted", "partially_reviewed")
    assert told == {
        *((state, "review", "partially_reviewed") for state in is_open),
        *((state, "approve", "approved") for state in is_open),
        *((state, "reject", "rejected") for state in is_open),
        *((state, "withdraw", "withdrawn") for state in (*is_open, "approved")),
        *((state, "expire", "expired") for state in (*is_open, "approved")),
        ("approved", "release", "released"),
        ("approved", "release_ahead", "awaiting_second_review"),
        ("released", "fetch", "released"),
        ("awaiting_second_review", "fetch", "awaiting_second_review"),
        ("awaiting_second_review", "confirm", "released"),
        ("awaiting_second_review", "dispute", "disputed"),
    }
    assert set(TRANSITIONS) == set(LinkageState)


@pytest.mark.parametrize("state", LinkageState)
def test_time_ends_what_is_still_open_and_nothing_else(state: LinkageState) -> None:
    ends = NOW + timedelta(hours=1)
    assert state_at(state, ends, ends - timedelta(microseconds=1)) is state
    perishes = state in {
        LinkageState.SUBMITTED,
        LinkageState.PARTIALLY_REVIEWED,
        LinkageState.APPROVED,
    }
    expected = LinkageState.EXPIRED if perishes else state
    assert state_at(state, ends, ends) is expected
