"""Canonical identities as a segment holds them: one length byte, then the text.

Whole pages of segments are read at once, without a loop of the interpreter over
people.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.arrow.numba_kernels import compiled, view_texts
from pseudo_service.core.errors import IdentifierRefused

LONGEST_IDENTITY = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedIdentities:
    """The identities of several packs, in order.

    ``owner`` gives for each identity the place of its pack. ``unsound`` lists the packs
    that hold something else than their count of identities; none of theirs is here.
    """

    canonical: pa.StringArray = field(repr=False)
    owner: npt.NDArray[np.int64] = field(repr=False)
    unsound: npt.NDArray[np.int64] = field(repr=False)


def pack_identities(canonical: pa.StringArray) -> bytes:
    """Return canonical identities as a segment packs them.

    Args:
        canonical: Without nulls, each at most 255 bytes.

    Raises:
        IdentifierRefused: One is longer, or null.
    """
    longest = pc.max(pc.binary_length(canonical)).as_py() or 0
    if canonical.null_count or longest > LONGEST_IDENTITY:
        msg = f"identities: present, and at most {LONGEST_IDENTITY} bytes each"
        raise IdentifierRefused(msg)
    offsets, data = view_texts(canonical)
    size = int(offsets[-1] - offsets[0]) + len(canonical)
    packed = np.empty(size, dtype=np.uint8)
    width = size // max(1, len(canonical)) - 1
    lengths = np.diff(offsets)
    if width > 0 and (lengths == width).all():
        rows = packed.reshape(-1, width + 1)
        rows[:, 0] = width
        rows[:, 1:] = data[offsets[0] : offsets[-1]].reshape(-1, width)
    else:
        _pack_rows(offsets, data, packed)
    return packed.tobytes()


def unpack_identities(packs: list[bytes], counts: list[int]) -> UnpackedIdentities:
    """Read packs of identities into one column.

    Args:
        packs: What ``pack_identities`` gave, in total below 2 GiB.
        counts: How many identities each must hold.
    """
    packed = np.frombuffer(b"".join(packs), dtype=np.uint8)
    lengths = np.fromiter(map(len, packs), np.int64, len(packs))
    held = np.array(counts, dtype=np.int64)
    width = _find_common_width(packed, lengths, held)
    if width is not None:
        data = np.ascontiguousarray(packed.reshape(-1, width)[:, 1:])
        total = len(data)
        offsets = np.arange(0, (total + 1) * (width - 1), width - 1, dtype=np.int32)
        sound = np.ones(len(packs), dtype=np.bool_)
        return _build(data, offsets, held, sound)
    sound = np.zeros(len(packs), dtype=np.bool_)
    # A pack may claim more than it can hold; each identity takes a byte at least.
    possible = (held >= 0) & (held <= lengths)
    offsets = np.zeros(int(held[possible].sum()) + 1, dtype=np.int32)
    data = np.empty(len(packed), dtype=np.uint8)
    rows = _unpack_rows(packed, lengths, held, offsets, data, sound)
    return _build(data, offsets[: rows + 1], held, sound)


def _find_common_width(
    packed: npt.NDArray[np.uint8],
    lengths: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
) -> int | None:
    """Return what each identity takes with its length byte, if all take the same."""
    total = int(counts.sum())
    if total < 1 or (counts < 0).any() or len(packed) % total:
        return None
    width = len(packed) // total
    if width < 2 or (lengths != counts * width).any():  # noqa: PLR2004 - length and text
        return None
    # Each length leads to the next one, so all are right if they stand where they must.
    return width if (packed[::width] == width - 1).all() else None


def _build(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
    sound: npt.NDArray[np.bool_],
) -> UnpackedIdentities:
    canonical = pa.StringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data)
    )
    owner = np.repeat(np.flatnonzero(sound), counts[sound])
    unsound = np.flatnonzero(~sound)
    try:
        canonical.validate(full=True)
    except pa.ArrowInvalid:
        return _drop_unreadable(canonical, owner, unsound)
    return UnpackedIdentities(canonical=canonical, owner=owner, unsound=unsound)


def _drop_unreadable(
    canonical: pa.StringArray,
    owner: npt.NDArray[np.int64],
    unsound: npt.NDArray[np.int64],
) -> UnpackedIdentities:
    """Leave out the packs in which an identity is no UTF-8: a rare, slow path."""
    as_bytes = canonical.view(pa.binary()).to_pylist()
    bad = {int(at) for at, raw in zip(owner, as_bytes, strict=True) if not _reads(raw)}
    keep = ~np.isin(owner, list(bad))
    texts = [raw.decode() for raw, good in zip(as_bytes, keep, strict=True) if good]
    return UnpackedIdentities(
        canonical=pa.array(texts, pa.string()),
        owner=owner[keep],
        unsound=np.union1d(unsound, np.array(sorted(bad), dtype=np.int64)),
    )


def _reads(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


@compiled("in int32[1]", "in uint8[1]", "uint8[1]")
def _pack_rows(
    offsets: npt.NDArray[np.int32],
    data: npt.NDArray[np.uint8],
    packed: npt.NDArray[np.uint8],
) -> int:
    """Write each text after its length; ``packed`` has exactly the room."""
    at = 0
    for row in range(len(offsets) - 1):
        begin = offsets[row]
        end = offsets[row + 1]
        packed[at] = end - begin
        at += 1
        for place in range(begin, end):
            packed[at] = data[place]
            at += 1
    return at


@compiled(
    "in uint8[1]", "in int64[1]", "in int64[1]", "int32[1]", "uint8[1]", "boolean[1]"
)
def _unpack_rows(  # noqa: PLR0917 - kernels have no keywords
    packed: npt.NDArray[np.uint8],
    lengths: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int32],
    data: npt.NDArray[np.uint8],
    sound: npt.NDArray[np.bool_],
) -> int:
    """Read pack after pack; one that is not whole leaves nothing behind."""
    rows = 0
    filled = 0
    begin = np.int64(0)
    for pack in range(len(lengths)):
        at = begin
        end = begin + lengths[pack]
        begin = end
        count = counts[pack]
        row = rows
        fill = filled
        whole = 0 <= count <= lengths[pack]
        left = count if whole else 0
        while left > 0:
            left -= 1
            if at >= end or at + 1 + packed[at] > end:
                whole = False
                break
            size = np.int64(packed[at])
            for place in range(at + 1, at + 1 + size):
                data[fill] = packed[place]
                fill += 1
            at += 1 + size
            row += 1
            offsets[row] = fill
        if whole and at == end:
            sound[pack] = True
            rows = row
            filled = fill
    return rows
