"""The desk: who reviews, what a vote decides, and who withdraws."""

from dataclasses import replace
from typing import Any

import pytest

from pseudo_service.core.errors import (
    AccessDenied,
    RequestExpired,
    RequestRefused,
    RequestState,
    RequestUnknown,
    ReviewRefused,
    StoreUnavailable,
)
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageRequest,
    LinkageState,
    LinkageVerb,
)
from pseudo_service.core.linkage.sealed_events import read_vote
from tests.lib.harnesses.linkage_fakes import LinkageHarness
from tests.lib.values.linkage_actors import (
    AUDITOR,
    COLLEAGUE,
    GUARDIAN,
    OFFICER,
    RESEARCHER,
    SECOND_GUARDIAN,
    STRANGER,
    STROKE_GUARDIAN,
    THIRD,
)

LOW_ORDER_POINT = (1).to_bytes(32, "little")


@pytest.fixture
def harness() -> LinkageHarness:
    return LinkageHarness()


def look(
    harness: LinkageHarness, request: LinkageRequest, actor
) -> tuple[list[str], int]:
    view = harness.reader.get(request.request_id, actor=actor).view
    return [vote.reviewer for vote in view.votes], view.hidden_votes


def test_the_first_vote_is_hidden_until_the_second(harness: LinkageHarness) -> None:
    request = harness.submit()
    harness.vote(request, COLLEAGUE, decision=Decision.REJECT)
    assert harness.state(request) is LinkageState.PARTIALLY_REVIEWED
    assert look(harness, request, COLLEAGUE) == (["colleague"], 0)
    for other in (OFFICER, GUARDIAN, AUDITOR, THIRD):
        assert look(harness, request, other) == ([], 1)
    page = harness.reader.list(
        "asthma", states=(), page_size=0, cursor=b"", actor=GUARDIAN
    )
    assert (page.views[0].votes, page.views[0].hidden_votes) == ((), 1)
    assert harness.vote(request, GUARDIAN) is LinkageState.REJECTED
    assert look(harness, request, OFFICER) == (["colleague", "guardian"], 0)


def test_reviews_go_on_until_a_guardian_has_spoken(harness: LinkageHarness) -> None:
    request = harness.submit()
    assert harness.vote(request, COLLEAGUE, THIRD) is LinkageState.PARTIALLY_REVIEWED
    assert harness.vote(request, GUARDIAN) is LinkageState.APPROVED
    with pytest.raises(RequestState):
        harness.vote(request, SECOND_GUARDIAN)


def test_who_may_not_review(harness: LinkageHarness) -> None:
    request = harness.submit(redeemer="colleague")
    for own in (OFFICER, COLLEAGUE):
        with pytest.raises(ReviewRefused):
            harness.vote(request, own)
    for outsider, refusal in (
        (RESEARCHER, AccessDenied),
        (AUDITOR, AccessDenied),
        (STRANGER, RequestUnknown),
    ):
        with pytest.raises(refusal):
            harness.vote(request, outsider)
    harness.vote(request, GUARDIAN)
    with pytest.raises(ReviewRefused, match="before"):
        harness.vote(request, GUARDIAN)


def test_a_review_is_of_what_was_seen(harness: LinkageHarness) -> None:
    request = harness.submit()
    with pytest.raises(ReviewRefused, match="read it again"):
        harness.desk.review(
            request.request_id,
            digest=bytes(32),
            decision=Decision.APPROVE,
            reason="",
            actor=GUARDIAN,
        )
    # Nor of a row that was changed after its submission, digest and all.
    harness.requests.edit(request.request_id, purpose="something else")
    changed = harness.requests.get(request.request_id).request
    with pytest.raises(ReviewRefused):
        harness.vote(changed, GUARDIAN)


@pytest.mark.parametrize("reason", ["", "  ", "she is 9990000018", "a\nb", "x" * 501])
def test_a_rejection_says_why_and_names_nobody(
    harness: LinkageHarness, reason: str
) -> None:
    request = harness.submit()
    with pytest.raises(RequestRefused, match="reason"):
        harness.desk.review(
            request.request_id,
            digest=request.digest(),
            decision=Decision.REJECT,
            reason=reason,
            actor=GUARDIAN,
        )


def test_nobody_reviews_or_withdraws_when_time_is_over(harness: LinkageHarness) -> None:
    request = harness.submit()
    harness.clock.advance(hours=3)
    with pytest.raises(RequestExpired):
        harness.vote(request, GUARDIAN)
    with pytest.raises(RequestExpired):
        harness.desk.withdraw(request.request_id, reason="too late", actor=OFFICER)


def test_only_the_requester_withdraws(harness: LinkageHarness) -> None:
    request = harness.approved()
    for other in (GUARDIAN, COLLEAGUE):
        with pytest.raises(AccessDenied):
            harness.desk.withdraw(request.request_id, reason="I say so", actor=other)
    harness.redeem(request)
    with pytest.raises(RequestState):
        harness.desk.withdraw(request.request_id, reason="too late", actor=OFFICER)


def test_two_votes_at_one_moment_decide_together(harness: LinkageHarness) -> None:
    request = harness.submit(
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
    )
    harness.vote(request, COLLEAGUE)
    change = harness.requests.change_state
    colleague = read_vote(harness.index.events_of(request.request_id).records[1])
    other = replace(
        colleague, reviewer=STROKE_GUARDIAN.subject, guardian_of=("stroke",)
    )
    coming = [harness.sealer.describe_review(request, other, step=3)]

    def let_another_vote_first(*args: Any, **named: Any) -> None:
        while coming:
            harness.log.extend("linkage-2", coming.pop())
        change(*args, **named)

    harness.requests.change_state = let_another_vote_first  # type: ignore[method-assign]
    assert harness.vote(request, GUARDIAN) is LinkageState.APPROVED
    assert harness.redeem(request).released_now


def test_a_submission_stands_when_no_checkpoint_can_be_made(
    harness: LinkageHarness,
) -> None:
    harness.archive.failure = StoreUnavailable("out of reach")
    request = harness.submit()
    assert harness.state(request) is LinkageState.SUBMITTED
    harness.archive.failure = None
    harness.trail.checkpoint()
    assert harness.archive.copies
