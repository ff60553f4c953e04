"""Cursors of paged lists: sealed, and of use to their caller only."""

import hashlib
import json
import struct
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.keys.sealed_records import NONCE_BYTES

_POSITION = struct.Struct(">Q")


def seal_cursor(
    position: int, *, key: SecretKey, nonce: bytes, bound_to: Sequence[str]
) -> bytes:
    """Return a position sealed with AES-256-GCM, the nonce before it.

    Args:
        position: Where the next page begins.
        key: For cursors only.
        nonce: 12 random bytes, fresh for every cursor.
        bound_to: The list, its filters and its caller; needed again to open it.
    """
    sealed = AESGCM(key.reveal()).encrypt(
        nonce, _POSITION.pack(position), _associate(bound_to)
    )
    return nonce + sealed


def open_cursor(cursor: bytes, *, key: SecretKey, bound_to: Sequence[str]) -> int:
    """Return the position in a cursor.

    Raises:
        InvalidArgument: It was made for another caller or list, or edited.
    """
    nonce, sealed = cursor[:NONCE_BYTES], cursor[NONCE_BYTES:]
    try:
        packed = AESGCM(key.reveal()).decrypt(nonce, sealed, _associate(bound_to))
        (position,) = _POSITION.unpack(packed)
    except (InvalidTag, ValueError, struct.error):
        msg = "cursor: not one of this list and caller; begin again without it"
        raise InvalidArgument(msg) from None
    return int(position)


def _associate(bound_to: Sequence[str]) -> bytes:
    stated = json.dumps(["pseudo/cursor/v1", *bound_to], separators=(",", ":"))
    return hashlib.sha256(stated.encode()).digest()
