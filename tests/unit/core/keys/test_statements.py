import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.errors import SignatureRefused
from pseudo_service.core.keys.statements import (
    SignedStatement,
    build_certificate,
    encode_statement,
    sign_statement,
    verify_statement,
)
from pseudo_service.core.tables.receipt import RECEIPT_FORMAT, PinSet, build_receipt

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PINS = PinSet(
    key_version=1,
    key_check_value=b"\x03" * 16,
    policy="cohort/release@1",
    policy_digest=b"\x01" * 32,
    opt_out_list="",
    opt_out_digest=b"",
    date_parameters_digest=b"\x02" * 32,
    alias_table="",
    library_versions={"pyarrow": "26"},
)


def vault_sign(message: bytes) -> bytes:
    return hashlib.sha256(b"vault" + message).digest()


def trust(message: bytes, signature: bytes, key_id: str) -> None:
    if signature != vault_sign(message) or key_id != "audit/1":
        msg = "not by the audit key"
        raise SignatureRefused(msg)


def make_signed(issued_at: datetime = NOW) -> SignedStatement:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    output = LogicalDigest(pa.schema({"id": pa.string()}))
    statement = build_receipt(
        project="cohort",
        operation="operation-1",
        part=0,
        purpose="service evaluation",
        issued_at=issued_at,
        pins=PINS,
        rows_in=3,
        rows_out=2,
        removed={"opted_out": 1},
        columns={"id": {"VALID": 2}},
        treatments={"id": {"treatment": "drop"}},
        batches=1,
        input_digest=b"\x03" * 32,
        output=output,
        actor="pipeline-1",
    )
    certificate = build_certificate(
        process="p1",
        instance="i1",
        public_key=key.public_key(),
        not_before=NOW - timedelta(hours=1),
        not_after=NOW + timedelta(hours=1),
    )
    return sign_statement(
        statement,
        key=key,
        certificate=certificate,
        certificate_signature=vault_sign(certificate),
        certificate_key_id="audit/1",
    )


def test_a_genuine_receipt_is_read_back() -> None:
    statement = verify_statement(make_signed(), trust, RECEIPT_FORMAT)
    assert statement["rows_in"] == 3
    assert statement["pins"]["policy_digest"] == "01" * 32
    assert statement["output_columns"][0]["type"] == "string"


@pytest.mark.parametrize("field", ["statement", "signature", "certificate"])
def test_any_changed_byte_is_refused(field: str) -> None:
    signed = make_signed()
    value = getattr(signed, field)
    for position in range(0, len(value), 11):
        changed = bytearray(value)
        changed[position] ^= 1
        with pytest.raises(SignatureRefused):
            verify_statement(
                replace(signed, **{field: bytes(changed)}), trust, RECEIPT_FORMAT
            )


def test_an_untrusted_certificate_is_refused() -> None:
    signed = replace(make_signed(), certificate_key_id="audit/2")
    with pytest.raises(SignatureRefused):
        verify_statement(signed, trust, RECEIPT_FORMAT)


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_receipt_outside_the_certificate_is_refused(hours: int) -> None:
    with pytest.raises(SignatureRefused, match="validity"):
        verify_statement(
            make_signed(NOW + timedelta(hours=hours)), trust, RECEIPT_FORMAT
        )


def test_a_certificate_cannot_pass_for_a_receipt() -> None:
    signed = make_signed()
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    forged = replace(
        signed, statement=signed.certificate, signature=key.sign(signed.certificate)
    )
    with pytest.raises(SignatureRefused, match="form"):
        verify_statement(forged, trust, RECEIPT_FORMAT)


def test_a_moment_without_a_zone_is_refused() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    statement = encode_statement(
        {"format": "pseudo/receipt/v1", "issued_at": "2026-03-02T09:00:00"}
    )
    forged = replace(make_signed(), statement=statement, signature=key.sign(statement))
    with pytest.raises(SignatureRefused, match="issued_at"):
        verify_statement(forged, trust, RECEIPT_FORMAT)


def test_statements_are_canonical() -> None:
    assert encode_statement({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()
