"""MACs of the identifiers that a stream met lately, so that each is computed once.

Patients recur: in admissions sorted by date, hundreds of batches have mostly the
same people. Looking a MAC up costs a tenth of computing it. The memory belongs to
one stream, is bounded, and ends with it.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.keyed_hash import MAC_BYTES, KeyedHash

MOST_REMEMBERED = 1 << 18
"""Identifiers a kind and stream; with three MACs each about 16 MB."""
_DIGITS = 10


class RecentIdentifiers:
    """Numbers the identifiers that a stream has met, up to a bound.

    Only ten-digit identifiers (every national number) are remembered, as integers;
    for others ``find`` says None. At the bound everything is forgotten at once.
    Not for several threads.
    """

    def __init__(self, *, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._keys = np.empty(0, dtype=np.int64)
        self._order = np.empty(0, dtype=np.int32)
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
        keys = _read_keys(canonical)
        if keys is None or len(keys) > self._most:
            return None
        if self.count + len(keys) > self._most:
            self._forget()
        # In order, neighbouring searches touch neighbouring memory.
        order = np.argsort(keys)
        ordered = keys[order]
        places = np.searchsorted(self._keys, ordered)
        within = np.minimum(places, max(0, self.count - 1))
        met = (
            self._keys[within] == ordered
            if self.count
            else np.zeros(len(keys), dtype=np.bool_)
        )
        numbers = np.empty(len(keys), dtype=np.int32)
        if self.count:
            numbers[order[met]] = self._order[within[met]]
        is_new = np.zeros(len(keys), dtype=np.bool_)
        is_new[order] = ~met
        added = int(is_new.sum())
        numbers[is_new] = np.arange(self.count, self.count + added, dtype=np.int32)
        if added:
            self._add(ordered[~met], places[~met], numbers[order[~met]])
        return numbers

    def _add(
        self,
        keys: npt.NDArray[np.int64],
        places: npt.NDArray[np.intp],
        numbers: npt.NDArray[np.int32],
    ) -> None:
        self._keys = np.insert(self._keys, places, keys)
        self._order = np.insert(self._order, places, numbers)
        self.count += len(keys)

    def _forget(self) -> None:
        self._keys, self._order = self._keys[:0], self._order[:0]
        self.count = 0
        self.generation += 1


class RememberingHash:
    """A ``KeyedHash`` over columns that computes each recent identifier once."""

    def __init__(self, keyed_hash: KeyedHash, recent: RecentIdentifiers) -> None:
        self._hash = keyed_hash
        self._recent = recent
        self._generation = recent.generation
        self._macs = np.empty((0, MAC_BYTES), dtype=np.uint8)
        self._is_filled = np.zeros(0, dtype=np.bool_)

    def mac(self, canonical: pa.StringArray) -> npt.NDArray[np.uint8]:
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
        return "RememberingHash(***)"

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


def _read_keys(canonical: pa.StringArray) -> npt.NDArray[np.int64] | None:
    """Return ten-digit identifiers as integers; None if any is of another form."""
    if not len(canonical) or canonical.null_count:
        return None
    _, offsets_buffer, data_buffer = canonical.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32)[
        canonical.offset : canonical.offset + len(canonical) + 1
    ]
    if (
        offsets[-1] - offsets[0] != _DIGITS * len(canonical)
        or (np.diff(offsets) != _DIGITS).any()
    ):
        return None
    digits = np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]]
    digits = digits.reshape(-1, _DIGITS) - np.uint8(ord("0"))
    if (digits > 9).any():  # noqa: PLR2004 - not a digit
        return None
    return digits @ 10 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64)
