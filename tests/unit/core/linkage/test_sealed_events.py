"""Sealed linkage events: what a seal binds, and what is refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from pseudo_service.core.audit.events import (
    AuditEvent,
    AuditKind,
    encode_event,
    link,
    start_chain,
)
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import GrantRefused
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageVerb,
    Vote,
)
from pseudo_service.core.linkage.sealed_events import (
    LinkageEventSealer,
    describe_refused,
    read_request,
    read_vote,
)
from tests.lib.values.linkage_requests import build_request

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PRIVATE = X25519PrivateKey.from_private_bytes(bytes(range(32)))
SEALER = LinkageEventSealer(SecretKey(bytes(range(32))))
REQUEST = build_request(
    request_id="f" * 32,
    verb=LinkageVerb.TRANSLATE,
    mode=LinkageMode.ROUTINE,
    project="asthma",
    target_project="stroke",
    subjects=("ABCD-N1A", "ABCD-N1B"),
    purpose="audit of care, été",
    legal_basis=LegalBasis.SECTION_251,
    consent_reference="CAG letter",
    requester="ann",
    redeemer="ben",
    recipient_key=PRIVATE.public_key().public_bytes_raw(),
    submitted_at=NOW,
    expires_at=NOW + timedelta(days=2),
)
VOTE = Vote(
    reviewer="cat",
    guardian_of=("asthma", "stroke"),
    decision=Decision.APPROVE,
    reason="seen",
    at=NOW + timedelta(hours=1),
)


def every_event() -> list[AuditEvent]:
    return [
        SEALER.describe_submitted(REQUEST, subject_code="c0de"),
        SEALER.describe_review(REQUEST, VOTE, step=2),
        SEALER.describe_withdrawn(REQUEST, reason="no need", at=NOW, step=3),
        SEALER.describe_intent(REQUEST, at=NOW, step=3),
        *SEALER.describe_subjects(
            REQUEST, ["aa", "bb"], at=NOW, step=3, counts={"found": 2}
        ),
        SEALER.describe_released(
            REQUEST,
            at=NOW,
            step=3,
            counts={"found": 2},
            register_faults=0,
            sealed_digest=bytes(32),
        ),
        SEALER.describe_fetched(REQUEST, at=NOW, step=3),
    ]


@pytest.mark.parametrize("event", every_event(), ids=lambda event: event.kind)
def test_a_sealed_event_reads_back_and_binds_every_field(event: AuditEvent) -> None:
    record = SEALER.read(encode_event(event))
    assert record is not None
    assert record.request_id == event.operation == REQUEST.request_id
    assert record.digest == REQUEST.digest()
    assert record.step >= 1
    edits: list[dict[str, Any]] = [
        {"actor": "mallory"},
        {"at": event.at + timedelta(microseconds=1)},
        {"project": "stroke"},
        {"operation": "0" * 32},
        {"details": {**event.details, "more": 1}},
        {"details": {**event.details, "step": 9}},
        {"details": {k: v for k, v in event.details.items() if k != "seal"}},
        {"details": {**event.details, "seal": "00" * 32}},
        {"details": {**event.details, "seal": None}},
        {"details": {**event.details, "seal": "é"}},
    ]
    others = {each.kind for each in every_event()} - {event.kind}
    edits += [{"kind": kind} for kind in others]
    for edit in edits:
        with pytest.raises(GrantRefused):
            SEALER.read(encode_event(replace(event, **edit)))


def test_no_pseudonym_is_in_any_event() -> None:
    for event in every_event():
        assert not any(subject in encode_event(event) for subject in REQUEST.subjects)


def test_a_submission_and_a_vote_are_read_whole() -> None:
    submitted = SEALER.read(encode_event(every_event()[0]))
    assert submitted is not None
    assert (submitted.subject_count, submitted.subject_code) == (2, "c0de")
    assert read_request(submitted, REQUEST.subjects) == REQUEST
    review = SEALER.read(encode_event(every_event()[1]))
    assert review is not None
    assert read_vote(review) == VOTE
    nobody = replace(VOTE, guardian_of=())
    body = encode_event(SEALER.describe_review(REQUEST, nobody, step=2))
    read = SEALER.read(body)
    assert read is not None
    assert read_vote(read) == nobody


@pytest.mark.parametrize(
    "subjects",
    [("ABCD-N1A",), ("ABCD-N1A", "ABCD-N1C"), ("ABCD-N1A", "ABCD-N1B", "X"), ()],
)
def test_a_submission_is_of_exactly_its_subjects(subjects: tuple[str, ...]) -> None:
    submitted = SEALER.read(encode_event(every_event()[0]))
    assert submitted is not None
    with pytest.raises(GrantRefused, match="not the one"):
        read_request(submitted, subjects)


def test_other_events_are_none_of_ours() -> None:
    event = AuditEvent(kind=AuditKind.AUDIT_READ, at=NOW, actor="a", details={})
    assert SEALER.read(encode_event(event)) is None
    refused = describe_refused(
        request_id="r",
        project="asthma",
        actor="a",
        at=NOW,
        code=ErrorCode.GRANT_REFUSED,
    )
    assert SEALER.read(encode_event(refused)) is None


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", "null", '{"kind":"linkage_reviewed"}']
)
def test_what_cannot_be_read_is_refused(body: str) -> None:
    with pytest.raises(GrantRefused):
        SEALER.read(body)


def test_the_same_content_written_otherwise_is_refused() -> None:
    spaced = json.dumps(json.loads(encode_event(every_event()[1])))
    with pytest.raises(GrantRefused):
        SEALER.read(spaced)


def test_a_key_is_never_shown() -> None:
    assert repr(SEALER) == "LinkageEventSealer(***)"


def test_subject_codes_are_split_over_events() -> None:
    codes = [f"{n:032x}" for n in range(250)]
    events = list(
        SEALER.describe_subjects(REQUEST, codes, at=NOW, step=4, counts={"found": 250})
    )
    assert [event.details["listed"] for event in events] == [100, 100, 50]
    assert [event.details["part"] for event in events] == [1, 2, 3]
    assert ",".join(str(e.details["codes"]) for e in events).split(",") == codes
    assert not list(SEALER.describe_subjects(REQUEST, [], at=NOW, step=4, counts={}))


def test_records_are_read_from_among_other_events() -> None:
    other = AuditEvent(kind=AuditKind.AUDIT_READ, at=NOW, actor="a", details={})
    sealed = every_event()
    trail = [link(start_chain("c"), event) for event in (other, *sealed, other)]
    found = list(SEALER.read_each(trail))
    assert [record.kind for record in found] == [event.kind for event in sealed]


def test_a_forged_record_ends_the_reading() -> None:
    first, second, *_ = every_event()
    forged = replace(second, actor="mallory")
    trail = [link(start_chain("c"), event) for event in (first, forged, second)]
    reading = SEALER.read_each(trail)
    assert next(reading).kind is AuditKind.LINKAGE_SUBMITTED
    with pytest.raises(GrantRefused):
        next(reading)
