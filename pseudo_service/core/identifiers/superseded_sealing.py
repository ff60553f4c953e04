"""Superseded numbers as they are stored: sealed in chunks, under one keyed digest.

A person who can write to the database can delete a table, but neither read nor change it.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pseudo_service.core.errors import AliasTableRefused
from pseudo_service.core.identifiers.superseded import Numbers, SupersededNumbers
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.keys.sealed_records import NONCE_BYTES

CHUNK_ENTRIES = 250_000
_FORMAT = "pseudo/alias-table/v1"
_PAIR_BYTES = 16


def digest_table(table: SupersededNumbers, key: SecretKey) -> bytes:
    """Return the keyed digest of a table, whatever its id."""
    stated = f"{_FORMAT}\x1f{table.merged}\x1f{table.reissued}\x1f".encode()
    mac = hmac.new(key.reveal(), stated, hashlib.sha256)
    mac.update(_pack(table.numbers, table.targets))
    return mac.digest()


def count_chunks(entries: int) -> int:
    """Return how many chunks so many entries take; none for no entries."""
    return -(-entries // CHUNK_ENTRIES)


def seal_table(
    table: SupersededNumbers, *, list_id: str, key: SecretKey, nonces: Sequence[bytes]
) -> Iterator[bytes]:
    """Yield a table's chunks, each its nonce and what AES-256-GCM made of it.

    Args:
        table: What is stored.
        list_id: The table's id.
        key: Seals; used for superseded numbers only.
        nonces: 12 fresh random bytes a chunk.
    """
    entries = len(table.numbers)
    for chunk, nonce in zip(range(count_chunks(entries)), nonces, strict=True):
        cut = slice(chunk * CHUNK_ENTRIES, (chunk + 1) * CHUNK_ENTRIES)
        packed = _pack(table.numbers[cut], table.targets[cut])
        squeezed = pa.compress(packed, codec="zstd", asbytes=True)
        aad = _associate(list_id, chunk, entries)
        yield nonce + AESGCM(key.reveal()).encrypt(nonce, squeezed, aad)


def open_table(
    sealed: Iterable[bytes],
    *,
    list_id: str,
    entries: int,
    key: SecretKey,
    digest_key: SecretKey,
    digest: bytes,
) -> SupersededNumbers:
    """Return the table that was sealed.

    Raises:
        AliasTableRefused: A chunk is missing, too many or does not open, or the whole
            is not what the digest was made of.
    """
    parts = []
    for chunk, each in enumerate(sealed):
        nonce, rest = each[:NONCE_BYTES], each[NONCE_BYTES:]
        aad = _associate(list_id, chunk, entries)
        try:
            squeezed = AESGCM(key.reveal()).decrypt(nonce, rest, aad)
        except (InvalidTag, ValueError):
            raise AliasTableRefused(_NOT_THE_ONE) from None
        size = min(CHUNK_ENTRIES, entries - chunk * CHUNK_ENTRIES) * _PAIR_BYTES
        parts.append(
            pa.decompress(squeezed, decompressed_size=size, codec="zstd", asbytes=True)
        )
    pairs = np.frombuffer(b"".join(parts), "<i8").reshape(-1, 2)
    if len(pairs) != entries:
        raise AliasTableRefused(_NOT_THE_ONE)
    table = SupersededNumbers(
        numbers=np.ascontiguousarray(pairs[:, 0], np.int64),
        targets=np.ascontiguousarray(pairs[:, 1], np.int64),
    )
    if not hmac.compare_digest(digest_table(table, digest_key), digest):
        raise AliasTableRefused(_NOT_THE_ONE)
    return table


def _pack(numbers: Numbers, targets: Numbers) -> bytes:
    return np.column_stack([numbers, targets]).astype("<i8").tobytes()


def _associate(list_id: str, chunk: int, entries: int) -> bytes:
    here = min(CHUNK_ENTRIES, entries - chunk * CHUNK_ENTRIES)
    return "\x1f".join((_FORMAT, list_id, str(chunk), str(entries), str(here))).encode()


_NOT_THE_ONE = (
    "the stored alias table is not the one that was loaded: load it again with "
    "`pseudo aliases load` and tell the security officer"
)
