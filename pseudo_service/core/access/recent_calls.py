"""What one caller has asked for in a project within the last hour, bounded in memory."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from pseudo_service.core.access.enumeration import WINDOW, EnumerationSign, Serials

_SLICES = 12
_SLICE_SECONDS = WINDOW.total_seconds() / _SLICES


@dataclass(slots=True, kw_only=True)
class RecentCalls:
    """A sliding hour of unary calls.

    Serials are kept sorted beside the second at which each was last asked for, so
    that what is older than the window leaves; they are in no repr and no log.
    Of counts a twelfth of an hour is the finest that is remembered.

    Attributes:
        last: When the caller last called.
        told: When each sign was last put on record.
    """

    last: datetime
    told: dict[EnumerationSign, datetime] = field(default_factory=dict)
    serials: Serials = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    _seen: npt.NDArray[np.float64] = field(
        default_factory=lambda: np.empty(0), repr=False
    )
    _counts: dict[int, tuple[int, int]] = field(default_factory=dict)

    def note_serials(self, serials: Serials, *, now: datetime, most: int) -> None:
        """Take in sorted distinct serials; beyond ``most`` the longest ago leave."""
        at = now.timestamp()
        fresh = self._seen > at - WINDOW.total_seconds()
        kept, seen = self.serials[fresh], self._seen[fresh]
        others = ~np.isin(kept, serials, assume_unique=True)
        kept = np.concatenate((kept[others], serials))
        seen = np.concatenate((seen[others], np.full(len(serials), at)))
        if len(kept) > most:
            newest = np.argsort(seen, kind="stable")[-most:]
            kept, seen = kept[newest], seen[newest]
        order = np.argsort(kept)
        self.serials, self._seen = kept[order], seen[order]

    def note_counts(self, *, asked: int, new: int, now: datetime) -> None:
        """Add people asked for, and those of them whom the register had not seen."""
        place = int(now.timestamp() // _SLICE_SECONDS)
        before = self._counts.get(place, (0, 0))
        self._counts[place] = (before[0] + asked, before[1] + new)

    def count(self, now: datetime) -> tuple[int, int]:
        """Return how many were asked for within the window, and how many were new."""
        oldest = int(now.timestamp() // _SLICE_SECONDS) - _SLICES + 1
        self._counts = {at: n for at, n in self._counts.items() if at >= oldest}
        found = self._counts.values()
        return sum(asked for asked, _ in found), sum(new for _, new in found)
