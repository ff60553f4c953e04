"""Whether a CSV file is well formed: a second, slow and strict reading.

The fast reader joins rows where a quote is left open, and quotes cells in its
errors. This one names the line of the first fault, and nothing that stands there.
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class CsvValidation:
    """What a strict reading found.

    Attributes:
        fault: The first fault, by its line; None if there is none.
        rows: The rows before it.
    """

    fault: str | None
    rows: int


def validate_csv(
    open_file: Callable[[], BinaryIO], *, encoding: str, delimiter: str, longest: int
) -> CsvValidation:
    """Read a whole file strictly (RFC 4180).

    Args:
        open_file: Opens its bytes from the first.
        encoding: What they should be.
        delimiter: Between fields.
        longest: The most characters that one field may have.
    """
    try:
        line = _find_undecodable_line(open_file, encoding)
        if line is not None:
            fault = (
                f"line {line}: not {encoding}; if it was written by Excel or an older "
                "system try --encoding cp1252"
            )
            return CsvValidation(fault, line)
        csv.field_size_limit(longest)
        with open_file() as stream:
            text = io.TextIOWrapper(stream, encoding=encoding, newline="")
            return _validate_rows(text, delimiter, longest)
    except (OSError, EOFError):
        return CsvValidation("it cannot be read to its end: damaged, or cut off", 0)


def _find_undecodable_line(
    open_file: Callable[[], BinaryIO], encoding: str
) -> int | None:
    with open_file() as stream:
        lines: Iterator[bytes] = io.BufferedReader(stream)  # type: ignore[type-var]
        for number, line in enumerate(lines, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return number
    return None


def _validate_rows(
    text: io.TextIOWrapper, delimiter: str, longest: int
) -> CsvValidation:
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    width, starts, count = 0, 1, -1
    try:
        for row in rows:
            width = width or len(row)
            if row and len(row) != width:
                fault = (
                    f"line {starts}: {len(row)} fields where the header has "
                    f"{width}; correct the row, its quotes or its delimiters"
                )
                return CsvValidation(fault, count)
            starts = rows.line_num + 1
            count += bool(row)
    except csv.Error:
        fault = (
            f"line {starts} or below: a quote is not closed, not doubled within "
            f"quotes, or a row is longer than {longest >> 20} MiB"
        )
        return CsvValidation(fault, count)
    return CsvValidation(None, count)
