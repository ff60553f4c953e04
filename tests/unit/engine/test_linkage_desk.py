"""The desk: what may be asked, who sees which vote, and lists."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pseudo_service.core.audit import AuditKind
from pseudo_service.core.errors import (
    AccessDenied,
    InvalidArgument,
    ProjectNotActive,
    ProjectUnknown,
    PseudoError,
    PurposeMissing,
    RequestExpired,
    RequestRefused,
    RequestState,
    RequestUnknown,
    ReviewRefused,
    StoreUnavailable,
)
from pseudo_service.core.linkage import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageRequest,
    LinkageState,
    LinkageVerb,
)
from pseudo_service.core.linkage_records import read_vote
from pseudo_service.core.projects import ProjectState
from tests.lib.linkage_fakes import (
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


def test_a_submission_is_sorted_distinct_and_recorded(bench: Bench) -> None:
    view = bench.desk.submit(
        bench.submission(NUMBERS[2], NUMBERS[0], NUMBERS[2]), actor=OFFICER
    )
    expected = sorted(bench.pseudonym(n) for n in (NUMBERS[0], NUMBERS[2]))
    assert list(view.request.subjects) == expected
    assert view.subject_count == 2
    assert view.state is LinkageState.SUBMITTED
    assert view.digest == view.request.digest()
    assert view.request.redeemer == OFFICER.subject
    assert len(bench.events(AuditKind.LINKAGE_SUBMITTED)) == 1
    assert bench.log.stored[-1].heads == tuple(bench.log.heads())


def test_expiry_is_kept_in_utc(bench: Bench) -> None:
    summer = timezone(timedelta(hours=1))
    expires = (bench.clock.now() + timedelta(hours=5)).astimezone(summer)
    request = bench.submit(expires_at=expires)
    assert request.expires_at == expires
    assert request.expires_at.tzinfo is UTC


BAD: dict[str, dict[str, Any]] = {
    "no pseudonyms": {"pseudonyms": []},
    "not a pseudonym": {"pseudonyms": ["ABCD-N1"]},
    "blank consent": {"consent_reference": "  "},
    "consent names a patient": {"consent_reference": "letter about 9990000018"},
    "key too short": {"recipient_key": bytes(31)},
    "key of zeros": {"recipient_key": bytes(32)},
    "key of low order": {"recipient_key": LOW_ORDER_POINT},
    "target without translation": {"target_project": "stroke"},
    "translation without target": {"verb": LinkageVerb.TRANSLATE},
    "translation into itself": {
        "verb": LinkageVerb.TRANSLATE,
        "target_project": "asthma",
    },
    "an identifier to re-identify": {"identifier": NUMBERS[0], "kind": "nhs_number"},
    "a kind to re-identify": {"kind": "nhs_number"},
    "redeemer of blanks": {"redeemer": " officer "},
    "locate by pseudonym": {
        "verb": LinkageVerb.LOCATE,
        "legal_basis": LegalBasis.SUBJECT_REQUEST,
    },
    "locate a bad number": {
        "verb": LinkageVerb.LOCATE,
        "legal_basis": LegalBasis.SUBJECT_REQUEST,
        "pseudonyms": [],
        "identifier": "9990000019",
        "kind": "nhs_number",
    },
    "locate a kind that is none": {
        "verb": LinkageVerb.LOCATE,
        "legal_basis": LegalBasis.SUBJECT_REQUEST,
        "pseudonyms": [],
        "identifier": NUMBERS[0],
        "kind": "Surname",
    },
    "locate for research": {
        "verb": LinkageVerb.LOCATE,
        "legal_basis": LegalBasis.PUBLIC_INTEREST,
        "pseudonyms": [],
        "identifier": NUMBERS[0],
        "kind": "nhs_number",
    },
    "break glass to translate": {
        "mode": LinkageMode.BREAK_GLASS,
        "verb": LinkageVerb.TRANSLATE,
        "target_project": "stroke",
    },
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD.keys())
def test_what_is_missing_or_too_much_is_refused(
    bench: Bench, fields: dict[str, Any]
) -> None:
    with pytest.raises(RequestRefused) as refusal:
        bench.submit(**fields)
    assert not bench.requests.stored
    for value in (*NUMBERS, "9990000019", "ABCD-N1"):
        assert value not in refusal.value.message


@pytest.mark.parametrize("purpose", ["", "  ", "about 9990000018", "x"])
def test_a_purpose_is_mandatory(bench: Bench, purpose: str) -> None:
    with pytest.raises(PurposeMissing):
        bench.submit(purpose=purpose)


@pytest.mark.parametrize(
    ("mode", "life", "is_taken"),
    [
        (LinkageMode.ROUTINE, timedelta(minutes=59), False),
        (LinkageMode.ROUTINE, timedelta(hours=1), True),
        (LinkageMode.ROUTINE, timedelta(days=30), True),
        (LinkageMode.ROUTINE, timedelta(days=30, seconds=1), False),
        (LinkageMode.BREAK_GLASS, timedelta(0), False),
        (LinkageMode.BREAK_GLASS, timedelta(minutes=1), True),
        (LinkageMode.BREAK_GLASS, timedelta(hours=4), True),
        (LinkageMode.BREAK_GLASS, timedelta(hours=4, seconds=1), False),
    ],
)
def test_each_mode_has_its_life(
    bench: Bench, mode: LinkageMode, life: timedelta, is_taken: bool
) -> None:
    expires_at = bench.clock.now() + life
    if is_taken:
        assert bench.submit(mode=mode, expires_at=expires_at).expires_at == expires_at
    else:
        with pytest.raises(RequestRefused, match="expiry"):
            bench.submit(mode=mode, expires_at=expires_at)


def test_an_expiry_without_a_zone_is_refused(bench: Bench) -> None:
    with pytest.raises(RequestRefused, match="zone"):
        bench.submit(expires_at=datetime(2026, 3, 2, 12, 0))  # noqa: DTZ001


def test_bad_pseudonyms_are_named_by_position_only(bench: Bench) -> None:
    good = bench.pseudonym()
    listed = [good, good[:-1] + ("0" if good[-1] != "0" else "1"), good, "x"]
    with pytest.raises(RequestRefused, match=r"2 are not .* positions 1, 3;"):
        bench.submit(pseudonyms=listed)


def test_a_request_lists_no_more_than_the_project_allows(bench: Bench) -> None:
    bench.change_project("asthma", linkage_ceiling=2)
    bench.submit(*NUMBERS[:2])
    with pytest.raises(RequestRefused, match="1 to 2"):
        bench.submit(*NUMBERS[:3])


def test_break_glass_is_for_one_person(bench: Bench) -> None:
    with pytest.raises(RequestRefused, match="exactly one"):
        bench.submit(*NUMBERS[:2], mode=LinkageMode.BREAK_GLASS)


def test_a_researcher_names_an_officer(bench: Bench) -> None:
    for redeemer in ("", RESEARCHER.subject):
        with pytest.raises(RequestRefused, match="redeemer"):
            bench.submit(actor=RESEARCHER, redeemer=redeemer)
    request = bench.submit(actor=RESEARCHER, redeemer="officer")
    bench.vote(request, COLLEAGUE, GUARDIAN)
    with pytest.raises(AccessDenied):
        bench.redeem(request, RESEARCHER)
    assert bench.redeem(request, OFFICER).released_now


def test_a_researcher_locates_nobody(bench: Bench) -> None:
    with pytest.raises(AccessDenied):
        bench.submit(
            actor=RESEARCHER,
            redeemer="officer",
            verb=LinkageVerb.LOCATE,
            legal_basis=LegalBasis.SUBJECT_REQUEST,
            pseudonyms=[],
            identifier=NUMBERS[0],
            kind="nhs_number",
        )
    assert bench.events(AuditKind.CALL_REFUSED)


@pytest.mark.parametrize(
    "actor", [GUARDIAN, AUDITOR, STRANGER, act("p", "pipeline:asthma")]
)
def test_only_officers_and_researchers_ask(bench: Bench, actor) -> None:
    with pytest.raises(AccessDenied):
        bench.submit(actor=actor)


def test_projects_must_be_there_and_active(bench: Bench) -> None:
    translation = {"verb": LinkageVerb.TRANSLATE, "target_project": "nowhere"}
    with pytest.raises(ProjectUnknown):
        bench.submit(**translation)
    bench.change_project("stroke", state=ProjectState.SUSPENDED)
    with pytest.raises(ProjectNotActive):
        bench.submit(**translation | {"target_project": "stroke"})
    bench.change_project("asthma", state=ProjectState.CLOSING)
    with pytest.raises(ProjectNotActive):
        bench.submit()


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


def test_no_refusal_repeats_what_was_sent(bench: Bench) -> None:
    secret = bench.pseudonym()
    for fields in (
        {"redeemer": secret * 20},
        {"kind": secret},
        {"purpose": secret * 9},
    ):
        with pytest.raises(PseudoError) as refusal:
            bench.submit(**fields)
        assert secret not in str(refusal.value)
