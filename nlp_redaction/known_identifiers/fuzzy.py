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
        ocr_form: The OCR form of the word that was meant.
        errors: How many errors make the difference.
        is_headless: Whether the first letter is the wrong one.
    """

    ocr_form: str
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
    def build(cls, ocr_forms: Iterable[tuple[str, int]]) -> "FuzzyIndex":
        """Index OCR forms, each with the errors it bears."""
        index = cls()
        for ocr_form, limit in ocr_forms:
            if limit and ocr_form not in index.whole:
                index._add(ocr_form, limit)
        return index

    def _add(self, ocr_form: str, limit: int) -> None:
        known = (ocr_form, limit, frozenset(ocr_form))
        for length in range(len(ocr_form) - limit, len(ocr_form) + limit + 1):
            self.by_shape.setdefault((ocr_form[0], length), []).append(known)
        # The first two letters swapped: the word begins with the second one.
        if ocr_form[1] != ocr_form[0]:
            self.by_shape.setdefault((ocr_form[1], len(ocr_form)), []).append(known)
        if len(ocr_form) >= _SHORTEST_HEADLESS:
            self.headless.setdefault(ocr_form[1:], ocr_form)
        self.whole.add(ocr_form)

    def find(self, ocr_form: str, limit: int = 2) -> Misspelling | None:
        """Return the word that a word is a misspelling of, the nearest one."""
        if len(ocr_form) < _SHORTEST_WORD:
            return None
        near = self.by_shape.get((ocr_form[0], len(ocr_form)))
        found = self._find_nearest(ocr_form, near, limit) if near else None
        if found or limit < 2 or len(ocr_form) < _SHORTEST_HEADLESS - 1:  # noqa: PLR2004
            return found
        return self._find_headless(ocr_form)

    def _find_nearest(
        self, ocr_form: str, near: Iterable[_Known], limit: int
    ) -> Misspelling | None:
        best: Misspelling | None = None
        letters = set(ocr_form)
        for target, bears, target_letters in near:
            most = min(bears, limit)
            # Each error brings in or takes out two different letters at most.
            if len(letters ^ target_letters) > 2 * most:
                continue
            if ocr_form[0] != target[0] and ocr_form[:2] != target[1] + target[0]:
                continue
            errors = count_errors(ocr_form, target, most)
            if errors <= most and (best is None or errors < best.errors):
                best = Misspelling(target, errors)
        return best

    def _find_headless(self, ocr_form: str) -> Misspelling | None:
        tail = ocr_form[1:]
        meant = self.headless.get(ocr_form) or self.headless.get(tail)
        if meant is None and tail in self.whole and len(tail) >= _SHORTEST_HEADLESS:
            meant = tail
        return None if meant is None else Misspelling(meant, 1, is_headless=True)
