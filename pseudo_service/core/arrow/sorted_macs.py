"""Look-up of MACs, and of other numbers, in sorted arrays.

The 16 bytes of a MAC are read as two big-endian numbers, whose order is that of the
bytes. Arrays are sorted by the leading number. Two of 60 million MACs share it with a
chance of one in 10,000, so one look answers nearly all, and the loops below end after
the few rows whose leading numbers agree.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from pseudo_service.core.arrow.arrays import (
    MAC_BYTES,
    Macs,
    Mask,
    Places,
    Prefixes,
)
from pseudo_service.core.errors import InvalidArgument

_Number = TypeVar("_Number", np.uint64, np.int64)

NO_PREFIXES: Final[Prefixes] = np.zeros(0, np.uint64)
_NOWHERE: Final[Places] = np.zeros(0, np.intp)


def read_prefixes(macs: Macs) -> Prefixes:
    """Return the first 8 bytes of each MAC as a number.

    Raises:
        InvalidArgument: The array is not (n, 16).
    """
    return _view_pairs(macs)[:, 0].astype(np.uint64)


def read_beginnings(macs: Macs) -> npt.NDArray[np.uint16]:
    """Return the first 2 bytes of each MAC as a number, in the machine's own order.

    Raises:
        InvalidArgument: The array is not (n, 16).
    """
    return _view_pairs(macs).view(np.uint16)[:, 0]


def sort_distinct_macs(macs: Macs) -> Macs:
    """Return MACs in the order of their bytes, each once."""
    words = MacWords.read(macs)
    words = words.take(np.lexsort((words.low, words.high)))
    return words.take(words.find_first()).write()


def find_sorted(
    known: npt.NDArray[_Number], wanted: npt.NDArray[_Number]
) -> tuple[Mask, Places]:
    """Say of each wanted number whether it is among known ones, and at which place.

    Args:
        known: (n,), ascending.
        wanted: (m,), in any order; a sorted array is searched faster.

    Returns:
        Two arrays (m,). A place that was not found means nothing.
    """
    places = np.searchsorted(known, wanted)
    if not len(known):
        return np.zeros(len(wanted), np.bool_), places
    places = np.minimum(places, len(known) - 1)
    return known[places] == wanted, places


def sort_distinct(parts: Iterable[Prefixes]) -> Prefixes:
    """Return the numbers of some arrays in order, each once.

    A stable sort merges runs that are in order already, in a hundredth of the time
    that ``np.unique`` takes, which hashes.
    """
    joined = np.sort(np.concatenate([NO_PREFIXES, *parts]), kind="stable")
    is_first = np.ones(len(joined), np.bool_)
    np.not_equal(joined[1:], joined[:-1], out=is_first[1:])
    distinct: Prefixes = joined[is_first]
    return distinct


@dataclass(frozen=True, slots=True)
class MacWords:
    """MACs as two arrays (n,): the first 8 bytes of each, and the last 8."""

    high: Prefixes = field(repr=False)
    low: Prefixes = field(repr=False)

    @classmethod
    def read(cls, macs: Macs) -> "MacWords":
        """Return the words of MACs.

        Raises:
            InvalidArgument: The array is not (n, 16).
        """
        pairs = _view_pairs(macs)
        return cls(pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64))

    def take(self, rows: Mask | Places) -> "MacWords":
        """Return some of the rows."""
        return MacWords(self.high[rows], self.low[rows])

    def write(self) -> Macs:
        """Return the MACs as bytes, (n, 16)."""
        pairs = np.column_stack([self.high, self.low]).astype(">u8")
        return pairs.view(np.uint8).reshape(-1, MAC_BYTES)

    def find_first(self) -> Mask:
        """Say of each row whether no earlier row is equal to it."""
        order = np.lexsort((self.low, self.high))
        high, low = self.high[order], self.low[order]
        is_first = np.ones(len(self), np.bool_)
        repeats = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
        is_first[order[1:][repeats]] = False  # lexsort keeps the order of equal rows
        return is_first

    def __len__(self) -> int:
        return len(self.high)


@dataclass(frozen=True, slots=True)
class SortedMacs:
    """MACs in the order of their first 8 bytes; equal ones may repeat."""

    words: MacWords

    @classmethod
    def build(cls, macs: Macs) -> "SortedMacs":
        """Sort MACs.

        Raises:
            InvalidArgument: The array is not (n, 16).
        """
        return cls.sort(MacWords.read(macs))

    @classmethod
    def sort(cls, words: MacWords) -> "SortedMacs":
        """Sort MACs that are words already."""
        return cls(words.take(np.argsort(words.high, kind="stable")))

    def merge(self, other: "SortedMacs") -> "SortedMacs":
        """Return the MACs of both."""
        return self.sort(
            MacWords(
                np.concatenate((self.words.high, other.words.high)),
                np.concatenate((self.words.low, other.words.low)),
            )
        )

    def take(self, rows: Mask) -> "SortedMacs":
        """Return some of the MACs."""
        return SortedMacs(self.words.take(rows))

    def contains(self, wanted: MacWords) -> Mask:
        """Say of each wanted MAC whether it is here."""
        found = np.zeros(len(wanted), np.bool_)
        for rows, _ in self._search(wanted, only_first=True):
            found[rows] = True
        return found

    def find_pairs(self, wanted: MacWords) -> tuple[Places, Places]:
        """Return each pair of a wanted row and a place here whose MACs are equal."""
        pairs = list(self._search(wanted, only_first=False))
        rows = np.concatenate([_NOWHERE, *(each for each, _ in pairs)])
        return rows, np.concatenate([_NOWHERE, *(places for _, places in pairs)])

    def _search(
        self, wanted: MacWords, *, only_first: bool
    ) -> Iterator[tuple[Places, Places]]:
        """Yield equal pairs; ``only_first`` yields one pair for each wanted row."""
        known = self.words
        rows = np.argsort(wanted.high)  # ascending look-ups stay in the cache
        high = wanted.high[rows]
        places = np.searchsorted(known.high, high)
        while len(rows):
            agrees = places < len(known)
            agrees[agrees] = known.high[places[agrees]] == high[agrees]
            rows, high, places = rows[agrees], high[agrees], places[agrees]
            is_equal = known.low[places] == wanted.low[rows]
            yield rows[is_equal], places[is_equal]
            if only_first:
                rest = ~is_equal
                rows, high, places = rows[rest], high[rest], places[rest]
            places = places + 1

    def __len__(self) -> int:
        return len(self.words)


class MacSet:
    """A set of MACs that grows, in few sorted arrays of falling lengths.

    They are merged like the runs of a log-structured tree, so that no MAC is sorted
    often. MACs take 16 bytes each.
    """

    def __init__(self) -> None:
        self._runs: list[SortedMacs] = []

    def add(self, run: SortedMacs) -> None:
        """Add MACs; those that are here already are counted twice."""
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = self._runs.pop().merge(run)
        self._runs.append(run)

    def contains(self, wanted: MacWords) -> Mask:
        """Say of each wanted MAC whether it is here."""
        found = np.zeros(len(wanted), np.bool_)
        for run in self._runs:
            rest = np.flatnonzero(~found)
            if not len(rest):
                break
            found[rest] = run.contains(wanted.take(rest))
        return found

    def __len__(self) -> int:
        return sum(map(len, self._runs))


def _view_pairs(macs: Macs) -> npt.NDArray[np.uint64]:
    """Return (n, 2) big-endian numbers over the bytes of MACs."""
    if macs.ndim != 2 or macs.shape[1] != MAC_BYTES:  # noqa: PLR2004 - rows and bytes
        msg = f"MACs: an array of {MAC_BYTES} bytes a row"
        raise InvalidArgument(msg)
    return np.ascontiguousarray(macs, dtype=np.uint8).view(">u8")
