"""The timeline of each linkage request, built from its events on the audit trail.

A timeline says who asked, who voted, who received the result, and when. It holds the
number of the subjects, not the subjects. It trusts the events: a caller that must not
trust them verifies the trail first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import AuditBroken
from pseudo_service.core.linkage.approval import (
    UNDECIDED,
    state_after_votes,
    state_at,
    step_from,
    step_of_second_review,
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
    """One request. ``request.subjects`` is empty; ``subject_count`` counts them.

    ``intent_at`` is the time just before the register was opened. ``released_at`` is the
    time when the result was kept. ``intent_at`` without ``released_at`` is a release
    whose outcome is not on record. ``outcomes`` counts the subjects of a finished
    release by outcome.
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
        """The votes after that: the second review of a break-glass release."""
        return [v for v in self.votes if self.intent_at and v.at > self.intent_at]

    @property
    def decided_at(self) -> datetime | None:
        """When a vote approved or rejected the request; None while it is undecided."""
        for count, vote in enumerate(self.votes, start=1):
            if state_after_votes(self.request, self.votes[:count]) not in UNDECIDED:
                return vote.at
        return None

    @property
    def was_approved(self) -> bool:
        """Whether the votes before any release approve the request."""
        state = state_after_votes(self.request, self.earlier_votes)
        return state is LinkageState.APPROVED

    @property
    def is_open(self) -> bool:
        """Whether a release began and its outcome is not on record."""
        return self.intent_at is not None and self.released_at is None

    def state(self, now: datetime) -> LinkageState:
        """Return the state of the request at a time."""
        if self.intent_at is not None:
            return self._state_after()
        if self.withdrawn_at is not None:
            return LinkageState.WITHDRAWN
        return state_at(
            state_after_votes(self.request, self.votes),
            self.request.terms.expires_at,
            now,
        )

    def _state_after(self) -> LinkageState:
        if self.request.terms.mode is LinkageMode.ROUTINE:
            return LinkageState.RELEASED
        waiting = LinkageState.AWAITING_SECOND_REVIEW
        if not self.later_votes:
            return waiting
        return step_from(waiting, step_of_second_review(self.later_votes[0].decision))


def build_timelines(events: Iterable[AuditEvent]) -> dict[str, RequestTimeline]:
    """Return the requests whose submission is among the events, in its order.

    The events may come in any order. A request without its submission among them is
    left out, so give the trail from its beginning.

    Raises:
        AuditBroken: A linkage event cannot be read.
    """
    ordered = sorted(
        (event for event in events if event.kind in _TIMELINE_KINDS),
        key=lambda event: event.at,
    )
    timelines: dict[str, RequestTimeline] = {}
    for event in ordered:
        if event.kind is AuditKind.LINKAGE_SUBMITTED:
            timelines[str(event.operation)] = _start(event)
    for event in ordered:
        timeline = timelines.get(str(event.operation))
        if timeline is not None:
            _apply(timeline, event)
    return timelines


def _start(event: AuditEvent) -> RequestTimeline:
    try:
        return RequestTimeline(
            request=parse_request(event, ()),
            subject_count=int(event.details["subject_count"] or 0),
        )
    except (KeyError, ValueError):
        raise AuditBroken(_UNREADABLE) from None


def _apply(timeline: RequestTimeline, event: AuditEvent) -> None:
    match event.kind:
        case AuditKind.LINKAGE_REVIEWED:
            timeline.votes.append(_read_vote(event))
        case AuditKind.LINKAGE_WITHDRAWN:
            timeline.withdrawn_at = event.at
        case AuditKind.LINKAGE_RELEASE_INTENT:
            timeline.intent_at = event.at
        case AuditKind.LINKAGE_RELEASED:
            timeline.released_at = event.at
            timeline.outcomes = _read_outcomes(event)
        case AuditKind.LINKAGE_FETCHED:
            timeline.fetched += 1
        case _:
            pass


def _read_vote(event: AuditEvent) -> Vote:
    try:
        return parse_vote(event)
    except (KeyError, ValueError):
        raise AuditBroken(_UNREADABLE) from None


def _read_outcomes(event: AuditEvent) -> Mapping[str, int]:
    projects = event.details.get("projects")
    if isinstance(projects, int):  # LOCATE counts projects, not subjects
        found = LinkageOutcome.FOUND if projects else LinkageOutcome.UNKNOWN
        return {found.value: 1}
    counts = {each.value: event.details.get(each.value) for each in LinkageOutcome}
    return {name: n for name, n in counts.items() if isinstance(n, int) and n}


_TIMELINE_KINDS = frozenset(
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
