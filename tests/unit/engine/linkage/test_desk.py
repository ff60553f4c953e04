"""The desk: who reviews, who sees which vote, and lists."""

from dataclasses import replace
from typing import Any

import pytest

from pseudo_service.core.errors import (
    AccessDenied,
    InvalidArgument,
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
from tests.lib.harnesses.linkage_fakes import NUMBERS, LinkageHarness
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
    act,
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


def test_a_lone_vote_is_shown_once_nothing_can_follow(harness: LinkageHarness) -> None:
    withdrawn, expired = harness.submit(), harness.submit(NUMBERS[1])
    harness.vote(withdrawn, COLLEAGUE)
    harness.vote(expired, COLLEAGUE)
    harness.desk.withdraw(withdrawn.request_id, reason="not needed", actor=OFFICER)
    assert look(harness, withdrawn, AUDITOR) == (["colleague"], 0)
    harness.clock.advance(days=1)
    assert look(harness, expired, AUDITOR) == (["colleague"], 0)


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


def test_what_else_asked_for_the_same_is_told(harness: LinkageHarness) -> None:
    first = harness.submit(*NUMBERS[:3], actor=COLLEAGUE)
    harness.submit(NUMBERS[4])
    request = harness.submit(*NUMBERS[1:4])
    (overlap,) = harness.reader.get(request.request_id, actor=GUARDIAN).overlaps
    assert (overlap.request_id, overlap.shared) == (first.request_id, 2)
    assert overlap.requester == "colleague"
    harness.clock.advance(days=1)
    (overlap,) = harness.reader.get(request.request_id, actor=GUARDIAN).overlaps
    assert overlap.state is LinkageState.EXPIRED


def test_who_sees_the_pseudonyms_of_a_translation(harness: LinkageHarness) -> None:
    request = harness.submit(
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
    )
    outside = act("stroke-researcher", "researcher:stroke")
    assert harness.reader.get(request.request_id, actor=outside).pseudonyms == ()
    for knows in (STROKE_GUARDIAN, GUARDIAN, RESEARCHER):
        shown = harness.reader.get(request.request_id, actor=knows).pseudonyms
        assert shown == tuple(request.subjects)


def list_all(harness: LinkageHarness, size: int, *states: LinkageState, actor=OFFICER):
    pages, cursor = [], b""
    while True:
        page = harness.reader.list(
            "asthma", states=states, page_size=size, cursor=cursor, actor=actor
        )
        pages.append([view.request.request_id for view in page.views])
        cursor = page.next_cursor
        if not cursor:
            return pages


def test_lists_come_newest_first_in_pages(harness: LinkageHarness) -> None:
    made = [harness.submit().request_id for _ in range(5)]
    assert list_all(harness, 2) == [
        [made[4], made[3]],
        [made[2], made[1]],
        [made[0]],
    ]
    assert list_all(harness, 5) == [made[::-1]]
    assert list_all(harness, 0) == [made[::-1]]
    page = harness.reader.list(
        "asthma", states=(), page_size=1, cursor=b"", actor=OFFICER
    )
    assert page.views[0].request.subjects == ()
    assert page.views[0].subject_count == 1


def test_lists_know_what_has_expired(harness: LinkageHarness) -> None:
    old = harness.submit().request_id
    harness.clock.advance(hours=3)
    young = harness.submit().request_id
    assert list_all(harness, 1, LinkageState.EXPIRED) == [[old]]
    assert list_all(harness, 1, LinkageState.SUBMITTED) == [[young]]
    assert list_all(harness, 2, LinkageState.EXPIRED, LinkageState.SUBMITTED) == [
        [young, old]
    ]


def test_a_page_holds_at_most_a_hundred(harness: LinkageHarness) -> None:
    for _ in range(101):
        harness.submit()
    assert [len(page) for page in list_all(harness, 1000)] == [100, 1]
    assert [len(page) for page in list_all(harness, 0)][:2] == [20, 20]


def test_a_cursor_is_of_use_to_its_caller_and_list_only(
    harness: LinkageHarness,
) -> None:
    for _ in range(3):
        harness.submit()

    def read(cursor: bytes, *, project: str = "asthma", actor=OFFICER, states=()):
        return harness.reader.list(
            project, states=states, page_size=1, cursor=cursor, actor=actor
        )

    cursor = read(b"").next_cursor
    assert read(cursor).views
    both = act("officer", "linkage_officer:asthma", "linkage_officer:stroke")
    for misuse in (
        {"actor": COLLEAGUE},
        {"project": "stroke", "actor": both},
        {"states": (LinkageState.SUBMITTED,)},
    ):
        with pytest.raises(InvalidArgument, match="cursor"):
            read(cursor, **misuse)
    for bad in (cursor[:-1], b"x", bytes(len(cursor))):
        with pytest.raises(InvalidArgument, match="cursor"):
            read(bad)


def test_lists_are_for_those_of_the_project(harness: LinkageHarness) -> None:
    harness.submit()
    with pytest.raises(AccessDenied):
        list_all(harness, 1, actor=STRANGER)
    assert len(list_all(harness, 1, actor=AUDITOR)) == 1


def test_a_submission_stands_when_no_checkpoint_can_be_made(
    harness: LinkageHarness,
) -> None:
    harness.archive.failure = StoreUnavailable("out of reach")
    request = harness.submit()
    assert harness.state(request) is LinkageState.SUBMITTED
    harness.archive.failure = None
    harness.trail.checkpoint()
    assert harness.archive.copies


def test_the_target_of_a_translation_does_not_learn_what_else_was_asked(
    harness: LinkageHarness,
) -> None:
    harness.submit(NUMBERS[0])  # of the asthma project alone
    request = harness.submit(
        NUMBERS[0],
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
    )
    for actor, seen in ((GUARDIAN, 1), (STROKE_GUARDIAN, 0)):
        detail = harness.reader.get(request.request_id, actor=actor)
        assert len(detail.overlaps) == seen
