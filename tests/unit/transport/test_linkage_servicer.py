"""What the linkage service takes off the wire and puts on it."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import grpc
import pytest

from pseudo_client import ProtocolBroken, ServiceError
from pseudo_client.errors import AccessDenied, GrantSpent, InvalidArgument
from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.api.v1 import linkage_pb2 as pb
from pseudo_service.api.v1.linkage_pb2_grpc import LinkageServiceStub
from pseudo_service.core import errors
from pseudo_service.core.linkage.request import (
    TERM_NAMES,
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageState,
    LinkageTerms,
    LinkageVerb,
)
from pseudo_service.engine.linkage.views import LinkageSubmission, OverlapView
from pseudo_service.transport.codecs.linkage import CHUNK_BYTES
from tests.lib.services.fake_desk import (
    NOON,
    PSEUDONYMS,
    RunningDesk,
    make_vote,
    serve_desk,
)

ASKED = {
    "verb": "translate",
    "mode": "routine",
    "project": "asthma",
    "target_project": "stroke",
    "pseudonyms": list(PSEUDONYMS),
    "purpose": "joint analysis",
    "legal_basis": "section_251",
    "consent_reference": "24/CAG/0001",
    "recipient_key": b"\x07" * 32,
    "redeemer": "olek",
    "expires_at": NOON,
}


@pytest.fixture
def running(certificates: LocalCertificates) -> Iterator[RunningDesk]:
    with serve_desk(certificates) as desk:
        yield desk


def test_a_submission_arrives_whole(running: RunningDesk) -> None:
    made = running.client.submit_linkage(**ASKED)
    ((name, asked),) = running.desk.asked
    assert name == "submit"
    assert asked["actor"].subject == "tester"
    assert asked["submission"] == LinkageSubmission(
        terms=LinkageTerms(
            verb=LinkageVerb.TRANSLATE,
            mode=LinkageMode.ROUTINE,
            project="asthma",
            target_project="stroke",
            purpose="joint analysis",
            legal_basis=LegalBasis.SECTION_251,
            consent_reference="24/CAG/0001",
            recipient_key=b"\x07" * 32,
            redeemer="olek",
            expires_at=NOON,
        ),
        pseudonyms=PSEUDONYMS,
        identifier="",
        kind="",
    )
    assert made.digest == running.desk.request.digest()


def test_a_person_to_locate_arrives(running: RunningDesk) -> None:
    running.client.submit_linkage(
        **{**ASKED, "verb": "locate", "pseudonyms": ()},
        identifier="9990000018",
        kind="nhs_number",
    )
    submission = running.desk.asked[0][1]["submission"]
    assert (submission.identifier, submission.kind) == ("9990000018", "nhs_number")
    assert "9990000018" not in repr(submission)


@pytest.mark.parametrize("field", ["verb", "mode", "legal_basis"])
def test_a_choice_is_one_of_its_list(running: RunningDesk, field: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{field}: give one of") as caught:
        running.client.submit_linkage(**{**ASKED, field: "999 000 0018"})
    assert "999" not in caught.value.message
    assert running.desk.asked == []


def test_a_submission_says_until_when(running: RunningDesk) -> None:
    credentials = grpc.ssl_channel_credentials(running.authority)
    with grpc.secure_channel(running.address, credentials) as channel:
        stub = LinkageServiceStub(channel)
        request = pb.SubmitLinkageRequest(
            verb="reidentify", mode="routine", legal_basis="direct_care"
        )
        with pytest.raises(grpc.RpcError) as caught:
            stub.SubmitLinkage(
                request, metadata=(("authorization", "Bearer good"),), timeout=30
            )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "expires_at" in caught.value.details()


def test_what_is_shown_is_the_request(running: RunningDesk) -> None:
    desk = running.desk
    desk.state, desk.hidden_votes = LinkageState.PARTIALLY_REVIEWED, 1
    desk.votes = (make_vote(),)
    desk.overlaps = (
        OverlapView(
            request_id="11bb",
            shared=2,
            state=LinkageState.RELEASED,
            requester="mara",
            submitted_at=NOON,
        ),
    )
    details = running.client.get_linkage("3f0c")
    linkage, request = details.linkage, desk.request
    for name in ("request_id", "requester", "submitted_at"):
        assert getattr(linkage, name) == getattr(request, name), name
    for name in TERM_NAMES:
        assert getattr(linkage, name) == getattr(request.terms, name), name
    assert (linkage.subject_count, linkage.state) == (2, "partially_reviewed")
    assert linkage.digest == request.digest()
    assert details.pseudonyms == PSEUDONYMS
    (vote,) = linkage.votes
    assert (vote.reviewer, vote.guardian_of, vote.decision, vote.reason, vote.at) == (
        "gwen",
        ("asthma",),
        "approve",
        "it is care",
        NOON,
    )
    assert linkage.hidden_votes == 1
    (overlap,) = details.overlaps
    assert (overlap.request_id, overlap.shared, overlap.state) == (
        "11bb",
        2,
        "released",
    )


def test_a_review_names_what_was_seen(running: RunningDesk) -> None:
    running.client.review_linkage(
        "3f0c", digest=b"\x01" * 32, decision="reject", reason="no consent"
    )
    (_, asked), *_ = running.desk.asked
    assert asked.pop("actor").subject == "tester"
    assert asked == {
        "request_id": "3f0c",
        "digest": b"\x01" * 32,
        "decision": Decision.REJECT,
        "reason": "no consent",
    }
    with pytest.raises(InvalidArgument, match="decision"):
        running.client.review_linkage("3f0c", digest=b"", decision="yes", reason="x")


def test_a_request_is_taken_back(running: RunningDesk) -> None:
    running.client.withdraw_linkage("3f0c", reason="sent twice")
    name, asked = running.desk.asked[0]
    assert (name, asked["request_id"], asked["reason"]) == (
        "withdraw",
        "3f0c",
        "sent twice",
    )


def test_a_list_is_read_to_its_end(running: RunningDesk) -> None:
    running.desk.pages = 3
    found = list(running.client.list_linkages("asthma", states=["approved"]))
    assert [each.request_id for each in found] == ["3f0c"] * 3
    cursors = [asked["cursor"] for _, asked in running.desk.asked]
    assert cursors == [b"", b"1", b"2"]
    assert running.desk.asked[0][1]["states"] == [LinkageState.APPROVED]
    with pytest.raises(InvalidArgument, match="states"):
        list(running.client.list_linkages("asthma", states=["done"]))


def test_a_large_result_comes_in_chunks_and_whole(running: RunningDesk) -> None:
    running.desk.sealed = bytes(range(256)) * 1024 + b"end"
    sealed = running.client.redeem_linkage("3f0c")
    assert sealed.sealed == running.desk.sealed
    assert sealed.digest == running.desk.request.digest()
    assert sealed.available_until == running.desk.request.terms.expires_at
    assert sealed.released_now
    assert "end" not in repr(sealed)
    assert len(running.desk.sealed) > 4 * CHUNK_BYTES


@pytest.mark.parametrize(
    "lie",
    [
        {"request_id": "77aa"},
        {"sealed_digest": hashlib.sha256(b"other").digest()},
    ],
)
def test_a_result_that_is_not_as_announced_is_refused(
    running: RunningDesk, lie: dict[str, object]
) -> None:
    running.desk.lie = lie
    with pytest.raises(ProtocolBroken, match="redeem again"):
        running.client.redeem_linkage("3f0c")


def test_a_refusal_of_a_release_comes_as_its_class(running: RunningDesk) -> None:
    running.desk.refusal = errors.GrantSpent("released before: submit a new request")
    with pytest.raises(GrantSpent, match="submit a new request"):
        running.client.redeem_linkage("3f0c")
    running.desk.refusal = errors.AccessDenied("needs the role linkage_officer")
    with pytest.raises(AccessDenied):
        running.client.get_linkage("3f0c")


def test_without_a_token_nothing_is_asked(running: RunningDesk) -> None:
    credentials = grpc.ssl_channel_credentials(running.authority)
    with grpc.secure_channel(running.address, credentials) as channel:
        stub = LinkageServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            list(stub.RedeemLinkage(pb.RedeemLinkageRequest(request_id="3f0c")))
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert running.desk.asked == []


def test_a_person_is_traced(running: RunningDesk) -> None:
    history = running.client.trace_subject(
        "9990000018", kind="nhs_number", purpose="a complaint", project="asthma"
    )
    asked = running.desk.asked[0][1]
    assert asked.pop("actor").subject == "tester"
    assert asked == {
        "identifier": "9990000018",
        "kind": "nhs_number",
        "project": "asthma",
        "purpose": "a complaint",
    }
    (release,) = history.releases
    assert (release.request_id, release.redeemer, release.released_at) == (
        "3f0c",
        "olek",
        NOON,
    )
    assert history.open_requests == ("77aa",)


def test_times_keep_their_fractions_so_that_the_digest_can_be_recomputed(
    running: RunningDesk,
) -> None:
    odd = NOON + timedelta(microseconds=1)
    running.desk.request = replace(running.desk.request, submitted_at=odd)
    assert running.client.get_linkage("3f0c").linkage.submitted_at == odd


def test_an_unknown_cause_is_still_an_error(running: RunningDesk) -> None:
    running.desk.refusal = errors.PseudoError("internal")
    with pytest.raises(ServiceError):
        running.client.get_linkage("3f0c")
