"""Which of many recomputed MACs are the wanted ones.

An HMAC is not turned back: everyone's is made anew under the project's key, and the
few wanted ones are looked up in whole columns of them.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.keys.hmac_columns import MAC_BYTES

_PREFIXES: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MacIndex:
    """MACs to look for, in order of their first 8 bytes read as one integer.

    ``order`` gives each one's place among those that ``build`` was given.
    ``prefixes`` says of every value of the first 2 bytes whether any MAC begins so.
    """

    high: npt.NDArray[np.uint64] = field(repr=False)
    low: npt.NDArray[np.uint64] = field(repr=False)
    order: npt.NDArray[np.int64] = field(repr=False)
    prefixes: npt.NDArray[np.bool_] = field(repr=False)

    @classmethod
    def build(cls, macs: npt.NDArray[np.uint8]) -> "MacIndex":
        """Prepare MACs (m, 16) for ``find_wanted``.

        Raises:
            InvalidArgument: The array has another shape.
        """
        words = _view_words(macs)
        order = np.argsort(words[:, 0], kind="stable")
        prefixes = np.zeros(_PREFIXES, dtype=np.bool_)
        prefixes[words.view(np.uint16)[:, 0]] = True
        high, low = words[order, 0], words[order, 1]
        return cls(high=high, low=low, order=order, prefixes=prefixes)


def find_wanted(
    macs: npt.NDArray[np.uint8], wanted: MacIndex
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return every pair of a row and a wanted MAC that are equal in all 16 bytes.

    Args:
        macs: (n, 16), as ``KeyedHash.mac`` gives them.
        wanted: What to look for.

    Returns:
        ``rows`` and ``which``, of one length: ``macs[rows]`` equals the MACs that
        ``MacIndex.build`` was given at ``which``. Ordered by row, then by place.
    """
    words = _view_words(macs)
    # Two bytes rule out nearly everyone when few are wanted, at a byte's look-up each.
    likely = wanted.prefixes[words.view(np.uint16)[:, 0]]
    rows = np.flatnonzero(likely)
    high, low = words[rows, 0], words[rows, 1]
    place = np.searchsorted(wanted.high, high)
    found: list[npt.NDArray[np.int64]] = []
    hits: list[npt.NDArray[np.int64]] = []
    while len(rows):
        inside = place < len(wanted.high)
        inside[inside] = wanted.high[place[inside]] == high[inside]
        rows, high, low, place = (part[inside] for part in (rows, high, low, place))
        same = wanted.low[place] == low
        found.append(rows[same])
        hits.append(wanted.order[place[same]])
        place = place + 1
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    every_row, every_hit = np.concatenate(found), np.concatenate(hits)
    order = np.lexsort((every_hit, every_row))
    return every_row[order], every_hit[order]


def _view_words(macs: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Return (n, 2) words in the machine's own order: they are only ever compared."""
    if macs.ndim != 2 or macs.shape[1] != MAC_BYTES:  # noqa: PLR2004 - rows and bytes
        msg = f"MACs: an array of {MAC_BYTES} bytes a row"
        raise InvalidArgument(msg)
    return np.ascontiguousarray(macs, dtype=np.uint8).view(np.uint64)
