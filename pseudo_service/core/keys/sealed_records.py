"""Records of the register: sealed under a data key, authenticated under a MAC key.

AES-256-GCM (NIST SP 800-38D) seals a record under a data key, which only the linkage
identity can unwrap. An HMAC-SHA256 over the associated fields, the nonce and the
sealed bytes lets ingestion check a record that it cannot open.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pseudo_service.core.keys.material import SecretKey

NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRecord:
    """A sealed record and its MAC; the fields that it is bound to stand beside it."""

    nonce: bytes
    sealed: bytes = field(repr=False)
    mac: bytes = field(repr=False)


def encode_fields(fields: Iterable[bytes]) -> bytes:
    """Return fields as associated data: each after its length in two bytes.

    Raises:
        OverflowError: A field has more than 65,535 bytes.
    """
    return b"".join(len(each).to_bytes(2, "big") + each for each in fields)


def seal_record(
    plain: bytes,
    *,
    associated: bytes,
    data_key: SecretKey,
    mac_key: SecretKey,
    nonce: bytes,
) -> SealedRecord:
    """Seal a record and authenticate it.

    Args:
        plain: What is sealed.
        associated: What it is bound to, as ``encode_fields`` gives it.
        data_key: Seals the record.
        mac_key: Authenticates it to readers that cannot open it.
        nonce: 12 random bytes, never used before under this data key.
    """
    sealed = AESGCM(data_key.reveal()).encrypt(nonce, plain, associated)
    mac = _authenticate(mac_key, associated, nonce, sealed)
    return SealedRecord(nonce=nonce, sealed=sealed, mac=mac)


def is_authentic(
    record: SealedRecord, *, associated: bytes, mac_key: SecretKey
) -> bool:
    """Say whether a holder of the MAC key sealed this record with these fields."""
    expected = _authenticate(mac_key, associated, record.nonce, record.sealed)
    return hmac.compare_digest(expected, record.mac)


def open_record(record: SealedRecord, *, associated: bytes, cipher: AESGCM) -> bytes:
    """Return what was sealed.

    Args:
        record: As it was stored.
        associated: What it is bound to.
        cipher: The data key's; made once for all records of that key.

    Raises:
        ValueError: It does not open under this key, or is bound to something else.
    """
    try:
        return cipher.decrypt(record.nonce, record.sealed, associated)
    except InvalidTag:  # a nonce of an impossible length raises ValueError itself
        msg = "the record does not open"
        raise ValueError(msg) from None


def _authenticate(
    key: SecretKey, associated: bytes, nonce: bytes, sealed: bytes
) -> bytes:
    message = associated + nonce + hashlib.sha256(sealed).digest()
    return hmac.digest(key.reveal(), message, hashlib.sha256)
