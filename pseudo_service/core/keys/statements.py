"""Statements: canonical JSON, signed so that others can check it.

A statement is canonical JSON signed with Ed25519 (RFC 8032) by a key of the serving
process. The vault's "audit" key certifies that process key for a bounded time, so
that a vault outage stops no receipt and the audit public key is all that a
verifier has to trust.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from pseudo_service.core.errors import SignatureRefused

CERTIFICATE_FORMAT = "pseudo/process-certificate/v1"

VerifyVaultSignature = Callable[[bytes, bytes, str], None]
"""Takes message, signature and key id; raises ``SignatureRefused``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """A statement, its signature, and the certificate of the key that signed it."""

    statement: bytes
    signature: bytes
    certificate: bytes
    certificate_signature: bytes
    certificate_key_id: str


def encode_statement(statement: Mapping[str, Any]) -> bytes:
    """Return canonical JSON: UTF-8, sorted keys, no white space."""
    return json.dumps(
        statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def build_certificate(
    *,
    process: str,
    instance: str,
    public_key: Ed25519PublicKey,
    not_before: datetime,
    not_after: datetime,
) -> bytes:
    """Return the statement by which "audit" vouches for a process key (PS256)."""
    return encode_statement(
        {
            "format": CERTIFICATE_FORMAT,
            "process": process,
            "instance": instance,
            "public_key": public_key.public_bytes_raw().hex(),
            "not_before": not_before.isoformat(),
            "not_after": not_after.isoformat(),
        }
    )


def sign_statement(
    statement: bytes,
    *,
    key: Ed25519PrivateKey,
    certificate: bytes,
    certificate_signature: bytes,
    certificate_key_id: str,
) -> SignedStatement:
    """Return the statement signed by a process key, with its certificate."""
    return SignedStatement(
        statement=statement,
        signature=key.sign(statement),
        certificate=certificate,
        certificate_signature=certificate_signature,
        certificate_key_id=certificate_key_id,
    )


def verify_statement(
    signed: SignedStatement,
    verify_vault_signature: VerifyVaultSignature,
    expected_format: str,
) -> dict[str, Any]:
    """Check certificate, validity and signature; return the statement.

    Args:
        signed: The statement as it was received.
        verify_vault_signature: Checks the certificate's signature against an
            audit key that the caller trusts, never one that came with the data.
        expected_format: What the statement must be; a statement of one format
            passes for no other.

    Raises:
        SignatureRefused: The certificate is not of a trusted key, did not cover
            the moment of issue, or the signature is not over these bytes.
    """
    verify_vault_signature(
        signed.certificate, signed.certificate_signature, signed.certificate_key_id
    )
    certificate = _decode(signed.certificate, CERTIFICATE_FORMAT)
    _check_signature(signed, certificate)
    statement = _decode(signed.statement, expected_format)
    _check_time(statement, certificate)
    return statement


def check_issue(signed: SignedStatement, expected_format: str) -> None:
    """Check what can be checked without the audit key: form, signature and time.

    Raises:
        SignatureRefused: ``verify_statement`` would refuse it, too.
    """
    certificate = _decode(signed.certificate, CERTIFICATE_FORMAT)
    _check_signature(signed, certificate)
    _check_time(_decode(signed.statement, expected_format), certificate)


def _check_time(statement: Mapping[str, Any], certificate: Mapping[str, Any]) -> None:
    issued_at = _read_moment(statement, "issued_at")
    begins = _read_moment(certificate, "not_before")
    if not begins <= issued_at <= _read_moment(certificate, "not_after"):
        msg = "the statement was issued outside its process certificate's validity"
        raise SignatureRefused(msg)


def _check_signature(signed: SignedStatement, certificate: Mapping[str, Any]) -> None:
    try:
        raw = bytes.fromhex(certificate["public_key"])
        key = Ed25519PublicKey.from_public_bytes(raw)
        key.verify(signed.signature, signed.statement)
    except (InvalidSignature, KeyError, TypeError, ValueError):
        msg = "the signature is not over this statement"
        raise SignatureRefused(msg) from None


def _decode(encoded: bytes, expected_format: str) -> dict[str, Any]:
    try:
        statement = json.loads(encoded)
    except (ValueError, RecursionError):
        statement = None
    if not isinstance(statement, dict) or statement.get("format") != expected_format:
        msg = f"a signed statement is not of the form {expected_format}"
        raise SignatureRefused(msg)
    return statement


def _read_moment(statement: Mapping[str, Any], field: str) -> datetime:
    """Return a moment with its time zone; one without could be compared wrongly."""
    try:
        moment = datetime.fromisoformat(statement[field])
    except (KeyError, TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        msg = f"a signed statement's {field} is not a moment in time"
        raise SignatureRefused(msg)
    return moment
