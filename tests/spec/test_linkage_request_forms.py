"""The written forms of one fixed request: digest, sealed event, row and JSON.

A change of any of them would make recorded approvals worthless, or break who reads the
trail, the database or the command's output.
"""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from sqlalchemy import create_engine, select

from pseudo_client import Linkage
from pseudo_service.adapters.sql import schema
from pseudo_service.adapters.sql.stores.linkage_request_rows import (
    insert_request,
    read_request,
)
from pseudo_service.cli.linkage.rendering import describe_linkage
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.linkage.request import (
    LegalBasis,
    LinkageMode,
    LinkageVerb,
)
from pseudo_service.core.linkage.sealed_events import LinkageEventSealer
from tests.lib.values.linkage_requests import build_request

AT = datetime(2026, 3, 2, 9, 0, 0, 250_000, tzinfo=UTC)
KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
DIGEST = "5d5e99e62a0e67dcf3b22fe843368d7077bce60a3486fb709e86676f1aae4271"
SEAL = "eeba67eb08b3a9ce6c420cfd02a0a306b41c73de377d95b601c3760ebae880f7"
REQUEST = build_request(
    request_id="0f" * 16,
    verb=LinkageVerb.TRANSLATE,
    mode=LinkageMode.ROUTINE,
    project="asthma",
    target_project="stroke",
    subjects=(
        "ABCD-N1000000000000000000000000003",
        "ABCD-N1000000000000000000000000011",
    ),
    purpose="joint analysis: Straße, 東京",
    legal_basis=LegalBasis.SECTION_251,
    consent_reference="24/CAG/0001",
    requester="local:mara",
    redeemer="local:olek",
    recipient_key=bytes.fromhex(KEY),
    submitted_at=AT,
    expires_at=AT + timedelta(hours=72),
)
STATED = MappingProxyType(
    {
        "verb": "translate",
        "mode": "routine",
        "target_project": "stroke",
        "purpose": "joint analysis: Straße, 東京",
        "legal_basis": "section_251",
        "consent_reference": "24/CAG/0001",
        "redeemer": "local:olek",
    }
)


def test_the_digest() -> None:
    assert REQUEST.digest().hex() == DIGEST


def test_the_sealed_event() -> None:
    records = LinkageEventSealer(SecretKey(bytes(32)))
    event = records.describe_submitted(REQUEST, subject_code="c0de")
    assert (event.kind.value, event.at) == ("linkage_submitted", AT)
    assert (event.actor, event.project) == ("local:mara", "asthma")
    assert event.operation == "0f" * 16
    assert event.details == {
        **STATED,
        "subject_count": 2,
        "recipient_key": KEY,
        "expires_at": "2026-03-05T09:00:00.250000+00:00",
        "subject_code": "c0de",
        "digest": DIGEST,
        "step": 1,
        "seal": SEAL,
    }


def test_the_row_and_the_way_back() -> None:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    with engine.begin() as connection:
        insert_request(connection, REQUEST)
        row = connection.execute(select(schema.linkage_requests)).one()
    assert dict(row._mapping) == {
        **STATED,
        "position": 1,
        "request_id": "0f" * 16,
        "project": "asthma",
        "requester": "local:mara",
        "recipient_key": bytes.fromhex(KEY),
        "submitted_at": AT,
        "expires_at": AT + timedelta(hours=72),
        "digest": bytes.fromhex(DIGEST),
        "state": "submitted",
        "released_at": None,
    }
    assert all(type(row._mapping[name]) is str for name in STATED)
    assert read_request(row, REQUEST.subjects).request == REQUEST


def test_the_json_of_the_command() -> None:
    received = Linkage(
        request_id="0f" * 16,
        project="asthma",
        requester="local:mara",
        recipient_key=bytes.fromhex(KEY),
        submitted_at=AT,
        expires_at=AT + timedelta(hours=72),
        subject_count=2,
        digest=bytes.fromhex(DIGEST),
        state="submitted",
        votes=(),
        hidden_votes=1,
        **STATED,
    )
    assert describe_linkage(received) == {
        **STATED,
        "request_id": "0f" * 16,
        "project": "asthma",
        "requester": "local:mara",
        "recipient_key": KEY,
        "recipient_fingerprint": "630d cd29 66c4 3366 9112 5448 bbb2 5b4f",
        "submitted_at": "2026-03-02T09:00:00.250000+00:00",
        "expires_at": "2026-03-05T09:00:00.250000+00:00",
        "subject_count": 2,
        "digest": DIGEST,
        "state": "submitted",
        "votes": [],
        "hidden_votes": 1,
    }
