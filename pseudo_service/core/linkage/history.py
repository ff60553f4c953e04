"""What became of each linkage request, told from its events on the audit trail.

A story says who asked, who judged, who received and when; of the subjects it knows
how many. It trusts the events: who must not, verifies the trail first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import AuditBroken
from pseudo_service.core.linkage.approval import (
    UNDECIDED,
    judge_votes,
    name_second_review,
    state_at,
    step_from,
)
from pseudo_service.core.linkage.event_fields import parse_request, parse_vote
from pseudo_service.core.linkage.request import (
    LinkageMode,
    LinkageOutcome,
    LinkageRequest,
    LinkageState,
    Vote,
)


@dataclass(slots=True, kw_only=True)
class RequestTimeline:
    """One request. ``request.subjects`` is empty; ``subject_count`` says how many.

    ``intent_at`` is when the register was about to be opened, ``released_at`` when
    the result was kept: the one without the other is a release whose outcome nobody
    recorded. ``outcomes`` counts the subjects of a finished release.
    """

    request: LinkageRequest
    subject_count: int
    votes: list[Vote] = field(default_factory=list)
    withdrawn_at: datetime | None = None
    intent_at: datetime | None = None
    released_at: datetime | None = None
    fetched: int = 0
    outcomes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def earlier_votes(self) -> list[Vote]:
        """The votes before the register was opened."""
        return [v for v in self.votes if not self.intent_at or v.at <= self.intent_at]

    @property
    def later_votes(self) -> list[Vote]:
        """The votes after: of a break-glass release, its second review."""
        return [v for v in self.votes if self.intent_at and v.at > self.intent_at]

    @property
    def decided_at(self) -> datetime | None:
        """When the vote fell that approved or rejected the request."""
        for count, vote in enumerate(self.votes, start=1):
            if judge_votes(self.request, self.votes[:count]) not in UNDECIDED:
                return vote.at
        return None

    @property
    def was_approved(self) -> bool:
        """Whether the votes before any release approve."""
        judged = judge_votes(self.request, self.earlier_votes)
        return judged is LinkageState.APPROVED

    @property
    def is_open(self) -> bool:
        """Whether a release was begun whose outcome nobody recorded."""
        return self.intent_at is not None and self.released_at is None

    def state(self, now: datetime) -> LinkageState:
        """Return where the request stands."""
        if self.intent_at is not None:
            return self._state_after()
        if self.withdrawn_at is not None:
            return LinkageState.WITHDRAWN
        return state_at(
            judge_votes(self.request, self.votes), self.request.expires_at, now
        )

    def _state_after(self) -> LinkageState:
        if self.request.mode is LinkageMode.ROUTINE:
            return LinkageState.RELEASED
        waiting = LinkageState.AWAITING_SECOND_REVIEW
        if not self.later_votes:
            return waiting
        return step_from(waiting, name_second_review(self.later_votes[0].decision))


def build_timelines(events: Iterable[AuditEvent]) -> dict[str, RequestTimeline]:
    """Return the requests whose submission is among the events, in its order.

    The events may come in any order. Requests whose submission is not among them are
    left out, so give the trail from its beginning.
    """
    ordered = sorted(
        (event for event in events if event.kind in _TOLD), key=lambda event: event.at
    )
    stories: dict[str, RequestTimeline] = {}
    for event in ordered:
        if event.kind is AuditKind.LINKAGE_SUBMITTED:
            stories[str(event.operation)] = _begin(event)
    for event in ordered:
        story = stories.get(str(event.operation))
        if story is not None:
            _continue(story, event)
    return stories


def _begin(event: AuditEvent) -> RequestTimeline:
    try:
        return RequestTimeline(
            request=parse_request(event, ()),
            subject_count=int(event.details["subject_count"] or 0),
        )
    except (KeyError, ValueError):
        raise AuditBroken(_UNREADABLE) from None


def _continue(story: RequestTimeline, event: AuditEvent) -> None:
    match event.kind:
        case AuditKind.LINKAGE_REVIEWED:
            story.votes.append(_read_vote(event))
        case AuditKind.LINKAGE_WITHDRAWN:
            story.withdrawn_at = event.at
        case AuditKind.LINKAGE_RELEASE_INTENT:
            story.intent_at = event.at
        case AuditKind.LINKAGE_RELEASED:
            story.released_at = event.at
            story.outcomes = _read_outcomes(event)
        case AuditKind.LINKAGE_FETCHED:
            story.fetched += 1
        case _:
            pass


def _read_vote(event: AuditEvent) -> Vote:
    try:
        return parse_vote(event)
    except (KeyError, ValueError):
        raise AuditBroken(_UNREADABLE) from None


def _read_outcomes(event: AuditEvent) -> Mapping[str, int]:
    projects = event.details.get("projects")
    if isinstance(projects, int):  # a search for one person counts projects instead
        found = LinkageOutcome.FOUND if projects else LinkageOutcome.UNKNOWN
        return {found.value: 1}
    counts = {each.value: event.details.get(each.value) for each in LinkageOutcome}
    return {name: n for name, n in counts.items() if isinstance(n, int) and n}


_TOLD = frozenset(
    {
        AuditKind.LINKAGE_SUBMITTED,
        AuditKind.LINKAGE_REVIEWED,
        AuditKind.LINKAGE_WITHDRAWN,
        AuditKind.LINKAGE_RELEASE_INTENT,
        AuditKind.LINKAGE_RELEASED,
        AuditKind.LINKAGE_FETCHED,
    }
)
_UNREADABLE = (
    "a linkage event of the audit trail cannot be read: run `pseudo audit verify`"
)
