"""MACs of the identifiers that a stream met lately, so that each is computed once.

Patients recur: in admissions sorted by date, hundreds of batches have mostly the
same people. Looking a MAC up costs a tenth of computing it. The memory belongs to
one stream, is bounded, and ends with it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.arrow.arrays import MAC_BYTES, Macs
from pseudo_service.core.arrow.numba_kernels import compiled
from pseudo_service.core.identifiers.national_numbers import read_numbers
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash

MOST_REMEMBERED: Final = 1 << 18
"""Identifiers a kind and stream; with three MACs each about 16 MB."""
_NUMBER_BITS: Final = 24
_LAST_NUMBER: Final = (1 << _NUMBER_BITS) - 1
_FREE: Final = -1
_MOST_LOOKS: Final = 256
"""Half full, a table never needs as many, unless somebody chose what crowds it."""


class RecentIdentifiers:
    """Numbers the identifiers that a stream has met, up to a bound.

    Only ten-digit identifiers (every national number) are remembered, as integers;
    for others ``find`` says None, as for those chosen to slow it down. At the bound
    everything is forgotten at once.
    Not for several threads.
    """

    def __init__(self, *, most: int = MOST_REMEMBERED) -> None:
        self._most = min(most, _LAST_NUMBER)
        self._entries = np.empty(0, dtype=np.int64)
        self._asked: pa.StringArray | None = None
        self._answer: npt.NDArray[np.int32] | None = None
        self.count = 0
        self.generation = 0

    def find(self, canonical: pa.StringArray) -> npt.NDArray[np.int32] | None:
        """Return the number of each identifier (distinct, none null).

        Those not met before get the next numbers, in order, from ``count`` as it was.
        Asked again for the same array, the answer is the same.
        """
        if self._asked is not canonical:
            self._answer = self._number(canonical)
            self._asked = canonical
        return self._answer

    def _number(self, canonical: pa.StringArray) -> npt.NDArray[np.int32] | None:
        keys = read_numbers(canonical)
        if keys is None or len(keys) > self._most:
            return None
        if self.count + len(keys) > self._most:
            self._forget()
        self._make_room(self.count + len(keys))
        numbers = np.empty(len(keys), dtype=np.int32)
        count = _number_keys(self._entries, keys, self.count, numbers)
        if count < 0:
            self._forget()
            return None
        self.count = count
        return numbers

    def _make_room(self, needed: int) -> None:
        """Keep at least half of the table free: a power of two, doubled as needed."""
        if 2 * needed <= len(self._entries):
            return
        held = self._entries[self._entries != _FREE]
        in_order = np.empty(len(held), dtype=np.int64)
        in_order[held & _LAST_NUMBER] = held >> _NUMBER_BITS
        size = 1 << (2 * needed - 1).bit_length()
        self._entries = np.full(size, _FREE, dtype=np.int64)
        again = np.empty(len(held), dtype=np.int32)
        if _number_keys(self._entries, in_order, 0, again) < 0:
            self._forget()

    def _forget(self) -> None:
        self._entries[:] = _FREE
        self.count = 0
        self.generation += 1


class CachedKeyedHash:
    """A ``KeyedHash`` over columns that computes each recent identifier once."""

    def __init__(self, keyed_hash: KeyedHash, recent: RecentIdentifiers) -> None:
        self._hash = keyed_hash
        self._recent = recent
        self._generation = recent.generation
        self._macs = np.empty((0, MAC_BYTES), dtype=np.uint8)
        self._is_filled = np.zeros(0, dtype=np.bool_)

    def mac(self, canonical: pa.StringArray) -> Macs:
        """Return the MACs (n, 16) of distinct identifiers, none null."""
        numbers = self._recent.find(canonical)
        if numbers is None:
            return self._hash.mac(canonical)
        self._make_room()
        # Another column may have numbered an identifier that this hash never saw,
        # so what is filled is told one by one.
        is_new = ~self._is_filled[numbers]
        if is_new.any():
            added = numbers[is_new]
            self._macs[added] = self._hash.mac(canonical.filter(pa.array(is_new)))
            self._is_filled[added] = True
        return self._macs[numbers]

    def mac_one(self, canonical: str) -> bytes:
        """Return the MAC of one identifier; it is not remembered."""
        return self._hash.mac_one(canonical)

    def __repr__(self) -> str:
        return "CachedKeyedHash(***)"

    def _make_room(self) -> None:
        if self._generation != self._recent.generation:
            self._generation = self._recent.generation
            self._is_filled[:] = False
        held, needed = len(self._macs), self._recent.count
        if needed > held:
            more = max(needed, 2 * held) - held
            self._macs = np.append(
                self._macs, np.zeros((more, MAC_BYTES), np.uint8), axis=0
            )
            self._is_filled = np.append(self._is_filled, np.zeros(more, np.bool_))


@compiled("int64[1]", "in int64[1]", "int64", "int32[1]")
def _number_keys(
    entries: npt.NDArray[np.int64],
    keys: npt.NDArray[np.int64],
    count: int,
    numbers: npt.NDArray[np.int32],
) -> int:
    """Number each key, entering new ones; return the count then, or -1 if crowded.

    A hash table with open addressing: an entry is a key and its number, or -1.
    """
    last = len(entries) - 1
    for row in range(len(keys)):
        key = np.int64(keys[row])
        mixed = (key ^ key >> 16) * 0x45D9F3B & 0xFFFFFFFF
        mixed = (mixed ^ mixed >> 16) * 0x45D9F3B & 0xFFFFFFFF
        place = (mixed ^ mixed >> 16) & last
        looked = 0
        while entries[place] >= 0 and entries[place] >> _NUMBER_BITS != key:
            place = (place + 1) & last
            looked += 1
            if looked > _MOST_LOOKS:
                return -1
        if entries[place] < 0:
            entries[place] = key << _NUMBER_BITS | count
            count += 1
        numbers[row] = entries[place] & _LAST_NUMBER
    return count
