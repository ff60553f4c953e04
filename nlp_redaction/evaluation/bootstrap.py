"""How sure a figure is: intervals drawn by leaving out and repeating whole documents.

Identifiers of one document stand or fall together, so documents are drawn, not spans
(Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

SEED: Final = 20
ROUNDS: Final = 2000
_LOW, _HIGH = 2.5, 97.5
_BLOCK: Final = 1_000_000
_RULE_OF_THREE: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A ratio over documents with its interval.

    Attributes:
        value: The counts over the wholes; None when there is nothing to divide by.
        low: Lower end of the 95 % interval.
        high: Upper end.
        count: The sum of the counts.
        of: The sum of the wholes.
    """

    value: float | None
    low: float | None
    high: float | None
    count: int
    of: int


def estimate(
    counts: Sequence[int],
    wholes: Sequence[int],
    *,
    scale: float = 1.0,
    seed: int = SEED,
    rounds: int = ROUNDS,
) -> Figure:
    """Return the ratio of two sums over documents with its 95 % percentile interval.

    Args:
        counts: One count a document, such as what was found.
        wholes: What it is out of, one a document.
        scale: What the ratio is multiplied by, such as 1,000 for "per 1,000".
        seed: Of the draws: the same figures give the same interval.
        rounds: How many times the documents are drawn.
    """
    if len(counts) != len(wholes):
        message = "There must be as many counts as wholes."
        raise ValueError(message)
    count, whole = sum(counts), sum(wholes)
    if not whole:
        return Figure(value=None, low=None, high=None, count=count, of=whole)
    ratios = _draw(
        np.asarray(counts, np.float64), np.asarray(wholes, np.float64), seed, rounds
    )
    low, high = np.percentile(ratios, (_LOW, _HIGH)) * scale
    return Figure(
        value=scale * count / whole,
        low=float(low),
        high=float(high),
        count=count,
        of=whole,
    )


def estimate_share(flags: Sequence[bool]) -> Figure:
    """Return the share of documents with a fault.

    Where none has it the bootstrap would say "none, for certain"; then the upper end is
    three over the number of documents (Hanley and Lippman-Hand, JAMA 1983).
    """
    figure = estimate([int(flag) for flag in flags], [1] * len(flags))
    if figure.of and not figure.count:
        high = min(1.0, _RULE_OF_THREE / figure.of)
        return Figure(value=0.0, low=0.0, high=high, count=0, of=figure.of)
    return figure


def _draw(counts: np.ndarray, wholes: np.ndarray, seed: int, rounds: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    at_once = max(1, _BLOCK // len(counts))
    ratios: list[np.ndarray] = []
    for start in range(0, rounds, at_once):
        size = (min(at_once, rounds - start), len(counts))
        drawn = generator.integers(0, len(counts), size)
        below = wholes[drawn].sum(axis=1)
        above = counts[drawn].sum(axis=1)
        ratios.append(above[below > 0] / below[below > 0])
    return np.concatenate(ratios)
