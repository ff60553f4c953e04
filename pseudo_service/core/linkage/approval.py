"""The states of a linkage request, the steps between them, and when votes suffice.

One table, ``TRANSITIONS``, holds every possible step, and ``step_from`` refuses every
other. ``docs/linkage.md`` shows the table as a diagram.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from pseudo_service.core.errors import (
    GrantSpent,
    PseudoError,
    RequestExpired,
    RequestState,
)
from pseudo_service.core.linkage.request import (
    Decision,
    LinkageMode,
    LinkageRequest,
    LinkageState,
    Vote,
)

REVIEWERS_NEEDED = 2
"""How many people must review a routine request before it is decided."""


class Step(StrEnum):
    """What can happen to a request.

    REVIEW: a vote that decides nothing yet.
    APPROVE and REJECT: the vote that decides.
    RELEASE_AHEAD: a break-glass release, before its second review.
    FETCH: the kept result, once more.
    CONFIRM and DISPUTE: the second review of a break-glass release.
    """

    REVIEW = "review"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    RELEASE = "release"
    RELEASE_AHEAD = "release_ahead"
    FETCH = "fetch"
    CONFIRM = "confirm"
    DISPUTE = "dispute"


_OPEN = {
    Step.REVIEW: LinkageState.PARTIALLY_REVIEWED,
    Step.APPROVE: LinkageState.APPROVED,
    Step.REJECT: LinkageState.REJECTED,
    Step.WITHDRAW: LinkageState.WITHDRAWN,
    Step.EXPIRE: LinkageState.EXPIRED,
}

TRANSITIONS: Mapping[LinkageState, Mapping[Step, LinkageState]] = MappingProxyType(
    {
        LinkageState.SUBMITTED: MappingProxyType(_OPEN),
        LinkageState.PARTIALLY_REVIEWED: MappingProxyType(_OPEN),
        LinkageState.APPROVED: MappingProxyType(
            {
                Step.WITHDRAW: LinkageState.WITHDRAWN,
                Step.EXPIRE: LinkageState.EXPIRED,
                Step.RELEASE: LinkageState.RELEASED,
                Step.RELEASE_AHEAD: LinkageState.AWAITING_SECOND_REVIEW,
            }
        ),
        LinkageState.RELEASED: MappingProxyType({Step.FETCH: LinkageState.RELEASED}),
        LinkageState.AWAITING_SECOND_REVIEW: MappingProxyType(
            {
                Step.FETCH: LinkageState.AWAITING_SECOND_REVIEW,
                Step.CONFIRM: LinkageState.RELEASED,
                Step.DISPUTE: LinkageState.DISPUTED,
            }
        ),
        LinkageState.DISPUTED: MappingProxyType({}),
        LinkageState.REJECTED: MappingProxyType({}),
        LinkageState.EXPIRED: MappingProxyType({}),
        LinkageState.WITHDRAWN: MappingProxyType({}),
    }
)

UNDECIDED = frozenset({LinkageState.SUBMITTED, LinkageState.PARTIALLY_REVIEWED})
"""States in which a first vote stays hidden."""

EXPIRABLE = frozenset(
    state for state, steps in TRANSITIONS.items() if Step.EXPIRE in steps
)
"""States in which a request can still expire."""

OPENED = frozenset(
    {
        LinkageState.RELEASED,
        LinkageState.AWAITING_SECOND_REVIEW,
        LinkageState.DISPUTED,
    }
)
"""States after the register was opened for a request; its approval is used up."""

_RELEASES = frozenset({Step.RELEASE, Step.RELEASE_AHEAD})


def step_from(state: LinkageState, step: Step) -> LinkageState:
    """Return the state that a step leads to.

    Raises:
        GrantSpent: The step is a release, and the request was released before.
        RequestExpired: The request has expired.
        RequestState: The state does not allow the step.
    """
    new = TRANSITIONS[state].get(step)
    if new is None:
        raise _refuse(state, step)
    return new


def state_at(stored: LinkageState, expires_at: datetime, now: datetime) -> LinkageState:
    """Return the state now: no store writes EXPIRED, it follows from the time."""
    if stored in EXPIRABLE and now >= expires_at:
        return step_from(stored, Step.EXPIRE)
    return stored


def may_vote(request: LinkageRequest, reviewer: str) -> bool:
    """Return whether a person's vote counts: never the requester's or redeemer's."""
    return reviewer not in {request.requester, request.terms.redeemer}


def state_after_votes(request: LinkageRequest, votes: Sequence[Vote]) -> LinkageState:
    """Return the state that the votes before a release lead to.

    Routine: two different people must approve, and a guardian of every project of the
    request must be among the approvers. Votes of the requester and of the redeemer do
    not count. One rejection among two or more votes rejects. Break glass: one guardian
    decides.

    Only each person's first vote counts.

    Returns:
        SUBMITTED, PARTIALLY_REVIEWED, APPROVED or REJECTED.
    """
    counted = _list_counted(request, votes)
    if not counted:
        return LinkageState.SUBMITTED
    if request.terms.mode is LinkageMode.BREAK_GLASS:
        return _state_after_break_glass_votes(request, counted)
    if len(counted) < REVIEWERS_NEEDED:
        return LinkageState.PARTIALLY_REVIEWED
    if any(vote.decision is Decision.REJECT for vote in counted):
        return LinkageState.REJECTED
    if _find_unapproved(request, counted):
        return LinkageState.PARTIALLY_REVIEWED
    return LinkageState.APPROVED


def step_of_vote(state: LinkageState) -> Step:
    """Return the step that the last vote was, from the state that the votes lead to."""
    return {
        LinkageState.APPROVED: Step.APPROVE,
        LinkageState.REJECTED: Step.REJECT,
    }.get(state, Step.REVIEW)


def step_of_second_review(decision: Decision) -> Step:
    """Return the step of a review after a break-glass release."""
    return Step.CONFIRM if decision is Decision.APPROVE else Step.DISPUTE


def step_of_release(mode: LinkageMode) -> Step:
    """Return the step that redeeming a request of this mode is."""
    return Step.RELEASE_AHEAD if mode is LinkageMode.BREAK_GLASS else Step.RELEASE


def _list_counted(request: LinkageRequest, votes: Iterable[Vote]) -> list[Vote]:
    first: dict[str, Vote] = {}
    for vote in votes:
        if may_vote(request, vote.reviewer):
            first.setdefault(vote.reviewer, vote)
    return list(first.values())


def _find_unapproved(request: LinkageRequest, votes: Iterable[Vote]) -> set[str]:
    """Return the projects whose guardians have not approved."""
    approved = {
        project
        for vote in votes
        if vote.decision is Decision.APPROVE
        for project in vote.guardian_of
    }
    return set(request.terms.projects) - approved


def _state_after_break_glass_votes(
    request: LinkageRequest, votes: Sequence[Vote]
) -> LinkageState:
    guardians = [
        vote for vote in votes if set(request.terms.projects) & set(vote.guardian_of)
    ]
    if any(vote.decision is Decision.REJECT for vote in guardians):
        return LinkageState.REJECTED
    if _find_unapproved(request, guardians):
        return LinkageState.PARTIALLY_REVIEWED
    return LinkageState.APPROVED


def _refuse(state: LinkageState, step: Step) -> PseudoError:
    if state is LinkageState.EXPIRED:
        return RequestExpired("the request's time is over: submit a new one")
    if state in OPENED and step in _RELEASES:
        return GrantSpent("the request was released before: submit a new one")
    words = state.value.replace("_", " ")
    return RequestState(
        f"the request is {words}, so that {step.value.replace('_', ' ')} is not possible "
        "now: look with `pseudo linkage show` what is missing"
    )
