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
class QualityLine:
    """One line of the quality report."""

    column: str
    code: str
    cells: int
    percentage: float


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

    def report(self) -> tuple[QualityLine, ...]:
        """Return the share of every code in its column, the commonest first."""
        return tuple(
            QualityLine(
                column=column,
                code=code,
                cells=cells,
                percentage=100 * cells / sum(found.values()),
            )
            for column, found in self.counts.items()
            for code, cells in sorted(found.items(), key=lambda item: -item[1])
        )


def count_codes(codes: npt.NDArray[np.uint8], names: Sequence[str]) -> dict[str, int]:
    """Count the cells of each code; codes that no cell has are left out."""
    totals = np.bincount(codes, minlength=len(names)).tolist()
    return {
        str(name): total for name, total in zip(names, totals, strict=True) if total
    }


def find_rejected(
    column: str,
    codes: npt.NDArray[np.uint8],
    names: Sequence[str],
    *,
    unremarkable: Collection[str],
    rows: npt.NDArray[np.int64] | None,
) -> list[RejectedCells]:
    """Return the positions of every code but the unremarkable ones.

    Args:
        column: The input column's name.
        codes: One index into ``names`` a cell.
        names: What the codes mean.
        unremarkable: Codes of cells that are answered, or that were missing.
        rows: The position in the sent batch of each cell; None if none was removed.
    """
    found = np.flatnonzero(np.bincount(codes, minlength=len(names)))
    rejected = []
    for code in found.tolist():
        if names[code] in unremarkable:
            continue
        places = np.flatnonzero(codes == code)
        sent = places if rows is None else rows[places]
        rejected.append(
            RejectedCells(
                column=column, code=str(names[code]), rows=sent.astype(np.uint32)
            )
        )
    return rejected


def _add_counts(into: dict[str, int], found: Mapping[str, int]) -> None:
    for code, cells in found.items():
        into[code] = into.get(code, 0) + cells
