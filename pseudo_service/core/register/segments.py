"""The sealed register's values: data keys and segments.

A segment packs the new identities of one batch, sealed with AES-256-GCM under a
data key whose private half only the linkage identity has. Its blind index tells
ingestion who is known without opening anything.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pseudo_service.core.arrow.arrays import MAC_BYTES, BlindIndices
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import RegisterCorrupt
from pseudo_service.core.keys.material import SecretKey

SEGMENT_FORMAT = "pseudo/segment/v1"
NONCE_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKeyRow:
    """A register data key, wrapped to the vault's "linkage" key."""

    data_key_id: str
    wrapping_key_id: str
    wrapped: bytes
    created_at: datetime


def describe_data_key(row: DataKeyRow) -> AuditEvent:
    """Return the event of a data key's making, recorded with its row.

    It is wrapped with the public half, so the vault's own log knows nothing of it.
    """
    return AuditEvent(
        kind=AuditKind.DATA_KEY_CREATED,
        at=row.created_at,
        actor="service",
        details={
            "data_key": row.data_key_id,
            "wrapping_key_id": row.wrapping_key_id,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Identities of one kind, sealed. ``blind_index`` is 16 bytes an identity."""

    segment_id: str
    kind: str
    count: int
    data_key_id: str
    nonce: bytes
    sealed: bytes = field(repr=False)
    blind_index: bytes = field(repr=False)
    mac: bytes = field(repr=False)


class RegisterFaultKind(StrEnum):
    """What a reading of the whole register can find; part of the wire contract."""

    DATA_KEY_DOES_NOT_OPEN = "data_key_does_not_open"
    SEGMENT_MAC = "segment_mac"
    SEGMENT_DOES_NOT_OPEN = "segment_does_not_open"
    BLIND_INDEX_DISAGREES = "blind_index_disagrees"
    MEMBERSHIP_MAC = "membership_mac"
    MEMBERSHIP_DOES_NOT_OPEN = "membership_does_not_open"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RegisterFault:
    """One fault. ``where`` is the id of the data key, segment or membership."""

    fault: RegisterFaultKind
    where: str


def seal_segment(
    packed: bytes,
    *,
    blind_index: BlindIndices,
    segment_id: str,
    kind: str,
    data_key_id: str,
    data_key: SecretKey,
    mac_key: SecretKey,
    nonce: bytes,
) -> Segment:
    """Seal canonical identities, in the order of their blind index.

    Args:
        packed: What ``pack_identities`` gave of them.
        blind_index: (n, 16) uint8, one row an identity.
        segment_id: A fresh id.
        kind: The identifier kind, as text.
        data_key_id: The id of ``data_key``.
        data_key: Seals the identities.
        mac_key: Authenticates the segment to ingestion.
        nonce: 12 random bytes, never used before under this data key.
    """
    index = np.ascontiguousarray(blind_index, dtype=np.uint8).tobytes()
    count = len(index) // MAC_BYTES
    aad = _associate(segment_id, kind, count, data_key_id, index)
    sealed = AESGCM(data_key.reveal()).encrypt(nonce, packed, aad)
    return Segment(
        segment_id=segment_id,
        kind=kind,
        count=count,
        data_key_id=data_key_id,
        nonce=nonce,
        sealed=sealed,
        blind_index=index,
        mac=_authenticate(mac_key, aad, nonce, sealed),
    )


def check_segment(segment: Segment, mac_key: SecretKey) -> bytes:
    """Raise unless ingestion wrote this segment, whole and unedited.

    Returns:
        What ``open_packed`` takes beside the segment.

    Raises:
        RegisterCorrupt: The segment's MAC or its index length does not agree.
    """
    aad = _associate_stored(segment)
    expected = _authenticate(mac_key, aad, segment.nonce, segment.sealed)
    whole = len(segment.blind_index) == MAC_BYTES * segment.count
    if not (whole and hmac.compare_digest(expected, segment.mac)):
        raise RegisterCorrupt(_describe_corruption(segment))
    return aad


def open_segment(segment: Segment, data_key: SecretKey) -> list[bytes]:
    """Return the canonical identities of a segment, in order.

    Raises:
        RegisterCorrupt: The segment does not open under this key.
    """
    packed = open_packed(segment, AESGCM(data_key.reveal()), _associate_stored(segment))
    identities = []
    position = 0
    while position < len(packed):
        end = position + 1 + packed[position]
        identities.append(packed[position + 1 : end])
        position = end
    if len(identities) != segment.count:
        raise RegisterCorrupt(_describe_corruption(segment))
    return identities


def open_packed(segment: Segment, cipher: AESGCM, associated: bytes) -> bytes:
    """Return a segment's identities as they were packed, for ``unpack_identities``.

    Args:
        segment: Sealed under the data key that it names.
        cipher: That data key's; made once for all its segments.
        associated: What ``check_segment`` returned.

    Raises:
        RegisterCorrupt: The segment does not open under this key.
    """
    try:
        return cipher.decrypt(segment.nonce, segment.sealed, associated)
    except (InvalidTag, ValueError):  # a nonce of no length that there is
        raise RegisterCorrupt(_describe_corruption(segment)) from None


def _associate_stored(segment: Segment) -> bytes:
    return _associate(
        segment.segment_id,
        segment.kind,
        segment.count,
        segment.data_key_id,
        segment.blind_index,
    )


def _associate(
    segment_id: str, kind: str, count: int, data_key_id: str, index: bytes
) -> bytes:
    return b"".join(
        (
            _FORMAT,
            _write_field(segment_id.encode()),
            _write_field(kind.encode()),
            _write_field(str(count).encode()),
            _write_field(data_key_id.encode()),
            _write_field(hashlib.sha256(index).digest()),
        )
    )


def _write_field(part: bytes) -> bytes:
    return len(part).to_bytes(2, "big") + part


def _authenticate(key: SecretKey, aad: bytes, nonce: bytes, sealed: bytes) -> bytes:
    message = aad + nonce + hashlib.sha256(sealed).digest()
    return hmac.digest(key.reveal(), message, hashlib.sha256)


_FORMAT = _write_field(SEGMENT_FORMAT.encode())


def _describe_corruption(segment: Segment) -> str:
    return (
        f"register segment {segment.segment_id} fails its check: stop ingestion and "
        "restore the register from a backup; `pseudo audit verify` tells what was written"
    )
