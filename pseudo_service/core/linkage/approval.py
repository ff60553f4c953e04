"""Where a linkage request can stand, what moves it, and when votes suffice.

One table, ``TRANSITIONS``, holds every step that is possible; ``step_from`` names the
refusal for every other. ``docs/linkage.md`` shows the diagram that ``draw_states`` makes.
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

ENOUGH = 2
"""How many people must look at a request before it is decided."""


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
"""In these a first vote stays hidden."""

PERISHABLE = frozenset(
    state for state, steps in TRANSITIONS.items() if Step.EXPIRE in steps
)
"""In these a request can still expire."""

OPENED = frozenset(
    {
        LinkageState.RELEASED,
        LinkageState.AWAITING_SECOND_REVIEW,
        LinkageState.DISPUTED,
    }
)
"""In these the register was opened for a request; its approval is used up."""

_RELEASES = frozenset({Step.RELEASE, Step.RELEASE_AHEAD})


def step_from(state: LinkageState, step: Step) -> LinkageState:
    """Return the state that a step leads to.

    Raises:
        GrantSpent: A release of what was released before.
        RequestExpired: Anything to a request whose time is over.
        RequestState: Whatever else the state does not allow.
    """
    new = TRANSITIONS[state].get(step)
    if new is None:
        raise _refuse(state, step)
    return new


def state_at(stored: LinkageState, expires_at: datetime, now: datetime) -> LinkageState:
    """Return where a request stands now; nobody writes that its time is over."""
    if stored in PERISHABLE and now >= expires_at:
        return step_from(stored, Step.EXPIRE)
    return stored


def may_vote(request: LinkageRequest, reviewer: str) -> bool:
    """Tell whether a person's vote counts: never the requester's or redeemer's."""
    return reviewer not in {request.requester, request.redeemer}


def judge_votes(request: LinkageRequest, votes: Sequence[Vote]) -> LinkageState:
    """Return what the votes before a release make of a request.

    Routine: it takes two different people, neither the requester nor the redeemer, all
    in favour, and of every project of the request a guardian among them; of two or more
    votes one against is enough to reject. Break glass: one guardian decides.

    Only each person's first vote counts.

    Returns:
        SUBMITTED, PARTIALLY_REVIEWED, APPROVED or REJECTED.
    """
    counted = _count(request, votes)
    if not counted:
        return LinkageState.SUBMITTED
    if request.mode is LinkageMode.BREAK_GLASS:
        return _judge_break_glass(request, counted)
    if len(counted) < ENOUGH:
        return LinkageState.PARTIALLY_REVIEWED
    if any(vote.decision is Decision.REJECT for vote in counted):
        return LinkageState.REJECTED
    if _find_unheard(request, counted):
        return LinkageState.PARTIALLY_REVIEWED
    return LinkageState.APPROVED


def name_vote(judged: LinkageState) -> Step:
    """Return the step that a vote was, from what the votes now make of the request."""
    return {
        LinkageState.APPROVED: Step.APPROVE,
        LinkageState.REJECTED: Step.REJECT,
    }.get(judged, Step.REVIEW)


def name_second_review(decision: Decision) -> Step:
    """Return the step of a review after a break-glass release."""
    return Step.CONFIRM if decision is Decision.APPROVE else Step.DISPUTE


def name_release(mode: LinkageMode) -> Step:
    """Return the step that redeeming a request is."""
    return Step.RELEASE_AHEAD if mode is LinkageMode.BREAK_GLASS else Step.RELEASE


def draw_states() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {LinkageState.SUBMITTED}: submit"]
    for state, steps in TRANSITIONS.items():
        lines += [f"    {state} --> {new}: {step}" for step, new in steps.items()]
        if not steps or state is LinkageState.RELEASED:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines) + "\n"


def _count(request: LinkageRequest, votes: Iterable[Vote]) -> list[Vote]:
    first: dict[str, Vote] = {}
    for vote in votes:
        if may_vote(request, vote.reviewer):
            first.setdefault(vote.reviewer, vote)
    return list(first.values())


def _find_unheard(request: LinkageRequest, votes: Iterable[Vote]) -> set[str]:
    """Return the projects of which no guardian has approved."""
    heard = {
        project
        for vote in votes
        if vote.decision is Decision.APPROVE
        for project in vote.guardian_of
    }
    return set(request.projects) - heard


def _judge_break_glass(request: LinkageRequest, votes: Sequence[Vote]) -> LinkageState:
    guardians = [
        vote for vote in votes if set(request.projects) & set(vote.guardian_of)
    ]
    if any(vote.decision is Decision.REJECT for vote in guardians):
        return LinkageState.REJECTED
    if _find_unheard(request, guardians):
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
