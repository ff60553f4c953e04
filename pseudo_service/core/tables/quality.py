"""What became of every cell: counts by code, and where the bad ones stood."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Counts = Mapping[str, Mapping[str, int]]
"""Input column, code, number of cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedCells:
    """Cells of one column that had a value and are answered null, for one cause.

    ``rows`` are positions in the batch that was sent, ascending, never values.
    """

    column: str
    code: str
    rows: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCodes:
    """What became of the cells of one column.

    Attributes:
        codes: One index into ``names`` a cell.
        names: What the codes mean.
        rows: The position in the batch that was sent of each cell; None if the column
            has a cell for every row.
    """

    codes: npt.NDArray[np.uint8] = field(repr=False)
    names: Sequence[str]
    rows: npt.NDArray[np.int64] | None = field(repr=False, default=None)

    def count(self) -> dict[str, int]:
        """Return the cells of each code; codes that no cell has are left out."""
        return count_codes(self.codes, self.names)

    def list_by_row(self, rows: int) -> list[str | None]:
        """Return the code of each of a batch's rows; None where it has no cell."""
        found: list[str | None] = [None] * rows
        places = range(rows) if self.rows is None else self.rows.tolist()
        for place, code in zip(places, self.codes.tolist(), strict=True):
            found[place] = str(self.names[code])
        return found

    def find_rejected(
        self, column: str, *, unremarkable: Collection[str]
    ) -> list[RejectedCells]:
        """Return the cells of every code but the unremarkable ones.

        Args:
            column: The input column's name.
            unremarkable: Codes of cells that are answered, or that were missing.
        """
        found = np.flatnonzero(np.bincount(self.codes, minlength=len(self.names)))
        return [
            RejectedCells(
                column=column, code=str(self.names[code]), rows=self._find_rows(code)
            )
            for code in found.tolist()
            if self.names[code] not in unremarkable
        ]

    def _find_rows(self, code: int) -> npt.NDArray[np.uint32]:
        places = np.flatnonzero(self.codes == code)
        sent = places if self.rows is None else self.rows[places]
        return sent.astype(np.uint32)


@dataclass(slots=True, kw_only=True)
class TableTally:
    """The totals of a table, grown batch by batch."""

    rows_in: int = 0
    rows_out: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(
        self,
        *,
        rows_in: int,
        rows_out: int,
        removed: Mapping[str, int],
        counts: Counts,
    ) -> None:
        """Add one batch."""
        self.rows_in += rows_in
        self.rows_out += rows_out
        _add_counts(self.removed, removed)
        for column, found in counts.items():
            _add_counts(self.counts.setdefault(column, {}), found)


def count_codes(codes: npt.NDArray[np.uint8], names: Sequence[str]) -> dict[str, int]:
    """Count the cells of each code; codes that no cell has are left out."""
    totals = np.bincount(codes, minlength=len(names)).tolist()
    return {
        str(name): total for name, total in zip(names, totals, strict=True) if total
    }


def _add_counts(into: dict[str, int], found: Mapping[str, int]) -> None:
    for code, cells in found.items():
        into[code] = into.get(code, 0) + cells
