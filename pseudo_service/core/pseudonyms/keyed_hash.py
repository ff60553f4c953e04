"""HMAC-SHA256 (RFC 2104, FIPS 180-4) of identifiers, for one value and for columns.

A column's MACs are computed by OpenSSL's SHA-256 in one compiled loop, outside the
interpreter lock; where that cannot be, and for one value, by ``hmac``.
"""

import hmac
from enum import StrEnum
from functools import cache
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.arrow.arrays import MAC_BYTES, Macs
from pseudo_service.core.errors import IdentifierRefused, PseudoError
from pseudo_service.core.identifiers.kinds import LONGEST_MESSAGE, IdentifierKind
from pseudo_service.core.keys.hmac_columns import find_openssl, hash_column
from pseudo_service.core.keys.material import SecretKey

SEPARATOR = b"\x1f"
FEW = 8
"""Up to so many, one by one is quicker than setting a column's loop up."""
_FAILED = "computing pseudonyms failed; try again, and report it if it persists"


class Engine(StrEnum):
    """What computes the MACs of columns; the answers are the same."""

    OPENSSL = "openssl"
    HMAC = "hmac"


class HashesColumns(Protocol):
    """What a stream needs of a keyed hash; ``KeyedHash`` gives the contract."""

    def mac(self, canonical: pa.StringArray) -> Macs:
        """Return the MACs (n, 16) of a column."""
        ...

    def mac_one(self, canonical: str) -> bytes:
        """Return the MAC of one identifier."""
        ...


class KeyedHash:
    """MACs under one key of the canonical identifiers of one kind.

    The message is the kind's text, 0x1F and the identifier, at most 55 bytes; the
    MAC is the first 128 bits. Safe to share between threads.
    """

    __slots__ = ("_key", "_prefix")

    def __init__(self, key: SecretKey, kind: IdentifierKind) -> None:
        self._key = key
        self._prefix = kind.text.encode() + SEPARATOR

    def mac(self, canonical: pa.StringArray) -> Macs:
        """Return the MACs (n, 16) of a column; rows of null input are zero.

        A caller masks null rows with ``canonical.is_valid()``: zeros are no MAC.

        Raises:
            IdentifierRefused: A message would be longer than 55 bytes.
        """
        self._check_longest(pc.max(pc.binary_length(canonical)).as_py() or 0)
        if not canonical.null_count:
            return self._mac_present(canonical)
        macs = np.zeros((len(canonical), MAC_BYTES), dtype=np.uint8)
        present = canonical.is_valid().to_numpy(zero_copy_only=False)
        macs[present] = self._mac_present(canonical.drop_null())
        return macs

    def mac_one(self, canonical: str) -> bytes:
        """Return the 16-byte MAC of one canonical identifier.

        Raises:
            IdentifierRefused: The message would be longer than 55 bytes.
        """
        identifier = canonical.encode()
        self._check_longest(len(identifier))
        message = self._prefix + identifier
        return hmac.digest(self._key.reveal(), message, "sha256")[:MAC_BYTES]

    def __repr__(self) -> str:
        return "KeyedHash(***)"

    def _check_longest(self, identifier_bytes: int) -> None:
        if len(self._prefix) + identifier_bytes > LONGEST_MESSAGE:
            msg = (
                "identifier too long: with its kind it may have "
                f"{LONGEST_MESSAGE - 1} bytes"
            )
            raise IdentifierRefused(msg)

    def _mac_present(self, canonical: pa.StringArray) -> Macs:
        if name_engine() is Engine.HMAC:
            return self._mac_each(canonical)
        try:
            return hash_column(self._key.reveal(), self._prefix, canonical)
        except Exception:  # noqa: BLE001 - a library's text is never passed on
            raise PseudoError(_FAILED) from None

    def _mac_each(self, canonical: pa.StringArray) -> Macs:
        macs = b"".join(map(self.mac_one, canonical.to_pylist()))
        return np.frombuffer(macs, dtype=np.uint8).reshape(-1, MAC_BYTES)


class UnaryKeyedHash(KeyedHash):
    """A ``KeyedHash`` for unary calls, which mostly have one identifier."""

    __slots__ = ()

    def mac(self, canonical: pa.StringArray) -> Macs:
        """Return the MACs (n, 16) of a column, as ``KeyedHash.mac`` does.

        Raises:
            IdentifierRefused: A message would be longer than 55 bytes.
        """
        if len(canonical) <= FEW and not canonical.null_count:
            return self._mac_each(canonical)
        return super().mac(canonical)


@cache
def name_engine() -> Engine:
    """Return what computes the MACs of columns here, found out once.

    OpenSSL's functions are used only if they give ``hmac``'s answers: for messages of
    every length that occurs, with and without blocks left over from a row before.
    """
    if not find_openssl():
        return Engine.HMAC
    key, prefix = bytes(range(32)), b"kind" + SEPARATOR
    texts = ["9" * length for length in range(LONGEST_MESSAGE - len(prefix) + 1)]
    try:
        macs = hash_column(key, prefix, pa.array(texts))
    except Exception:  # noqa: BLE001 - whatever it is, these functions are not used
        return Engine.HMAC
    expected = (hmac.digest(key, prefix + text.encode(), "sha256") for text in texts)
    is_right = macs.tobytes() == b"".join(mac[:MAC_BYTES] for mac in expected)
    return Engine.OPENSSL if is_right else Engine.HMAC
