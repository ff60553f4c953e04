"""NHS numbers that were superseded by another, or re-issued to somebody else.

A person can have had two numbers until their records were merged; the number that
remains is the survivor. A number that was given to a second person identifies nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.arrow.arrays import Mask
from pseudo_service.core.arrow.sorted_macs import find_sorted
from pseudo_service.core.errors import AliasTableRefused
from pseudo_service.core.identifiers.kinds import (
    NHS_NUMBER,
    IdentifierClass,
    IdentifierKind,
)
from pseudo_service.core.identifiers.national_numbers import DIGITS, read_numbers

Numbers = npt.NDArray[np.int64]

NOT_LISTED: Final = -1
REISSUED: Final = 0
_NO_NUMBERS: Final = np.empty(0, np.int64)
_PLACES: Final = 10 ** np.arange(DIGITS - 1, -1, -1, dtype=np.int64)
_NEAR_BITS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SupersededNumbers:
    """Superseded and re-issued numbers, chains resolved; make them with ``build``.

    Attributes:
        numbers: The listed numbers, ascending, each once.
        targets: The survivor of each, which is not itself listed, or ``REISSUED``.
    """

    numbers: Numbers = field(repr=False)
    targets: Numbers = field(repr=False)
    _by_target: npt.NDArray[np.int64] = field(init=False, repr=False)
    _is_near: Mask = field(init=False, repr=False)

    def __post_init__(self) -> None:
        order = np.argsort(self.targets, kind="stable")
        object.__setattr__(self, "_by_target", order)
        # Most numbers are near none of the table, and need no search.
        is_near = np.zeros((10**DIGITS >> _NEAR_BITS) + 1, dtype=np.bool_)
        is_near[self.numbers >> _NEAR_BITS] = True
        object.__setattr__(self, "_is_near", is_near)

    @classmethod
    def build(cls, superseded: Numbers, current: Numbers) -> "SupersededNumbers":
        """Resolve entries, in any order, to their final survivors.

        Args:
            superseded: Numbers not to be used any more.
            current: What replaced each; ``REISSUED`` where another person has it now.

        Raises:
            AliasTableRefused: A number replaces itself, or in a ring, or has two
                survivors, or is re-issued and stands in a merge as well.
        """
        _refuse(superseded == current, "the number replaces itself")
        order = np.argsort(superseded, kind="stable")
        numbers, targets = superseded[order], current[order]
        again = np.append(False, numbers[1:] == numbers[:-1])[: len(numbers)]
        differs = again & (targets != np.roll(targets, 1))
        _refuse(differs, "the number was listed before, with another fate", order)
        numbers, targets, order = numbers[~again], targets[~again], order[~again]
        reissued = numbers[targets == REISSUED]
        _refuse(
            np.isin(targets, reissued),
            "the current number is listed as re-issued",
            order,
        )
        return cls(numbers=numbers, targets=_resolve(numbers, targets, order))

    @property
    def is_empty(self) -> bool:
        """Say whether no number is listed."""
        return not len(self.numbers)

    @property
    def merged(self) -> int:
        """Return how many numbers have a survivor."""
        return len(self.numbers) - self.reissued

    @property
    def reissued(self) -> int:
        """Return how many numbers were re-issued."""
        return int(np.count_nonzero(self.targets == REISSUED))

    def find_targets(self, canonical: pa.StringArray) -> Numbers:
        """Return the target of each canonical NHS number, none null, or NOT_LISTED."""
        found = np.full(len(canonical), NOT_LISTED, dtype=np.int64)
        if self.is_empty or not len(canonical):
            return found
        wanted = read_numbers(canonical)
        assert wanted is not None  # noqa: S101 - canonical numbers have ten digits
        rows = np.flatnonzero(self._is_near[wanted >> _NEAR_BITS])
        is_listed, places = find_sorted(self.numbers, wanted[rows])
        found[rows[is_listed]] = self.targets[places[is_listed]]
        return found

    def find_reissued(self, canonical: pa.StringArray) -> Mask:
        """Say whether each canonical NHS number, none null, was re-issued."""
        found: Mask = self.find_targets(canonical) == REISSUED
        return found

    def substitute(self, canonical: pa.StringArray) -> pa.StringArray:
        """Return the numbers, none null, with survivors for the superseded ones."""
        targets = self.find_targets(canonical)
        is_superseded = targets > REISSUED
        if not is_superseded.any():
            return canonical
        survivors = write_numbers(targets[is_superseded])
        return pc.replace_with_mask(canonical, pa.array(is_superseded), survivors)

    def find_survivor(self, one: str) -> str | None:
        """Return the survivor of one canonical number; None if it has none."""
        (target,) = self.find_targets(pa.array([one], pa.string())).tolist()
        return f"{target:0{DIGITS}d}" if target > REISSUED else None

    def list_superseded(self) -> tuple[pa.StringArray, pa.StringArray]:
        """Return every superseded number, and the survivor of each."""
        has_survivor = self.targets > REISSUED
        return (
            write_numbers(self.numbers[has_survivor]),
            write_numbers(self.targets[has_survivor]),
        )

    def find_former(self, canonical: pa.StringArray) -> Mapping[int, tuple[str, ...]]:
        """Return, by position, the numbers that each number, none null, supersedes."""
        wanted = read_numbers(canonical)
        if self.is_empty or wanted is None:
            return {}
        sorted_targets = self.targets[self._by_target]
        first = np.searchsorted(sorted_targets, wanted, "left")
        last = np.searchsorted(sorted_targets, wanted, "right")
        former = {}
        for place in np.flatnonzero(last > first).tolist():
            listed = self.numbers[self._by_target[first[place] : last[place]]]
            former[place] = tuple(write_numbers(listed).to_pylist())
        return former

    def list_others(self, canonical: str) -> tuple[str, ...]:
        """Return every other number of the person who has this one, sorted."""
        survivor = self.find_survivor(canonical) or canonical
        former = self.find_former(pa.array([survivor], pa.string())).get(0, ())
        return tuple(sorted({survivor, *former} - {canonical}))


NO_SUPERSEDED_NUMBERS: Final = SupersededNumbers(
    numbers=_NO_NUMBERS, targets=_NO_NUMBERS
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedSupersededNumbers:
    """The numbers in force, and their name in pins and receipts: empty for none."""

    table: SupersededNumbers = NO_SUPERSEDED_NUMBERS
    pin: str = ""

    def for_project(self, *, follows_merges: bool) -> "ProjectSupersededNumbers":
        """Return the numbers as one project uses them."""
        return ProjectSupersededNumbers(table=self.table, follows_merges=follows_merges)


NOTHING_PINNED: Final = PinnedSupersededNumbers()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSupersededNumbers:
    """Superseded numbers as one project uses them; every project refuses re-issued ones.

    Methods take canonical identifiers of a kind, none null. Identifiers of other kinds
    than NHS numbers stay as they are.
    """

    table: SupersededNumbers = NO_SUPERSEDED_NUMBERS
    follows_merges: bool = False

    def find_reissued(self, canonical: pa.StringArray, kind: IdentifierKind) -> Mask:
        """Say whether each was re-issued."""
        if self.table.is_empty or kind != NHS_NUMBER:
            return np.zeros(len(canonical), dtype=np.bool_)
        return self.table.find_reissued(canonical)

    def resolve(
        self, canonical: pa.StringArray, kind: IdentifierKind
    ) -> pa.StringArray:
        """Return the number that the project uses for each; the same array if none changes."""
        if self.table.is_empty or not self.follows_merges or kind != NHS_NUMBER:
            return canonical
        return self.table.substitute(canonical)

    def find_former(
        self, canonical: pa.StringArray, kind: IdentifierKind
    ) -> Mapping[int, tuple[str, ...]]:
        """Return, by position, the other numbers that the project treats as the same."""
        if self.table.is_empty or not self.follows_merges or kind != NHS_NUMBER:
            return {}
        return self.table.find_former(canonical)

    def resolve_one(
        self, canonical: str, kind: IdentifierKind
    ) -> tuple[str | None, IdentifierClass | None]:
        """Return the number that the project uses for one identifier, or why it has none."""
        one = pa.array([canonical], pa.string())
        if self.find_reissued(one, kind)[0]:
            return None, IdentifierClass.REISSUED
        return self.resolve(one, kind)[0].as_py(), None


NOTHING_SUPERSEDED: Final = ProjectSupersededNumbers()


def write_numbers(numbers: Numbers) -> pa.StringArray:
    """Return numbers as texts of ten digits."""
    digits = (numbers[:, np.newaxis] // _PLACES % 10 + ord("0")).astype(np.uint8)
    ends = np.arange(len(numbers) + 1, dtype=np.int32) * DIGITS
    return pa.StringArray.from_buffers(
        len(numbers), pa.py_buffer(ends), pa.py_buffer(digits.tobytes())
    )


def refuse_entry(position: int, count: int, why: str) -> AliasTableRefused:
    """Return the refusal of a table for the first of some entries, by position."""
    msg = (
        f"alias table: {why}, first at position {position} of {count} such entries; "
        "correct the table, nothing was loaded"
    )
    return AliasTableRefused(msg)


def _resolve(
    numbers: Numbers, targets: Numbers, order: npt.NDArray[np.int64]
) -> Numbers:
    """Follow every chain to its end, twice as far each time."""
    targets = targets.copy()
    is_listed, places = find_sorted(numbers, targets)
    places[~is_listed] = -1
    for _ in range(len(numbers).bit_length() + 1):
        continues = places >= 0
        if not continues.any():
            break
        onward = places[continues]
        targets[continues], places[continues] = targets[onward], places[onward]
    _refuse(places >= 0, "the number leads into a ring of replacements", order)
    return targets


def _refuse(
    faulty: Mask,
    why: str,
    order: npt.NDArray[np.int64] | None = None,
) -> None:
    rows = np.flatnonzero(faulty) if order is None else order[faulty]
    if len(rows):
        raise refuse_entry(int(rows.min()), len(rows), why)
