"""Signs of enumeration: a caller sends identifiers that stand in no record.

A caller who may pseudonymise and sees the answers can build a dictionary: the caller
sends every number and keeps the pseudonym of each. Two signs set that apart from
work. First, the numbers of records lie far apart, and those of an enumeration are
neighbours. Second, most people of records are in the register already, and most
guessed numbers are new to it.
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

_NEIGHBOUR_GAP: Final = 2
"""An enumeration's largest usual step: one serial in eleven has no check digit."""

WINDOW: Final = timedelta(hours=1)
_CHECK_DIGIT: Final = 10

Serials = npt.NDArray[np.int64]
"""The first nine digits of NHS numbers, from which the tenth follows (NHS Data
Dictionary, NHS NUMBER): sorted and distinct."""


class EnumerationSign(StrEnum):
    """The two signs."""

    SEQUENTIAL = "sequential"
    NOVEL_BURST = "novel_burst"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumerationSettings:
    """The thresholds of the signs, and what happens to calls that show one.

    Attributes:
        block: Whether the calls are refused. They are recorded in either case.
        sequential_run: The fewest neighbouring numbers that are a run.
        sequential_share: The least share of the distinct numbers that must stand in
            runs, from 0 to 1. A national table in order has a few runs by chance.
        novel_per_hour: The fewest people new to the register that are a burst, in
            one hour of unary calls.
        novel_share: The least share of the people asked for that must be new, from 0
            to 1.
        remembered: The most distinct numbers that are kept for one caller.
        callers: The most pairs of caller and project that are kept.

    Raises:
        InvalidArgument: A count is too small, or a share is not above 0 and at most 1.
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
        columns: Ten digits a value; none is null.

    Returns:
        (n,) int64.
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
    """Return how many serials stand in runs of neighbours.

    Args:
        serials: (n,) int64, sorted and distinct.
        run: The fewest serials of a run.
    """
    if len(serials) < run:
        return 0
    breaks = np.flatnonzero(np.diff(serials) > _NEIGHBOUR_GAP) + 1
    edges = np.concatenate(([0], breaks, [len(serials)]))
    lengths = np.diff(edges)
    return int(lengths[lengths >= run].sum())


def is_sequential(in_runs: int, looked_at: int, settings: EnumerationSettings) -> bool:
    """Return whether the serials in runs are a sign of enumeration.

    Args:
        in_runs: How many serials stand in runs.
        looked_at: How many distinct serials there are.
        settings: The thresholds.
    """
    return in_runs >= max(
        settings.sequential_run, settings.sequential_share * looked_at
    )


def is_novel_burst(new: int, asked: int, settings: EnumerationSettings) -> bool:
    """Return whether the new people are a sign of enumeration.

    Args:
        new: How many people the register had not seen.
        asked: How many people the calls asked for.
        settings: The thresholds.
    """
    return new >= settings.novel_per_hour and new >= settings.novel_share * asked
