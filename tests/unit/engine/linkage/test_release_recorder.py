"""What a release writes, and which kept result it returns."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import (
    GrantRefused,
    GrantSpent,
    RequestExpired,
    RequestState,
    RequestUnknown,
)
from pseudo_service.core.linkage.request import LinkageState
from pseudo_service.core.linkage.results import seal_result
from pseudo_service.engine.linkage.approval_verifier import ApprovedRequest
from pseudo_service.engine.linkage.release_answers import Answered
from pseudo_service.ports.linkage_requests import KeptResult, StoredRequest
from tests.lib.harnesses.linkage_fakes import NUMBERS, LinkageHarness
from tests.lib.values.linkage_actors import OFFICER

APPROVED, RELEASED = LinkageState.APPROVED, LinkageState.RELEASED


@pytest.fixture
def harness() -> LinkageHarness:
    return LinkageHarness()


def approve(harness: LinkageHarness) -> ApprovedRequest:
    request = harness.approved()
    return harness.verifier.verify(harness.requests.get(request.request_id))


def make_answer(*codes: str) -> Answered:
    return Answered(
        plain=b"plain",
        counts={"found": len(codes)},
        subject_codes=codes,
        register_faults=0,
    )


def read_stored(harness: LinkageHarness, approved: ApprovedRequest) -> StoredRequest:
    return harness.requests.get(approved.request.request_id)


def test_the_intent_comes_with_the_new_state(harness: LinkageHarness) -> None:
    approved = approve(harness)
    harness.recorder.use_approval(approved, old=APPROVED, new=RELEASED)
    assert read_stored(harness, approved).state is RELEASED
    (intent,) = harness.events(AuditKind.LINKAGE_RELEASE_INTENT)
    assert json.loads(intent.body)["details"]["step"] == approved.step == 4


def test_an_approval_is_used_once(harness: LinkageHarness) -> None:
    approved = approve(harness)
    harness.recorder.use_approval(approved, old=APPROVED, new=RELEASED)
    with pytest.raises(GrantSpent, match="at this moment"):
        harness.recorder.use_approval(approved, old=APPROVED, new=RELEASED)
    assert len(harness.events(AuditKind.LINKAGE_RELEASE_INTENT)) == 1


def test_an_approval_is_not_used_from_its_expiry_on(harness: LinkageHarness) -> None:
    approved = approve(harness)
    left = approved.request.terms.expires_at - harness.clock.now()
    harness.clock.advance(seconds=left.total_seconds())
    with pytest.raises(RequestExpired):
        harness.recorder.use_approval(approved, old=APPROVED, new=RELEASED)
    assert read_stored(harness, approved).state is APPROVED


def test_a_result_is_kept_with_its_codes_and_digest(harness: LinkageHarness) -> None:
    approved = approve(harness)
    kept = harness.recorder.keep(approved, make_answer("aa", "bb"), b"sealed")
    assert kept.available_until == approved.request.terms.expires_at
    assert harness.requests.results == {approved.request.request_id: kept}
    (subjects,) = harness.events(AuditKind.LINKAGE_SUBJECTS)
    assert json.loads(subjects.body)["details"]["codes"] == "aa,bb"
    (released,) = harness.events(AuditKind.LINKAGE_RELEASED)
    details = json.loads(released.body)["details"]
    assert details["sealed_digest"] == hashlib.sha256(b"sealed").hexdigest()
    assert details["found"] == 2


def test_what_was_kept_is_fetched_and_recorded(harness: LinkageHarness) -> None:
    approved = approve(harness)
    harness.recorder.use_approval(approved, old=APPROVED, new=RELEASED)
    kept = harness.recorder.keep(approved, make_answer(), b"sealed")
    stored, now = read_stored(harness, approved), harness.clock.now()
    assert harness.recorder.fetch(stored, at=now) == kept
    (fetched,) = harness.events(AuditKind.LINKAGE_FETCHED)
    assert json.loads(fetched.body)["details"]["step"] == approved.step


def test_a_release_without_a_result_is_spent(harness: LinkageHarness) -> None:
    approved = approve(harness)
    harness.recorder.use_approval(approved, old=APPROVED, new=RELEASED)
    with pytest.raises(GrantSpent, match="new request"):
        harness.recorder.fetch(read_stored(harness, approved), at=harness.clock.now())


@pytest.mark.parametrize("state", [LinkageState.DISPUTED, APPROVED])
def test_a_state_without_a_fetch_returns_nothing(
    harness: LinkageHarness, state: LinkageState
) -> None:
    stored = replace(read_stored(harness, approve(harness)), state=state)
    with pytest.raises(RequestState):
        harness.recorder.fetch(stored, at=harness.clock.now())


def test_a_refusal_is_recorded_by_its_code_and_raised(harness: LinkageHarness) -> None:
    request = harness.submit()
    with (
        pytest.raises(RequestUnknown),
        harness.recorder.record_refusals(request, OFFICER),
    ):
        raise RequestUnknown("there is none")
    (refused,) = harness.events(AuditKind.LINKAGE_REFUSED)
    event = json.loads(refused.body)
    assert event["details"] == {"code": "REQUEST_UNKNOWN"}
    assert (event["actor"], event["operation"]) == ("officer", request.request_id)


def test_a_fault_of_the_program_is_no_refusal(harness: LinkageHarness) -> None:
    request = harness.submit()
    with (
        pytest.raises(ZeroDivisionError),
        harness.recorder.record_refusals(request, OFFICER),
    ):
        raise ZeroDivisionError
    assert not harness.events(AuditKind.LINKAGE_REFUSED)


def test_a_kept_result_that_somebody_wrote_is_not_handed_out(
    harness: LinkageHarness,
) -> None:
    # Anybody can seal to the officer's public key, and bind it to the digest.
    request = harness.approved(NUMBERS[0])
    harness.redeem(request)
    kept = harness.requests.results[request.request_id]
    forged = replace(kept, sealed=seal_result(request, b"another person"))
    harness.requests.results[request.request_id] = forged
    with pytest.raises(GrantRefused):
        harness.redeem(request)


def test_a_result_of_no_release_is_not_handed_out(harness: LinkageHarness) -> None:
    request = harness.submit(NUMBERS[0])
    stored = harness.requests.stored[request.request_id]
    harness.requests.stored[request.request_id] = replace(
        stored, state=LinkageState.RELEASED
    )
    harness.requests.results[request.request_id] = KeptResult(
        sealed=seal_result(request, b"another person"),
        available_until=request.terms.expires_at,
    )
    with pytest.raises(GrantRefused):
        harness.redeem(request)


def test_a_result_is_not_kept_longer_by_whoever_edits_the_row(
    harness: LinkageHarness,
) -> None:
    request = harness.approved(NUMBERS[0])
    harness.redeem(request)
    later = request.terms.expires_at + timedelta(days=10)
    harness.requests.edit(request.request_id, expires_at=later)
    harness.clock.advance(hours=4)
    with pytest.raises(GrantRefused):
        harness.redeem(request)
