"""Disclosures packed, sealed and opened.

Packed: prefixes in order, their differences, the bytes of equal weight side by side
(the leading ones are nearly all zero), Zstandard. About 6 bytes a person.
"""

import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pseudo_service.core.disclosures.disclosure import (
    MOST_MEMBERS,
    DisclosedPeople,
    Disclosure,
    DisclosureUse,
)
from pseudo_service.core.errors import InvalidArgument, RegisterCorrupt
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.keys.sealed_records import (
    SealedRecord,
    encode_fields,
    is_authentic,
    open_record,
    seal_record,
)

DISCLOSURE_FORMAT = "pseudo/membership/v1"
_PACKED_FORMAT = 1
_HEADER = struct.Struct(">BIB")
_UNREADABLE = "the packed set of people cannot be read"


def pack_members(members: DisclosedPeople) -> bytes:
    """Return a set of people as bytes.

    A format byte, the count and which of the three columns hold more than one value;
    then, compressed, the byte planes of the prefixes' differences and of the columns.

    Raises:
        InvalidArgument: There is nobody, or more than ``MOST_MEMBERS``.
    """
    if not 1 <= len(members) <= MOST_MEMBERS:
        msg = f"a disclosure has 1 to {MOST_MEMBERS} people; cut a larger set"
        raise InvalidArgument(msg)
    columns = [members.operations, members.first, members.last]
    varied = [bool((column != column[0]).any()) for column in columns]
    flags = sum(is_varied << place for place, is_varied in enumerate(varied))
    planes = [_shuffle(np.diff(members.prefixes, prepend=np.uint64(0)))]
    planes += [
        _shuffle(column if is_varied else column[:1])
        for column, is_varied in zip(columns, varied, strict=True)
    ]
    header = _HEADER.pack(_PACKED_FORMAT, len(members), flags)
    packed: bytes = pa.compress(b"".join(planes), codec="zstd", asbytes=True)
    return header + packed


def unpack_members(packed: bytes) -> DisclosedPeople:
    """Return the set that ``pack_members`` packed.

    Raises:
        ValueError: The bytes are something else.
    """
    if len(packed) < _HEADER.size:
        raise ValueError(_UNREADABLE)
    version, count, flags = _HEADER.unpack_from(packed)
    # Memory is set aside by the count, so one that no writer writes is not believed.
    is_sound = 1 <= count <= MOST_MEMBERS and flags <= 0b111  # noqa: PLR2004
    if version != _PACKED_FORMAT or not is_sound:
        raise ValueError(_UNREADABLE)
    lengths = [count if flags >> place & 1 else 1 for place in range(3)]
    size = 8 * count + 4 * sum(lengths)
    try:
        raw = pa.decompress(packed[_HEADER.size :], size, codec="zstd", asbytes=True)
    except (OSError, pa.ArrowException):
        raise ValueError(_UNREADABLE) from None
    prefixes = np.cumsum(_unshuffle(raw[: 8 * count], "<u8"), dtype=np.uint64)
    members = DisclosedPeople(
        prefixes, *_read_columns(raw[8 * count :], count, lengths)
    )
    rises = bool((prefixes[1:] > prefixes[:-1]).all())
    if not (rises and (members.first <= members.last).all()):
        raise ValueError(_UNREADABLE)
    return members


def seal_disclosure(
    members: DisclosedPeople,
    *,
    disclosure_id: str,
    project: ProjectId,
    kind: str,
    use: DisclosureUse,
    key_version: KeyVersion,
    operation: OperationId,
    recorded_at: datetime,
    data_key_id: str,
    data_key: SecretKey,
    mac_key: SecretKey,
    nonce: bytes,
) -> Disclosure:
    """Seal the people whom an operation released.

    Args:
        members: At least one.
        disclosure_id: A fresh id.
        project: Where they were released.
        kind: The identifier kind, as text.
        use: What was released of them.
        key_version: The pseudonym key version in force.
        operation: The operation, or ``NO_OPERATION``.
        recorded_at: Now.
        data_key_id: The id of ``data_key``.
        data_key: Seals the set.
        mac_key: Authenticates it to those that merge or open it.
        nonce: 12 random bytes, never used before under this data key.
    """
    unsealed = Disclosure(
        disclosure_id=disclosure_id,
        project=project,
        kind=kind,
        use=use,
        key_version=key_version,
        operation=operation,
        recorded_at=recorded_at,
        count=len(members),
        data_key_id=data_key_id,
        nonce=nonce,
        sealed=b"",
        mac=b"",
    )
    record = seal_record(
        pack_members(members),
        associated=_associate(unsealed),
        data_key=data_key,
        mac_key=mac_key,
        nonce=nonce,
    )
    return replace(unsealed, sealed=record.sealed, mac=record.mac)


def check_disclosure(disclosure: Disclosure, mac_key: SecretKey) -> None:
    """Raise unless the service wrote this disclosure, whole and unedited.

    Raises:
        RegisterCorrupt: Its MAC does not agree.
    """
    record, associated = _read_record(disclosure), _associate(disclosure)
    if not is_authentic(record, associated=associated, mac_key=mac_key):
        raise RegisterCorrupt(_describe_corruption(disclosure))


def open_disclosure(disclosure: Disclosure, data_key: SecretKey) -> DisclosedPeople:
    """Return the people whom a disclosure names; check it first.

    Raises:
        RegisterCorrupt: It does not open under this key.
    """
    record, associated = _read_record(disclosure), _associate(disclosure)
    cipher = AESGCM(data_key.reveal())
    try:
        packed = open_record(record, associated=associated, cipher=cipher)
        members = unpack_members(packed)
    except ValueError:
        raise RegisterCorrupt(_describe_corruption(disclosure)) from None
    if len(members) != disclosure.count:
        raise RegisterCorrupt(_describe_corruption(disclosure))
    return members


def _shuffle(values: npt.NDArray[np.unsignedinteger]) -> bytes:
    little = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"))
    planes = little.view(np.uint8).reshape(len(values), values.dtype.itemsize)
    return planes.T.tobytes()


def _unshuffle(raw: bytes, dtype: str) -> npt.NDArray[np.unsignedinteger]:
    planes = np.frombuffer(raw, np.uint8).reshape(np.dtype(dtype).itemsize, -1)
    return np.ascontiguousarray(planes.T).view(dtype).reshape(-1)


def _read_columns(
    raw: bytes, count: int, lengths: Sequence[int]
) -> list[npt.NDArray[np.uint32]]:
    columns, at = [], 0
    for length in lengths:
        column = _unshuffle(raw[at : at + 4 * length], "<u4").astype(np.uint32)
        columns.append(np.broadcast_to(column, (count,)))
        at += 4 * length
    return columns


def _read_record(disclosure: Disclosure) -> SealedRecord:
    return SealedRecord(
        nonce=disclosure.nonce, sealed=disclosure.sealed, mac=disclosure.mac
    )


def _associate(disclosure: Disclosure) -> bytes:
    texts = [
        DISCLOSURE_FORMAT,
        disclosure.disclosure_id,
        disclosure.project,
        disclosure.kind,
        disclosure.use.value,
        str(disclosure.key_version),
        disclosure.operation,
        disclosure.recorded_at.isoformat(),
        str(disclosure.count),
        disclosure.data_key_id,
    ]
    return encode_fields(text.encode() for text in texts)


def _describe_corruption(disclosure: Disclosure) -> str:
    return (
        f"disclosure {disclosure.disclosure_id} fails its check: restore it from a "
        "backup; `pseudo audit verify` tells what was written"
    )
