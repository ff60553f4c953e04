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
from tests.lib.harnesses.linkage_fakes import (
    AUDITOR,
    COLLEAGUE,
    GUARDIAN,
    NUMBERS,
    OFFICER,
    RESEARCHER,
    SECOND_GUARDIAN,
    STRANGER,
    STROKE_GUARDIAN,
    THIRD,
    Bench,
    act,
)

LOW_ORDER_POINT = (1).to_bytes(32, "little")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def look(bench: Bench, request: LinkageRequest, actor) -> tuple[list[str], int]:
    view = bench.desk.get(request.request_id, actor=actor).view
    return [vote.reviewer for vote in view.votes], view.hidden_votes


def test_the_first_vote_is_hidden_until_the_second(bench: Bench) -> None:
    request = bench.submit()
    bench.vote(request, COLLEAGUE, decision=Decision.REJECT)
    assert bench.state(request) is LinkageState.PARTIALLY_REVIEWED
    assert look(bench, request, COLLEAGUE) == (["colleague"], 0)
    for other in (OFFICER, GUARDIAN, AUDITOR, THIRD):
        assert look(bench, request, other) == ([], 1)
    page = bench.desk.list("asthma", states=(), page_size=0, cursor=b"", actor=GUARDIAN)
    assert (page.views[0].votes, page.views[0].hidden_votes) == ((), 1)
    assert bench.vote(request, GUARDIAN) is LinkageState.REJECTED
    assert look(bench, request, OFFICER) == (["colleague", "guardian"], 0)


def test_a_lone_vote_is_shown_once_nothing_can_follow(bench: Bench) -> None:
    withdrawn, expired = bench.submit(), bench.submit(NUMBERS[1])
    bench.vote(withdrawn, COLLEAGUE)
    bench.vote(expired, COLLEAGUE)
    bench.desk.withdraw(withdrawn.request_id, reason="not needed", actor=OFFICER)
    assert look(bench, withdrawn, AUDITOR) == (["colleague"], 0)
    bench.clock.advance(days=1)
    assert look(bench, expired, AUDITOR) == (["colleague"], 0)


def test_reviews_go_on_until_a_guardian_has_spoken(bench: Bench) -> None:
    request = bench.submit()
    assert bench.vote(request, COLLEAGUE, THIRD) is LinkageState.PARTIALLY_REVIEWED
    assert bench.vote(request, GUARDIAN) is LinkageState.APPROVED
    with pytest.raises(RequestState):
        bench.vote(request, SECOND_GUARDIAN)


def test_who_may_not_review(bench: Bench) -> None:
    request = bench.submit(redeemer="colleague")
    for own in (OFFICER, COLLEAGUE):
        with pytest.raises(ReviewRefused):
            bench.vote(request, own)
    for outsider, refusal in (
        (RESEARCHER, AccessDenied),
        (AUDITOR, AccessDenied),
        (STRANGER, RequestUnknown),
    ):
        with pytest.raises(refusal):
            bench.vote(request, outsider)
    bench.vote(request, GUARDIAN)
    with pytest.raises(ReviewRefused, match="before"):
        bench.vote(request, GUARDIAN)


def test_a_review_is_of_what_was_seen(bench: Bench) -> None:
    request = bench.submit()
    with pytest.raises(ReviewRefused, match="read it again"):
        bench.desk.review(
            request.request_id,
            digest=bytes(32),
            decision=Decision.APPROVE,
            reason="",
            actor=GUARDIAN,
        )
    # Nor of a row that was changed after its submission, digest and all.
    bench.requests.edit(request.request_id, purpose="something else")
    changed = bench.requests.get(request.request_id).request
    with pytest.raises(ReviewRefused):
        bench.vote(changed, GUARDIAN)


@pytest.mark.parametrize("reason", ["", "  ", "she is 9990000018", "a\nb", "x" * 501])
def test_a_rejection_says_why_and_names_nobody(bench: Bench, reason: str) -> None:
    request = bench.submit()
    with pytest.raises(RequestRefused, match="reason"):
        bench.desk.review(
            request.request_id,
            digest=request.digest(),
            decision=Decision.REJECT,
            reason=reason,
            actor=GUARDIAN,
        )


def test_nobody_reviews_or_withdraws_when_time_is_over(bench: Bench) -> None:
    request = bench.submit()
    bench.clock.advance(hours=3)
    with pytest.raises(RequestExpired):
        bench.vote(request, GUARDIAN)
    with pytest.raises(RequestExpired):
        bench.desk.withdraw(request.request_id, reason="too late", actor=OFFICER)


def test_only_the_requester_withdraws(bench: Bench) -> None:
    request = bench.approved()
    for other in (GUARDIAN, COLLEAGUE):
        with pytest.raises(AccessDenied):
            bench.desk.withdraw(request.request_id, reason="I say so", actor=other)
    bench.redeem(request)
    with pytest.raises(RequestState):
        bench.desk.withdraw(request.request_id, reason="too late", actor=OFFICER)


def test_two_votes_at_one_moment_decide_together(bench: Bench) -> None:
    request = bench.submit(
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
    )
    bench.vote(request, COLLEAGUE)
    change = bench.requests.change_state
    colleague = read_vote(bench.book.course(request.request_id)[1])
    other = replace(
        colleague, reviewer=STROKE_GUARDIAN.subject, guardian_of=("stroke",)
    )
    coming = [bench.records.describe_review(request, other, step=3)]

    def let_another_vote_first(*args: Any, **named: Any) -> None:
        while coming:
            bench.log.extend("linkage-2", coming.pop())
        change(*args, **named)

    bench.requests.change_state = let_another_vote_first  # type: ignore[method-assign]
    assert bench.vote(request, GUARDIAN) is LinkageState.APPROVED
    assert bench.redeem(request).released_now


def test_what_else_asked_for_the_same_is_told(bench: Bench) -> None:
    first = bench.submit(*NUMBERS[:3], actor=COLLEAGUE)
    bench.submit(NUMBERS[4])
    request = bench.submit(*NUMBERS[1:4])
    (overlap,) = bench.desk.get(request.request_id, actor=GUARDIAN).overlaps
    assert (overlap.request_id, overlap.shared) == (first.request_id, 2)
    assert overlap.requester == "colleague"
    bench.clock.advance(days=1)
    (overlap,) = bench.desk.get(request.request_id, actor=GUARDIAN).overlaps
    assert overlap.state is LinkageState.EXPIRED


def test_who_sees_the_pseudonyms_of_a_translation(bench: Bench) -> None:
    request = bench.submit(
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
    )
    outside = act("stroke-researcher", "researcher:stroke")
    assert bench.desk.get(request.request_id, actor=outside).pseudonyms == ()
    for knows in (STROKE_GUARDIAN, GUARDIAN, RESEARCHER):
        shown = bench.desk.get(request.request_id, actor=knows).pseudonyms
        assert shown == tuple(request.subjects)


def list_all(bench: Bench, size: int, *states: LinkageState, actor=OFFICER):
    pages, cursor = [], b""
    while True:
        page = bench.desk.list(
            "asthma", states=states, page_size=size, cursor=cursor, actor=actor
        )
        pages.append([view.request.request_id for view in page.views])
        cursor = page.next_cursor
        if not cursor:
            return pages


def test_lists_come_newest_first_in_pages(bench: Bench) -> None:
    made = [bench.submit().request_id for _ in range(5)]
    assert list_all(bench, 2) == [
        [made[4], made[3]],
        [made[2], made[1]],
        [made[0]],
    ]
    assert list_all(bench, 5) == [made[::-1]]
    assert list_all(bench, 0) == [made[::-1]]
    page = bench.desk.list("asthma", states=(), page_size=1, cursor=b"", actor=OFFICER)
    assert page.views[0].request.subjects == ()
    assert page.views[0].subject_count == 1


def test_lists_know_what_has_expired(bench: Bench) -> None:
    old = bench.submit().request_id
    bench.clock.advance(hours=3)
    young = bench.submit().request_id
    assert list_all(bench, 1, LinkageState.EXPIRED) == [[old]]
    assert list_all(bench, 1, LinkageState.SUBMITTED) == [[young]]
    assert list_all(bench, 2, LinkageState.EXPIRED, LinkageState.SUBMITTED) == [
        [young, old]
    ]


def test_a_page_holds_at_most_a_hundred(bench: Bench) -> None:
    for _ in range(101):
        bench.submit()
    assert [len(page) for page in list_all(bench, 1000)] == [100, 1]
    assert [len(page) for page in list_all(bench, 0)][:2] == [20, 20]


def test_a_cursor_is_of_use_to_its_caller_and_list_only(bench: Bench) -> None:
    for _ in range(3):
        bench.submit()

    def read(cursor: bytes, *, project: str = "asthma", actor=OFFICER, states=()):
        return bench.desk.list(
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


def test_lists_are_for_those_of_the_project(bench: Bench) -> None:
    bench.submit()
    with pytest.raises(AccessDenied):
        list_all(bench, 1, actor=STRANGER)
    assert len(list_all(bench, 1, actor=AUDITOR)) == 1


def test_a_submission_stands_when_no_checkpoint_can_be_made(bench: Bench) -> None:
    bench.archive.failure = StoreUnavailable("out of reach")
    request = bench.submit()
    assert bench.state(request) is LinkageState.SUBMITTED
    bench.archive.failure = None
    bench.trail.checkpoint()
    assert bench.archive.copies


def test_the_target_of_a_translation_does_not_learn_what_else_was_asked(
    bench: Bench,
) -> None:
    bench.submit(NUMBERS[0])  # of the asthma project alone
    request = bench.submit(
        NUMBERS[0],
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
    )
    for actor, seen in ((GUARDIAN, 1), (STROKE_GUARDIAN, 0)):
        detail = bench.desk.get(request.request_id, actor=actor)
        assert len(detail.overlaps) == seen
