"""Words written with one or two typing errors."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

SHORTEST_WITH_ONE: Final = 5
SHORTEST_WITH_TWO: Final = 8
_SHORTEST_HEADLESS: Final = 6
_SHORTEST_WORD: Final = 4


def allow_errors(word: str) -> int:
    """Return how many typing errors a word of this length bears."""
    if len(word) < SHORTEST_WITH_ONE:
        return 0
    return 1 if len(word) < SHORTEST_WITH_TWO else 2


def count_errors(first: str, second: str, limit: int) -> int:
    """Count the signs inserted, left out, changed or swapped with their neighbour.

    Returns:
        The number of errors (optimal string alignment), or ``limit + 1`` for any
        number above the limit.
    """
    if abs(len(first) - len(second)) > limit:
        return limit + 1
    start, shorter = 0, min(len(first), len(second))
    while start < shorter and first[start] == second[start]:
        start += 1
    end = 0
    while end < shorter - start and first[-1 - end] == second[-1 - end]:
        end += 1
    left, right = first[start : len(first) - end], second[start : len(second) - end]
    if limit == 1:
        swapped = len(left) == len(right) == 2 and left == right[::-1]  # noqa: PLR2004
        return 1 if swapped else min(max(len(left), len(right)), limit + 1)
    return min(_align(left, right), limit + 1)


def _align(left: str, right: str) -> int:
    before: list[int] = []
    row = list(range(len(right) + 1))
    for down, sign in enumerate(left, 1):
        earlier, before, row = before, row, [down]
        for across, other in enumerate(right, 1):
            cost = min(
                before[across] + 1,
                row[across - 1] + 1,
                before[across - 1] + (sign != other),
            )
            is_swap = (
                down > 1
                and across > 1
                and sign == right[across - 2]
                and left[down - 2] == other
            )
            row.append(min(cost, earlier[across - 2] + 1) if is_swap else cost)
    return row[-1]


@dataclass(frozen=True, slots=True, repr=False)
class Misspelling:
    """A word that is another with errors.

    Attributes:
        look: The look of the word that was meant.
        errors: How many errors make the difference.
        is_headless: Whether the first letter is the wrong one.
    """

    look: str
    errors: int
    is_headless: bool = False


_Shape = tuple[str, int]
_Known = tuple[str, int, frozenset[str]]


@dataclass(slots=True, repr=False)
class FuzzyIndex:
    """The words to be found in spite of errors, by how they begin and their length."""

    by_shape: dict[_Shape, list[_Known]] = field(default_factory=dict)
    headless: dict[str, str] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)

    @classmethod
    def build(cls, looks: Iterable[tuple[str, int]]) -> "FuzzyIndex":
        """Index looks, each with the errors it bears."""
        index = cls()
        for look, limit in looks:
            if limit and look not in index.whole:
                index._add(look, limit)
        return index

    def _add(self, look: str, limit: int) -> None:
        known = (look, limit, frozenset(look))
        for length in range(len(look) - limit, len(look) + limit + 1):
            self.by_shape.setdefault((look[0], length), []).append(known)
        # The first two letters swapped: the word begins with the second one.
        if look[1] != look[0]:
            self.by_shape.setdefault((look[1], len(look)), []).append(known)
        if len(look) >= _SHORTEST_HEADLESS:
            self.headless.setdefault(look[1:], look)
        self.whole.add(look)

    def find(self, look: str, limit: int = 2) -> Misspelling | None:
        """Return the word that a word is a misspelling of, the nearest one."""
        if len(look) < _SHORTEST_WORD:
            return None
        near = self.by_shape.get((look[0], len(look)))
        found = self._find_nearest(look, near, limit) if near else None
        if found or limit < 2 or len(look) < _SHORTEST_HEADLESS - 1:  # noqa: PLR2004
            return found
        return self._find_headless(look)

    def _find_nearest(
        self, look: str, near: Iterable[_Known], limit: int
    ) -> Misspelling | None:
        best: Misspelling | None = None
        letters = set(look)
        for target, bears, target_letters in near:
            most = min(bears, limit)
            # Each error brings in or takes out two different letters at most.
            if len(letters ^ target_letters) > 2 * most:
                continue
            if look[0] != target[0] and look[:2] != target[1] + target[0]:
                continue
            errors = count_errors(look, target, most)
            if errors <= most and (best is None or errors < best.errors):
                best = Misspelling(target, errors)
        return best

    def _find_headless(self, look: str) -> Misspelling | None:
        tail = look[1:]
        meant = self.headless.get(look) or self.headless.get(tail)
        if meant is None and tail in self.whole and len(tail) >= _SHORTEST_HEADLESS:
            meant = tail
        return None if meant is None else Misspelling(meant, 1, is_headless=True)
