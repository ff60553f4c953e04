"""CSV that a person may open in a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - wide forms count, too


def write_rows(
    file: TextIO, headers: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Write CSV of which no cell is a formula.

    A spreadsheet takes a text that begins like a formula for one, and a formula can
    send other cells of the table elsewhere. Such a text begins with an apostrophe
    here, which a spreadsheet does not show; a program takes it away.
    """
    writer = csv.writer(file)  # ends lines as RFC 4180 does, and quotes what holds one
    writer.writerow(headers)
    writer.writerows([_disarm(cell) for cell in row] for row in rows)


def _disarm(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
