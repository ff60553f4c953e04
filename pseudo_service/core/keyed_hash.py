"""HMAC-SHA256 (RFC 2104, FIPS 180-4) of identifiers, for one value and for columns.

A column's MACs are computed by Apache DataFusion as the two nested hashes that
RFC 2104 defines, outside the interpreter lock; a few values by ``hmac``.
"""

import hmac
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from datafusion import SessionConfig, SessionContext, col
from datafusion import functions as f

from pseudo_service.core.errors import IdentifierRefused, PseudoError
from pseudo_service.core.identifier_kinds import LONGEST_MESSAGE, IdentifierKind
from pseudo_service.core.keys import SecretKey

MAC_BYTES = 16
SEPARATOR = b"\x1f"
_BLOCK_BYTES = 64
_DIGEST_BYTES = 32
_FEW = 300
"""Up to this many values `hmac` is quicker than planning a query."""
_BATCH_ROWS = 16_384
"""Rows hashed at a time, so that the padded messages stay in the cache."""
_FAILED = "computing pseudonyms failed; try again, and report it if it persists"
_INNER = bytes(value ^ 0x36 for value in range(256))
_OUTER = bytes(value ^ 0x5C for value in range(256))


class HashesColumns(Protocol):
    """What a stream needs of a keyed hash; ``KeyedHash`` gives the contract."""

    def mac(self, canonical: pa.StringArray) -> npt.NDArray[np.uint8]:
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

    def mac(self, canonical: pa.StringArray) -> npt.NDArray[np.uint8]:
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

    def _mac_present(self, canonical: pa.StringArray) -> npt.NDArray[np.uint8]:
        if len(canonical) <= _FEW:
            macs = b"".join(map(self.mac_one, canonical.to_pylist()))
            return np.frombuffer(macs, dtype=np.uint8).reshape(-1, MAC_BYTES)
        inner, outer = self._pad_key()
        batch = pa.record_batch(
            {
                "outer": _repeat(outer, len(canonical)),
                "inner": _repeat(inner + self._prefix, len(canonical)),
                "identifier": canonical.cast(pa.binary()),
            }
        )
        return _hash_batch(batch)

    def _pad_key(self) -> tuple[bytes, bytes]:
        """Return the inner and outer padded key, one block each (RFC 2104)."""
        block = self._key.reveal().ljust(_BLOCK_BYTES, b"\0")
        return block.translate(_INNER), block.translate(_OUTER)


@cache
def _open_context() -> SessionContext:
    """Return the one query context; it holds settings only, so threads share it."""
    settings = SessionConfig().with_target_partitions(1).with_batch_size(_BATCH_ROWS)
    return SessionContext(settings)


def _repeat(value: bytes, rows: int) -> pa.DictionaryArray:
    """Return a column of one value, which is stored once."""
    indices = pa.array(np.zeros(rows, dtype=np.int8))
    return pa.DictionaryArray.from_arrays(indices, pa.array([value], pa.binary()))


def _hash_batch(batch: pa.RecordBatch) -> npt.NDArray[np.uint8]:
    """Return the MAC (n, 16) of every row, none of which has a null.

    The expression holds no key: DataFusion logs whole expressions, literals and
    all, at DEBUG, so padded keys are only ever data.
    """
    inner = f.sha256(f.concat(col("inner"), col("identifier")))
    hashing = f.sha256(f.concat(col("outer"), inner)).alias("mac")
    try:
        # read_batch, unlike from_arrow, registers no table that would stay for ever.
        answers = _open_context().read_batch(batch).select(hashing).collect()
    except Exception:  # noqa: BLE001 - a library's text is never passed on
        raise PseudoError(_FAILED) from None
    macs = np.empty((batch.num_rows, MAC_BYTES), dtype=np.uint8)
    filled = 0
    for answer in answers:
        digests = _view_digests(answer.column(0))
        macs[filled : filled + len(digests)] = digests[:, :MAC_BYTES]
        filled += len(digests)
    if filled != batch.num_rows:
        raise PseudoError(_FAILED)
    return macs


def _view_digests(column: pa.BinaryArray) -> npt.NDArray[np.uint8]:
    _, offsets, data = column.buffers()
    first = np.frombuffer(offsets, dtype=np.int32)[column.offset]
    length = len(column) * _DIGEST_BYTES
    digests = np.frombuffer(data, dtype=np.uint8)[first : first + length]
    return digests.reshape(-1, _DIGEST_BYTES)
