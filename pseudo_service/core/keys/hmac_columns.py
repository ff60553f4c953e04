"""HMAC-SHA256 of whole columns by OpenSSL's own SHA-256, in one compiled loop.

RFC 2104: H(key xor opad, H(key xor ipad, message)). Hashing the padded keys is done
once a column; their states are copied for each row, which leaves two compressions.

The functions are those of the libcrypto that the interpreter's ``_hashlib`` is linked
with (openssl/sha.h; SHA256_Init(3), deprecated for new code since 3.0, and still
there)::

    int SHA256_Init(SHA256_CTX *c);
    int SHA256_Update(SHA256_CTX *c, const void *data, size_t len);
    int SHA256_Final(unsigned char *md, SHA256_CTX *c);

SHA256_CTX is eight words of state, two of length, sixteen of data and two counts:
112 bytes without a pointer in them, unchanged since OpenSSL 0.9.8. So a state is
copied as bytes. Whether all this holds of
the library at hand is known from an answer, not from a version: see ``keyed_hash``.
"""

import _hashlib
import ctypes
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.arrow.arrays import MAC_BYTES, Macs
from pseudo_service.core.arrow.numba_kernels import (
    can_compile,
    compiled,
    register_external,
    view_texts,
)

_BLOCK_BYTES: Final = 64
_CONTEXT_WORDS: Final = 14
_ROOM: Final = 32
"""Words set aside for a context; more than it has, should a library's be larger."""
_INNER: Final = 0x36
_OUTER: Final = 0x5C
_DONE: Final = 0
_REFUSED: Final = 1
_UNSOUND: Final = 2

# Names of our own, so that no other library's symbol can be meant.
_INIT: Final = "pseudo_sha256_init"
_UPDATE: Final = "pseudo_sha256_update"
_FINAL: Final = "pseudo_sha256_final"
# Machine code finds them under these names; there is no Python behind them.
_init: Any = None
_update: Any = None
_final: Any = None


@cache
def find_openssl() -> bool:
    """Return whether columns can be hashed so, and say where the functions are.

    Under FIPS mode they cannot: these functions are outside the validated provider.
    """
    if not can_compile() or _hashlib.get_fips_mode():
        return False
    try:
        library = ctypes.CDLL(_hashlib.__file__)
        found = {
            _INIT: library.SHA256_Init,
            _UPDATE: library.SHA256_Update,
            _FINAL: library.SHA256_Final,
        }
    except (AttributeError, OSError):  # linked in statically, or another library
        return False
    for name, function in found.items():
        address = ctypes.cast(function, ctypes.c_void_p).value
        register_external(name, address or 0)
    return True


def hash_column(key: bytes, prefix: bytes, texts: pa.StringArray) -> Macs:
    """Return the MACs (n, 16) of prefix and text, for a column without nulls.

    Padded keys and states are wiped.

    Raises:
        ValueError: OpenSSL's functions are not to be had here, as ``find_openssl``
            says, it refused, or the column's offsets are unsound.
    """
    if not find_openssl():  # a kernel whose functions nobody found ends the process
        msg = "OpenSSL's SHA-256 cannot be called here"
        raise ValueError(msg)
    offsets, data = view_texts(texts)
    words = np.empty((len(texts), MAC_BYTES // 8), dtype=np.uint64)
    secrets = np.zeros(4 * _ROOM, dtype=np.uint64)
    blocks = np.zeros((2, _BLOCK_BYTES), dtype=np.uint8)
    try:
        blocks[:, : len(key)] = np.frombuffer(key, np.uint8)
        blocks[0] ^= _INNER
        blocks[1] ^= _OUTER
        message_prefix = np.frombuffer(prefix, np.uint8)
        outcome = _hash_rows(blocks, message_prefix, offsets, data, secrets, words)
    finally:
        blocks[:] = 0
        secrets[:] = 0
    if outcome != _DONE:
        msg = "OpenSSL refused to hash" if outcome == _REFUSED else "unsound offsets"
        raise ValueError(msg)
    return words.view(np.uint8)


@compiled(
    "in uint8[2]",
    "in uint8[1]",
    "in int32[1]",
    "in uint8[1]",
    "uint64[1]",
    "uint64[2]",
    externals={"_init": (_INIT, 1), "_update": (_UPDATE, 3), "_final": (_FINAL, 2)},
)
def _hash_rows(  # noqa: PLR0917 - kernels have no keywords
    blocks: npt.NDArray[np.uint8],
    prefix: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int32],
    data: npt.NDArray[np.uint8],
    secrets: npt.NDArray[np.uint64],
    words: npt.NDArray[np.uint64],
) -> int:
    """Write each row's MAC; ``secrets`` holds the states, the context, the digest."""
    inner = secrets.ctypes.data
    outer = inner + 8 * _ROOM
    context = outer + 8 * _ROOM
    digest = context + 8 * _ROOM
    ok = _init(inner) & _update(inner, blocks.ctypes.data, _BLOCK_BYTES)
    ok &= _update(inner, prefix.ctypes.data, len(prefix))
    ok &= _init(outer)
    ok &= _update(outer, blocks.ctypes.data + _BLOCK_BYTES, _BLOCK_BYTES)
    begin = np.int64(offsets[0])
    if begin < 0:
        return _UNSOUND
    for row in range(len(offsets) - 1):
        end = np.int64(offsets[row + 1])
        if end < begin or end > len(data):
            return _UNSOUND
        for word in range(_CONTEXT_WORDS):
            secrets[2 * _ROOM + word] = secrets[word]
        ok &= _update(context, data.ctypes.data + begin, end - begin)
        ok &= _final(digest, context)
        for word in range(_CONTEXT_WORDS):
            secrets[2 * _ROOM + word] = secrets[_ROOM + word]
        ok &= _update(context, digest, 32)
        ok &= _final(digest, context)
        words[row, 0] = secrets[3 * _ROOM]
        words[row, 1] = secrets[3 * _ROOM + 1]
        begin = end
    return _DONE if ok else _REFUSED
