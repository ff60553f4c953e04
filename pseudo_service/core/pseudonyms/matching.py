"""Which of many recomputed MACs are the wanted ones.

An HMAC is not turned back: everyone's is made anew under the project's key, and the
few wanted ones are looked up in whole columns of them.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from pseudo_service.core.arrow.arrays import Macs, Mask, Places
from pseudo_service.core.arrow.sorted_macs import MacWords, SortedMacs, read_beginnings

_BEGINNINGS: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MacIndex:
    """A few MACs to look for in many.

    Attributes:
        known: The MACs, sorted.
        order: (m,), the place of each among those that ``build`` was given.
        begins: (65,536,), whether any MAC begins with these two bytes, read as a
            number in the machine's own order.
    """

    known: SortedMacs = field(repr=False)
    order: Places = field(repr=False)
    begins: Mask = field(repr=False)

    @classmethod
    def build(cls, macs: Macs) -> "MacIndex":
        """Prepare MACs (m, 16) to be looked for.

        Raises:
            InvalidArgument: The array has another shape.
        """
        words = MacWords.read(macs)
        order = np.argsort(words.high, kind="stable")
        begins = np.zeros(_BEGINNINGS, np.bool_)
        begins[read_beginnings(macs)] = True
        known = SortedMacs(words.take(order))
        return cls(known=known, order=order, begins=begins)

    def find(self, macs: Macs) -> tuple[Places, Places]:
        """Return every pair of a row and a MAC of the index that are equal.

        Args:
            macs: (n, 16), as ``KeyedHash.mac`` gives them.

        Returns:
            ``rows`` and ``which``, of one length: ``macs[rows]`` equals the MACs that
            ``build`` was given at ``which``. Ordered by row, then by place.

        Raises:
            InvalidArgument: The array has another shape.
        """
        # Two bytes rule out nearly everyone when few are wanted, at a byte's look-up
        # each.
        likely = np.flatnonzero(self.begins[read_beginnings(macs)])
        found, places = self.known.find_pairs(MacWords.read(macs[likely]))
        rows, which = likely[found], self.order[places]
        order = np.lexsort((which, rows))
        return rows[order], which[order]
