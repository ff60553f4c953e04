"""Which requests, votes and subjects each caller sees."""

import pytest

from pseudo_service.core.access.roles import Permission
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import AccessDenied, RequestUnknown
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageRequest,
    LinkageState,
    LinkageVerb,
)
from tests.lib.harnesses.linkage_fakes import NUMBERS, LinkageHarness
from tests.lib.values.linkage_actors import (
    AUDITOR,
    COLLEAGUE,
    GUARDIAN,
    OFFICER,
    RESEARCHER,
    STRANGER,
    STROKE_GUARDIAN,
    act,
)


@pytest.fixture
def harness() -> LinkageHarness:
    return LinkageHarness()


def look(
    harness: LinkageHarness, request: LinkageRequest, actor
) -> tuple[list[str], int]:
    view = harness.reader.get(request.request_id, actor=actor).view
    return [vote.reviewer for vote in view.votes], view.hidden_votes


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


def test_a_lone_vote_is_shown_once_nothing_can_follow(harness: LinkageHarness) -> None:
    withdrawn, expired = harness.submit(), harness.submit(NUMBERS[1])
    harness.vote(withdrawn, COLLEAGUE)
    harness.vote(expired, COLLEAGUE)
    harness.desk.withdraw(withdrawn.request_id, reason="not needed", actor=OFFICER)
    assert look(harness, withdrawn, AUDITOR) == (["colleague"], 0)
    harness.clock.advance(days=1)
    assert look(harness, expired, AUDITOR) == (["colleague"], 0)


def test_a_vote_shows_itself_to_its_voter_only(harness: LinkageHarness) -> None:
    request = harness.submit()
    harness.vote(request, COLLEAGUE, decision=Decision.REJECT)
    assert look(harness, request, COLLEAGUE) == (["colleague"], 0)
    for other in (OFFICER, GUARDIAN, AUDITOR):
        assert look(harness, request, other) == ([], 1)


def test_several_requests_are_shown_each_with_its_votes(
    harness: LinkageHarness,
) -> None:
    decided, fresh = harness.approved(NUMBERS[0]), harness.submit(NUMBERS[1])
    stored = [harness.requests.get(each.request_id) for each in (fresh, decided)]
    views = harness.visibility.show_all(stored, GUARDIAN)
    assert [view.request.request_id for view in views] == [
        fresh.request_id,
        decided.request_id,
    ]
    assert [len(view.votes) for view in views] == [0, 2]
    assert harness.visibility.show_all([], GUARDIAN) == ()


def test_the_number_of_subjects_is_known_without_them(harness: LinkageHarness) -> None:
    harness.submit(*NUMBERS[:3])
    (listed,) = harness.requests.list("asthma", states=(), before=None, limit=9)
    assert listed.request.subjects == ()
    assert harness.visibility.show(listed, GUARDIAN).subject_count == 3


def test_nobody_is_shown_the_index_of_a_person(harness: LinkageHarness) -> None:
    request = harness.submit(
        verb=LinkageVerb.LOCATE,
        legal_basis=LegalBasis.SUBJECT_REQUEST,
        pseudonyms=(),
        identifier=NUMBERS[0],
        kind="nhs_number",
    )
    for actor in (OFFICER, GUARDIAN, AUDITOR):
        assert harness.visibility.show_subjects(request, actor) == ()


def test_only_an_officer_of_its_project_finds_a_request_to_redeem(
    harness: LinkageHarness,
) -> None:
    request = harness.submit()
    found = harness.visibility.find_to_redeem(request.request_id, COLLEAGUE)
    assert found.request == request
    with pytest.raises(AccessDenied):
        harness.visibility.find_to_redeem(request.request_id, GUARDIAN)
    assert len(harness.events(AuditKind.CALL_REFUSED)) == 1
    with pytest.raises(RequestUnknown):
        harness.visibility.find_to_redeem(request.request_id, STRANGER)


def test_a_permission_in_either_project_suffices(harness: LinkageHarness) -> None:
    request = harness.submit(
        verb=LinkageVerb.TRANSLATE,
        target_project="stroke",
        legal_basis=LegalBasis.SECTION_251,
    )
    for actor in (GUARDIAN, STROKE_GUARDIAN):
        harness.visibility.require(request, Permission.REVIEW_LINKAGE, actor)
    with pytest.raises(AccessDenied):
        harness.visibility.require(request, Permission.REVIEW_LINKAGE, RESEARCHER)
    assert len(harness.events(AuditKind.CALL_REFUSED)) == 1
