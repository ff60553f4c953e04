"""The last hour of one caller's unary calls in one project, bounded in memory."""

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

    Each serial stands beside the time of its last call, so that it leaves with the
    window. No repr and no log shows a serial. Counts are kept by five minutes.

    Attributes:
        last: The time of the caller's last call.
        reported_at: The time at which each sign was last recorded.
        serials: (n,) int64, sorted and distinct.
    """

    last: datetime
    reported_at: dict[EnumerationSign, datetime] = field(default_factory=dict)
    serials: Serials = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    _seen: npt.NDArray[np.float64] = field(
        default_factory=lambda: np.empty(0), repr=False
    )
    _counts: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add_serials(self, serials: Serials, *, now: datetime, most: int) -> None:
        """Add the serials of a call.

        Args:
            serials: (n,) int64, sorted and distinct.
            now: The time of the call.
            most: The most serials that are kept; the oldest leave.
        """
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

    def add_counts(self, *, asked: int, new: int, now: datetime) -> None:
        """Add the counts of a call.

        Args:
            asked: How many people the call asked for.
            new: How many of them the register had not seen.
            now: The time of the call.
        """
        place = int(now.timestamp() // _SLICE_SECONDS)
        before = self._counts.get(place, (0, 0))
        self._counts[place] = (before[0] + asked, before[1] + new)

    def count(self, now: datetime) -> tuple[int, int]:
        """Return how many people were asked for in the window, and how many were new."""
        oldest = int(now.timestamp() // _SLICE_SECONDS) - _SLICES + 1
        self._counts = {at: n for at, n in self._counts.items() if at >= oldest}
        found = self._counts.values()
        return sum(asked for asked, _ in found), sum(new for _, new in found)
