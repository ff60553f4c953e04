"""The sealed register's values: data keys and segments.

A segment packs the new identities of one batch, sealed with AES-256-GCM under a
data key whose private half only the linkage identity has. Its blind index tells
ingestion who is known without opening anything.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pseudo_service.core.arrow.arrays import MAC_BYTES, BlindIndices
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import RegisterCorrupt
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.keys.sealed_records import (
    SealedRecord,
    encode_fields,
    is_authentic,
    open_record,
    seal_record,
)

SEGMENT_FORMAT = "pseudo/segment/v1"


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
    DISCLOSURE_MAC = "membership_mac"
    DISCLOSURE_DOES_NOT_OPEN = "membership_does_not_open"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RegisterFault:
    """One fault. ``where`` is the id of the data key, segment or disclosure."""

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
    unsealed = Segment(
        segment_id=segment_id,
        kind=kind,
        count=len(index) // MAC_BYTES,
        data_key_id=data_key_id,
        nonce=nonce,
        sealed=b"",
        blind_index=index,
        mac=b"",
    )
    record = seal_record(
        packed,
        associated=_associate(unsealed),
        data_key=data_key,
        mac_key=mac_key,
        nonce=nonce,
    )
    return replace(unsealed, sealed=record.sealed, mac=record.mac)


def check_segment(segment: Segment, mac_key: SecretKey) -> bytes:
    """Raise unless ingestion wrote this segment, whole and unedited.

    Returns:
        What ``open_packed`` takes beside the segment.

    Raises:
        RegisterCorrupt: The segment's MAC or its index length does not agree.
    """
    associated = _associate(segment)
    record = _read_record(segment)
    is_whole = len(segment.blind_index) == MAC_BYTES * segment.count
    if not (is_whole and is_authentic(record, associated=associated, mac_key=mac_key)):
        raise RegisterCorrupt(_describe_corruption(segment))
    return associated


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
        return open_record(_read_record(segment), associated=associated, cipher=cipher)
    except ValueError:
        raise RegisterCorrupt(_describe_corruption(segment)) from None


def _read_record(segment: Segment) -> SealedRecord:
    return SealedRecord(nonce=segment.nonce, sealed=segment.sealed, mac=segment.mac)


def _associate(segment: Segment) -> bytes:
    texts = (
        SEGMENT_FORMAT,
        segment.segment_id,
        segment.kind,
        str(segment.count),
        segment.data_key_id,
    )
    fields = [text.encode() for text in texts]
    return encode_fields([*fields, hashlib.sha256(segment.blind_index).digest()])


def _describe_corruption(segment: Segment) -> str:
    return (
        f"register segment {segment.segment_id} fails its check: stop ingestion and "
        "restore the register from a backup; `pseudo audit verify` tells what was written"
    )
