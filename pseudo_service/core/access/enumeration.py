"""Signs that a caller tries identifiers out rather than reads them from records.

Whoever may pseudonymise and sees the answers can make a dictionary: number after
number goes in, and each answer tells whose pseudonym it is. Two signs tell that from
work. Records hold numbers far apart, an enumeration neighbouring ones; and records
are of people met before or met for good, guesses of people whom nobody knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.identifiers.national_numbers import read_numbers

NEIGHBOUR_GAP: Final = 2
"""An enumeration's largest usual step: one serial in eleven has no check digit."""

WINDOW: Final = timedelta(hours=1)
_CHECK_DIGIT: Final = 10

Serials = npt.NDArray[np.int64]
"""The first nine digits of NHS numbers, from which the tenth follows (NHS Data
Dictionary, NHS NUMBER): sorted and distinct."""


class EnumerationSign(StrEnum):
    """What a caller was seen to do."""

    SEQUENTIAL = "sequential"
    NOVEL_BURST = "novel_burst"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumerationSettings:
    """From when on use looks like trying out, and whether such calls are refused.

    Attributes:
        block: Refuse the calls; otherwise they are only told of.
        sequential_run: Neighbouring numbers count from so many in a row on.
        sequential_share: Of the distinct numbers looked at, so many must stand in
            such rows: a national table in order has a few by chance.
        novel_per_hour: So many people whom the register had never seen, in an hour
            of unary calls, are a burst,
        novel_share: if they are this share of all that the calls asked for.
        remembered: How many distinct numbers an hour's window holds a caller.
        callers: How many callers (and projects) are watched at a time.
    """

    block: bool = False
    sequential_run: int = 20
    sequential_share: float = 0.02
    novel_per_hour: int = 500
    novel_share: float = 0.8
    remembered: int = 5_000
    callers: int = 500

    def __post_init__(self) -> None:
        counts = {
            "sequential_run": (self.sequential_run, 3),
            "novel_per_hour": (self.novel_per_hour, 1),
            "remembered": (self.remembered, self.sequential_run),
            "callers": (self.callers, 1),
        }
        for name, (value, least) in counts.items():
            if value < least:
                msg = f"anti_oracle.{name}: give at least {least}"
                raise InvalidArgument(msg)
        shares = {
            "sequential_share": self.sequential_share,
            "novel_share": self.novel_share,
        }
        for name, share in shares.items():
            if not 0 < share <= 1:
                msg = f"anti_oracle.{name}: give a share above 0 and at most 1"
                raise InvalidArgument(msg)


def read_serials(columns: Iterable[pa.StringArray]) -> Serials:
    """Return the first nine digits of canonical NHS numbers: sorted and distinct.

    Args:
        columns: Of ten digits each; none is null.
    """
    found = [read_numbers(column) for column in columns]
    numbers = [each for each in found if each is not None]
    if not numbers:
        return np.empty(0, np.int64)
    # Sorting takes a twentieth of what numpy's unique takes for a batch.
    serials = np.sort(np.concatenate(numbers) // _CHECK_DIGIT)
    distinct: Serials = serials[np.append(True, np.diff(serials) > 0)]
    return distinct


def count_in_runs(serials: Serials, *, run: int) -> int:
    """Return how many serials stand in rows of neighbours of at least ``run``.

    Args:
        serials: Sorted and distinct.
        run: The shortest row that counts.
    """
    if len(serials) < run:
        return 0
    breaks = np.flatnonzero(np.diff(serials) > NEIGHBOUR_GAP) + 1
    edges = np.concatenate(([0], breaks, [len(serials)]))
    lengths = np.diff(edges)
    return int(lengths[lengths >= run].sum())


def is_sequential(in_runs: int, looked_at: int, settings: EnumerationSettings) -> bool:
    """Tell whether so many in rows, of so many looked at, are a sign."""
    return in_runs >= max(
        settings.sequential_run, settings.sequential_share * looked_at
    )


def is_novel_burst(new: int, asked: int, settings: EnumerationSettings) -> bool:
    """Tell whether so many new people, of so many asked for, are a sign."""
    return new >= settings.novel_per_hour and new >= settings.novel_share * asked
