"""Evidence about re-identification: who asked, judged and received, and how fast."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pseudo_service.core.evidence.open_intents import (
    LATENCY_HEADERS,
    list_released,
    measure_latency,
    write_duration,
    write_step,
)
from pseudo_service.core.evidence.tables import EvidenceTable, Period, write_moment
from pseudo_service.core.linkage.history import RequestTimeline
from pseudo_service.core.linkage.request import LinkageMode, LinkageState, Vote

Stories = Mapping[str, RequestTimeline]


def tabulate_releases(stories: Stories, period: Period) -> EvidenceTable:
    """Return every release that was begun in the period."""
    released = [s for s in list_released(stories.values()) if period.holds(s.intent_at)]
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
        rows=[_write_release(story) for story in released],
        nothing="Nobody was re-identified, translated or located in this period.",
    )


def _write_release(story: RequestTimeline) -> tuple[str, ...]:
    request = story.request
    return (
        write_moment(story.released_at) or "outcome not recorded",
        request.request_id,
        request.verb.value,
        request.mode.value,
        request.legal_basis.value,
        request.purpose,
        request.consent_reference,
        request.target_project,
        request.requester,
        _name_reviewers(story.votes),
        request.redeemer,
        str(story.subject_count),
        str(story.outcomes.get("found", 0)) if story.released_at else "",
        str(story.fetched),
    )


def tabulate_decisions(
    stories: Stories, period: Period, *, now: datetime
) -> EvidenceTable:
    """Return every request that was submitted in the period, and what became of it."""
    submitted = [
        story for story in stories.values() if period.holds(story.request.submitted_at)
    ]
    return EvidenceTable(
        name="decisions",
        title="Requests, and how they were decided",
        evidence_for=(
            "Caldicott Principles 3 and 4: other people than who asks judge each "
            "request, a guardian of every project among them; requests are also "
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
        rows=[_write_decision(story, now) for story in submitted],
        nothing="Nothing was asked for in this period.",
    )


def _write_decision(story: RequestTimeline, now: datetime) -> tuple[str, ...]:
    request, begin = story.request, story.request.submitted_at
    first = story.votes[0].at if story.votes else None
    return (
        write_moment(begin),
        request.request_id,
        request.verb.value,
        request.mode.value,
        str(story.subject_count),
        request.requester,
        story.state(now).value,
        _name_reviewers(story.votes),
        write_duration(first - begin) if first else "",
        write_duration(story.decided_at - begin) if story.decided_at else "",
    )


def tabulate_latency(stories: Stories, period: Period) -> EvidenceTable:
    """Return how long the steps of requests of the period took."""
    asked = [s for s in stories.values() if period.holds(s.request.submitted_at)]
    return EvidenceTable(
        name="latency",
        title="How long people waited for a decision",
        evidence_for=(
            "Caldicott Principle 7: the duty to share is as important as the duty to "
            "protect. It shows whether those who need identities wait for reviewers."
        ),
        headers=LATENCY_HEADERS,
        rows=[write_step(each) for each in measure_latency(asked)],
        nothing="No request of this period was reviewed or released.",
    )


def tabulate_break_glass(
    stories: Stories, period: Period, *, now: datetime
) -> EvidenceTable:
    """Return every emergency release of the period, and its second review."""
    used = [
        story
        for story in list_released(stories.values())
        if story.request.mode is LinkageMode.BREAK_GLASS
        and period.holds(story.intent_at)
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
        rows=[_write_emergency(story, now) for story in used],
        nothing="Break glass was not used in this period.",
    )


def _write_emergency(story: RequestTimeline, now: datetime) -> tuple[str, ...]:
    second = story.later_votes[0] if story.later_votes else None
    begin = story.intent_at or now
    verdicts = {
        LinkageState.RELEASED: "confirmed",
        LinkageState.DISPUTED: "DISPUTED",
        LinkageState.AWAITING_SECOND_REVIEW: "STILL AWAITED",
    }
    return (
        write_moment(begin),
        story.request.request_id,
        story.request.legal_basis.value,
        story.request.purpose,
        story.request.redeemer,
        _name_reviewers(story.earlier_votes),
        verdicts[story.state(now)],
        second.reviewer if second else "",
        write_duration((second.at if second else now) - begin),
    )


def _name_reviewers(votes: Sequence[Vote]) -> str:
    return ", ".join(
        f"{vote.reviewer} ({'guardian, ' if vote.guardian_of else ''}{vote.decision})"
        for vote in votes
    )
