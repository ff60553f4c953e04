"""Evidence about linkage: who asked, who voted, who received, and how fast."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pseudo_service.core.evidence.latency import (
    LATENCY_HEADERS,
    format_step,
    measure_latency,
)
from pseudo_service.core.evidence.tables import (
    EvidenceTable,
    Period,
    format_duration,
    format_moment,
)
from pseudo_service.core.linkage.history import RequestTimeline
from pseudo_service.core.linkage.request import LinkageMode, LinkageState, Vote

Timelines = Mapping[str, RequestTimeline]


def list_released(timelines: Iterable[RequestTimeline]) -> list[RequestTimeline]:
    """Return the requests whose release began, the earliest first."""
    begun = [
        (timeline.intent_at, timeline) for timeline in timelines if timeline.intent_at
    ]
    return [timeline for _, timeline in sorted(begun, key=lambda pair: pair[0])]


def tabulate_releases(timelines: Timelines, period: Period) -> EvidenceTable:
    """Return every release that was begun in the period."""
    released = [
        s for s in list_released(timelines.values()) if period.holds(s.intent_at)
    ]
    return EvidenceTable(
        name="releases",
        title="Who re-identified, translated or located anybody",
        evidence_for=(
            "Caldicott Principles 1, 2 and 6: each use of confidential information "
            "has a purpose, a legal basis and people who answer for it. DSPT: sharing "
            "of personal data for other purposes is decided and on record."
        ),
        headers=(
            "released",
            "request",
            "verb",
            "mode",
            "legal basis",
            "purpose",
            "consent",
            "into project",
            "requester",
            "reviewers",
            "redeemer",
            "asked for",
            "found",
            "fetched again",
        ),
        rows=[_list_release_cells(timeline) for timeline in released],
        nothing="Nobody was re-identified, translated or located in this period.",
    )


def _list_release_cells(timeline: RequestTimeline) -> tuple[str, ...]:
    request = timeline.request
    return (
        format_moment(timeline.released_at) or "outcome not recorded",
        request.request_id,
        request.terms.verb.value,
        request.terms.mode.value,
        request.terms.legal_basis.value,
        request.terms.purpose,
        request.terms.consent_reference,
        request.terms.target_project,
        request.requester,
        _format_reviewers(timeline.votes),
        request.terms.redeemer,
        str(timeline.subject_count),
        str(timeline.outcomes.get("found", 0)) if timeline.released_at else "",
        str(timeline.fetched),
    )


def tabulate_decisions(
    timelines: Timelines, period: Period, *, now: datetime
) -> EvidenceTable:
    """Return every request that was submitted in the period, and its state."""
    submitted = [
        timeline
        for timeline in timelines.values()
        if period.holds(timeline.request.submitted_at)
    ]
    return EvidenceTable(
        name="decisions",
        title="Requests, and how they were decided",
        evidence_for=(
            "Caldicott Principles 3 and 4: people other than the requester decide on "
            "each request, a guardian of every project among them; some requests are "
            "turned down. DSPT: privileged access is approved before it is used."
        ),
        headers=(
            "submitted",
            "request",
            "verb",
            "mode",
            "people",
            "requester",
            "state",
            "reviewers",
            "first review after",
            "decided after",
        ),
        rows=[_list_decision_cells(timeline, now) for timeline in submitted],
        nothing="Nothing was asked for in this period.",
    )


def _list_decision_cells(timeline: RequestTimeline, now: datetime) -> tuple[str, ...]:
    request, begin = timeline.request, timeline.request.submitted_at
    first = timeline.votes[0].at if timeline.votes else None
    return (
        format_moment(begin),
        request.request_id,
        request.terms.verb.value,
        request.terms.mode.value,
        str(timeline.subject_count),
        request.requester,
        timeline.state(now).value,
        _format_reviewers(timeline.votes),
        format_duration(first - begin) if first else "",
        format_duration(timeline.decided_at - begin) if timeline.decided_at else "",
    )


def tabulate_latency(timelines: Timelines, period: Period) -> EvidenceTable:
    """Return how long the steps of requests of the period took."""
    asked = [s for s in timelines.values() if period.holds(s.request.submitted_at)]
    return EvidenceTable(
        name="latency",
        title="How long people waited for a decision",
        evidence_for=(
            "Caldicott Principle 7: the duty to share is as important as the duty to "
            "protect. It shows whether those who need identities wait for reviewers."
        ),
        headers=LATENCY_HEADERS,
        rows=[format_step(each) for each in measure_latency(asked)],
        nothing="No request of this period was reviewed or released.",
    )


def tabulate_break_glass(
    timelines: Timelines, period: Period, *, now: datetime
) -> EvidenceTable:
    """Return every emergency release of the period, and its second review."""
    used = [
        timeline
        for timeline in list_released(timelines.values())
        if timeline.request.terms.mode is LinkageMode.BREAK_GLASS
        and period.holds(timeline.intent_at)
    ]
    return EvidenceTable(
        name="break_glass",
        title="Emergency releases, and whether each was reviewed afterwards",
        evidence_for=(
            "Caldicott Principle 4 and DSPT, emergency access: one guardian may open "
            "for one person at once, and somebody else looks at it afterwards. A "
            "release that still waits for that is not closed."
        ),
        headers=(
            "released",
            "request",
            "legal basis",
            "purpose",
            "redeemer",
            "approved by",
            "second review",
            "by",
            "after",
        ),
        rows=[_list_emergency_cells(timeline, now) for timeline in used],
        nothing="Break glass was not used in this period.",
    )


def _list_emergency_cells(timeline: RequestTimeline, now: datetime) -> tuple[str, ...]:
    second = timeline.later_votes[0] if timeline.later_votes else None
    begin = timeline.intent_at or now
    verdicts = {
        LinkageState.RELEASED: "confirmed",
        LinkageState.DISPUTED: "DISPUTED",
        LinkageState.AWAITING_SECOND_REVIEW: "STILL AWAITED",
    }
    return (
        format_moment(begin),
        timeline.request.request_id,
        timeline.request.terms.legal_basis.value,
        timeline.request.terms.purpose,
        timeline.request.terms.redeemer,
        _format_reviewers(timeline.earlier_votes),
        verdicts[timeline.state(now)],
        second.reviewer if second else "",
        format_duration((second.at if second else now) - begin),
    )


def _format_reviewers(votes: Sequence[Vote]) -> str:
    return ", ".join(
        f"{vote.reviewer} ({'guardian, ' if vote.guardian_of else ''}{vote.decision})"
        for vote in votes
    )
