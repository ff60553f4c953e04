"""Results of a release: what they state, and who can open them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from pseudo_service.core.disclosures.disclosure import DisclosureUse
from pseudo_service.core.disclosures.location import ProjectLocation
from pseudo_service.core.errors import RequestRefused
from pseudo_service.core.linkage.request import (
    LegalBasis,
    LinkageMode,
    LinkageOutcome,
    LinkageVerb,
)
from pseudo_service.core.linkage.results import (
    SubjectAnswer,
    encode_answers,
    encode_hpke_info,
    encode_location,
    read_recipient_key,
    seal_result,
)
from tests.lib.values.linkage_requests import build_request, replace_request

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PRIVATE = X25519PrivateKey.from_private_bytes(bytes(range(32)))
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


def test_a_result_states_what_it_answers_and_opens_with_the_recipients_key() -> None:
    answers = [
        SubjectAnswer(
            subject="ABCD-N1A",
            outcome=LinkageOutcome.FOUND,
            kind="nhs_number",
            pseudonym="EFGH-N1A",
        ),
        SubjectAnswer(subject="ABCD-N1B", outcome=LinkageOutcome.UNKNOWN),
    ]
    plain = encode_answers(REQUEST, answers, released_at=NOW)
    assert json.loads(plain) == {
        "format": "pseudo/linkage-result/v1",
        "request_id": REQUEST.request_id,
        "digest": REQUEST.digest().hex(),
        "verb": "translate",
        "project": "asthma",
        "target_project": "stroke",
        "released_at": "2026-03-02T09:00:00+00:00",
        "rows": [
            {
                "subject": "ABCD-N1A",
                "outcome": "found",
                "kind": "nhs_number",
                "pseudonym": "EFGH-N1A",
            },
            {"subject": "ABCD-N1B", "outcome": "unknown"},
        ],
    }
    sealed = seal_result(REQUEST, plain)
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    info = b"pseudo/linkage-result/v1\x1f" + REQUEST.digest()
    assert suite.decrypt(sealed, PRIVATE, info=info) == plain
    other = replace_request(REQUEST, purpose="another").digest()
    with pytest.raises(InvalidTag):
        suite.decrypt(sealed, PRIVATE, info=b"pseudo/linkage-result/v1\x1f" + other)
    with pytest.raises(InvalidTag):
        suite.decrypt(sealed, X25519PrivateKey.from_private_bytes(bytes(32)), info=info)


def test_register_faults_are_stated_if_there_are_any() -> None:
    stated = json.loads(encode_answers(REQUEST, [], released_at=NOW, register_faults=3))
    assert stated["register_faults"] == 3
    assert "register_faults" not in json.loads(
        encode_answers(REQUEST, [], released_at=NOW)
    )


def test_a_location_states_projects_uses_and_gaps() -> None:
    row = ProjectLocation(
        project="stroke",
        use=DisclosureUse.PSEUDONYM,
        key_version=2,
        operations=5,
        first=NOW,
        last=NOW + timedelta(days=1),
    )
    stated = json.loads(
        encode_location(REQUEST, [row], unaccounted=["asthma: run-1"], released_at=NOW)
    )
    assert stated["rows"] == [
        {
            "project": "stroke",
            "use": DisclosureUse.PSEUDONYM.value,
            "key_version": 2,
            "operations": 5,
            "first": "2026-03-02T09:00:00+00:00",
            "last": "2026-03-03T09:00:00+00:00",
        }
    ]
    assert stated["unaccounted_operations"] == ["asthma: run-1"]


def test_an_answer_keeps_people_out_of_its_representation() -> None:
    answer = SubjectAnswer(
        subject="ABCD-N1A",
        outcome=LinkageOutcome.FOUND,
        identifier="9990000018",
        superseded_by="9990000026",
    )
    assert "999" not in repr(answer)


def test_the_info_string_is_that_of_the_digest() -> None:
    assert encode_hpke_info(b"\x01\x02") == b"pseudo/linkage-result/v1\x1f\x01\x02"


@pytest.mark.parametrize(
    "raw",
    [b"", bytes(31), bytes(33), bytes(32), (1).to_bytes(32, "little")],
    ids=["none", "short", "long", "zeros", "low order"],
)
def test_a_key_that_nobody_can_seal_to_is_refused(raw: bytes) -> None:
    with pytest.raises(RequestRefused, match="recipient key"):
        read_recipient_key(raw)
    good = PRIVATE.public_key().public_bytes_raw()
    assert read_recipient_key(good).public_bytes_raw() == good
