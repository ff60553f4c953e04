"""Reading whole columns of date texts whose numbers are written at full width."""

import re
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_WIDTHS: Final = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_PIECE: Final = re.compile("%(.)|(.)", re.DOTALL)
_LIMITS: Final = {"H": 23, "M": 59, "S": 59}


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedLayout:
    """A date format as places in a text: where each number and mark stands."""

    width: int
    fields: dict[str, slice]
    marks: dict[int, int]

    def read(self, texts: npt.NDArray[np.uint8]) -> "LayoutReading":
        """Read texts (n, width), each a row of ASCII bytes."""
        fits = np.ones(len(texts), dtype=np.bool_)
        for place, mark in self.marks.items():
            fits &= texts[:, place] == mark
        numbers = {}
        for name, places in self.fields.items():
            digits = texts[:, places] - np.uint8(ord("0"))
            fits &= (digits <= 9).all(axis=1)  # noqa: PLR2004
            powers = 10 ** np.arange(digits.shape[1])[::-1]
            numbers[name] = digits.astype(np.int64) @ powers
        for name in numbers.keys() & _LIMITS.keys():
            fits &= numbers[name] <= _LIMITS[name]
        year, month, day = (numbers[name] for name in "Ymd")
        fits &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)  # noqa: PLR2004
        months = np.where(fits, (year - 1970) * 12 + month - 1, 0)
        first = months.astype("datetime64[M]")
        length = (first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")
        fits &= day <= length.astype(np.int64)
        days = first.astype("datetime64[D]").astype(np.int64) + day - 1
        return LayoutReading(fits=fits, days=days, times=self._cut_times(texts))

    def _cut_times(self, texts: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the ISO 8601 time of each text, ``THH:MM`` or ``THH:MM:SS``."""
        pieces = []
        for name, mark in (("H", "T"), ("M", ":"), ("S", ":")):
            if name in self.fields:
                pieces.append(np.full((len(texts), 1), ord(mark), dtype=np.uint8))
                pieces.append(texts[:, self.fields[name]])
        return np.hstack(pieces) if pieces else texts[:, :0]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutReading:
    """Which texts fit, and the day number and ISO time (n, w) of those that do."""

    fits: npt.NDArray[np.bool_]
    days: npt.NDArray[np.int64] = field(repr=False)
    times: npt.NDArray[np.uint8] = field(repr=False)


def compile_layout(layout: str) -> FixedLayout | None:
    """Return the format as places, or None where a part of it has no fixed width."""
    fields: dict[str, slice] = {}
    marks: dict[int, int] = {}
    place = 0
    for directive, mark in _PIECE.findall(layout):
        if directive and directive not in _WIDTHS:
            return None
        if directive:
            fields[directive] = slice(place, place + _WIDTHS[directive])
            place += _WIDTHS[directive]
        elif not mark.isascii():
            return None
        else:
            marks[place] = ord(mark)
            place += 1
    # A time without minutes is no ISO 8601 that others read.
    if not {"Y", "m", "d"} <= fields.keys() or ("H" in fields) != ("M" in fields):
        return None
    return FixedLayout(width=place, fields=fields, marks=marks)


def view_rows(texts: pa.StringArray, width: int) -> npt.NDArray[np.uint8]:
    """Return texts that all have this many bytes as rows (n, width)."""
    if not len(texts):
        return np.empty((0, width), dtype=np.uint8)
    _, offsets, data = texts.buffers()
    first = np.frombuffer(offsets, np.int32, texts.offset + 1)[texts.offset]
    length = len(texts) * width
    return np.frombuffer(data, np.uint8)[first : first + length].reshape(-1, width)


def wrap_rows(rows: npt.NDArray[np.uint8]) -> pa.StringArray:
    """Return rows (n, width) of ASCII bytes as texts."""
    count, width = rows.shape
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(width)
    data = pa.py_buffer(np.ascontiguousarray(rows))
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), data)
