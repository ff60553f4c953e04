"""Dates that arrive as text: explicit formats, each with its own precision."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.identifiers.missing import is_missing, normalise_text
from pseudo_service.core.transforms.date_layouts import (
    compile_layout,
    view_rows,
    wrap_rows,
)

ISO_FORMATS: Final = (
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m",
    "%Y",
)
"""What is read where a policy lists no formats: ISO 8601, no ambiguous order."""
YEAR_ANCHOR: Final = (7, 1)
"""A year shifts from 1 July, the middle of it."""
MONTH_ANCHOR: Final = 15
"""A month shifts from its 15th day."""
_DIRECTIVES: Final = frozenset("YmdbBHMSfz")
_DIRECTIVE: Final = re.compile("%(.?)", re.DOTALL)
_TOUCHING_NUMBERS: Final = re.compile("%[YmdHMS]%[YmdHMSf]")
_SHAPES: Final = {"Y": r"\d{4}", "f": r"\d{1,6}", "b": ".+", "B": ".+", "z": ".+"}
_TIMESPECS: Final = {"f": "microseconds", "S": "seconds", "M": "minutes", "H": "hours"}
_TIMESPEC_BY_LENGTH: Final = {len("T09:30"): "minutes", len("T09:30:00"): "seconds"}
_ANY_DAY: Final = date(2000, 1, 2)
_EPOCH: Final = date(1970, 1, 1).toordinal()


class Precision(IntEnum):
    """How much of a date the text states."""

    YEAR = 4
    MONTH = 7
    DAY = 10


class Reading(IntEnum):
    """What came of reading a text."""

    DATE = 0
    MISSING = 1
    UNPARSEABLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDates:
    """Texts as dates, one row a text.

    ``days`` counts from 1970-01-01 (the anchor's day where the text is partial),
    ``precision`` is the length of the ISO date, ``time`` what follows it.
    """

    days: npt.NDArray[np.int64] = field(repr=False)
    precision: npt.NDArray[np.uint8]
    time: pa.StringArray = field(repr=False)
    readings: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDate:
    """One text as a date: day number, precision, and its time in ISO 8601."""

    days: int = field(repr=False)
    precision: Precision
    time: str = field(default="", repr=False)


def check_formats(formats: tuple[str, ...]) -> None:
    """Raise unless every format is unambiguous and can be shifted.

    Raises:
        InvalidArgument: A directive is unknown, or a year, or the month of a
            day, is missing; two-digit years are refused, their century is a guess.
    """
    for position, text in enumerate(formats):
        found = _DIRECTIVE.findall(text)
        if not set(found) <= _DIRECTIVES or len(found) != len(set(found)):
            msg = f"date format {position + 1}: use %Y %m %b %B %d %H %M %S %f %z, once"
        elif "Y" not in found:
            msg = f"date format {position + 1}: needs the four-digit year, %Y"
        elif not _is_nested(found):
            msg = (
                f"date format {position + 1}: a day needs its month, "
                "a time its day, minutes their hour"
            )
        else:
            continue
        raise InvalidArgument(msg)


def _is_nested(found: list[str]) -> bool:
    months = len({"m", "b", "B"} & set(found))
    steps = [months == 1, "d" in found, "H" in found, "M" in found, "S" in found]
    if months > 1 or steps != sorted(steps, reverse=True):
        return False
    return ("f" not in found or "S" in found) and ("z" not in found or "M" in found)


def parse_dates(values: pa.StringArray, formats: tuple[str, ...]) -> ParsedDates:
    """Read every text by the first format that fits it.

    A text with all its numbers at full width (``03/04/2021``) is read by the first
    format that it fits exactly, before any format is tried more loosely
    (``3/4/2021``, blanks around it, names of months in either case). Numbers that
    touch (``%d%m%Y``) are read at full width only: ``1122021`` is two dates.

    Args:
        values: Texts; each distinct one is read once.
        formats: As ``check_formats`` takes them; empty means ``ISO_FORMATS``.
    """
    encoded = values.dictionary_encode()
    distinct = _read_distinct(encoded.dictionary, formats or ISO_FORMATS)
    nowhere = len(encoded.dictionary)  # the row after the distinct: what null is
    rows = encoded.indices.fill_null(nowhere).to_numpy(zero_copy_only=False)
    return ParsedDates(
        days=distinct.days[rows],
        precision=distinct.precision[rows],
        time=distinct.time.take(pa.array(rows)),
        readings=distinct.readings[rows],
    )


def _read_distinct(texts: pa.StringArray, formats: tuple[str, ...]) -> ParsedDates:
    """Return the outcome of each text, and after them one more that is missing."""
    count = len(texts) + 1
    days = np.zeros(count, dtype=np.int64)
    precision = np.full(count, Precision.DAY, dtype=np.uint8)
    readings = np.full(count, Reading.MISSING, dtype=np.uint8)
    pieces = _read_by_layouts(texts, formats, days, readings)
    exact = np.concatenate([np.empty(0, np.int64), *(rows for rows, _ in pieces)])
    others = np.setdiff1d(np.arange(len(texts)), exact, assume_unique=True)
    parse = _choose_parser(formats)
    times = []
    for row, text in zip(others.tolist(), texts.take(others).to_pylist(), strict=True):
        found = parse(text)
        if isinstance(found, ParsedDate):
            days[row], precision[row] = found.days, found.precision
            readings[row] = Reading.DATE
        else:
            readings[row] = found
        times.append(found.time if isinstance(found, ParsedDate) else "")
    pieces.append((np.append(others, len(texts)), pa.array([*times, ""], pa.string())))
    order = np.argsort(np.concatenate([rows for rows, _ in pieces]))
    time = pa.concat_arrays([piece for _, piece in pieces]).take(pa.array(order))
    return ParsedDates(days=days, precision=precision, time=time, readings=readings)


def _read_by_layouts(
    texts: pa.StringArray,
    formats: tuple[str, ...],
    days: npt.NDArray[np.int64],
    readings: npt.NDArray[np.uint8],
) -> list[tuple[npt.NDArray[np.int64], pa.StringArray]]:
    """Fill in what fits a format exactly; return those rows, and their times."""
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    undecided = np.ones(len(texts), dtype=np.bool_)
    pieces = []
    for layout in filter(None, map(compile_layout, formats)):
        rows = np.flatnonzero(undecided & (lengths == layout.width))
        found = layout.read(view_rows(texts.take(rows), layout.width))
        rows = rows[found.fits]
        undecided[rows] = False
        days[rows] = found.days[found.fits]
        readings[rows] = Reading.DATE
        pieces.append((rows, wrap_rows(found.times[found.fits])))
    return pieces


def _choose_parser(
    formats: tuple[str, ...],
) -> Callable[[str], ParsedDate | Reading]:
    described = [
        (text, frozenset(_DIRECTIVE.findall(text)), _compile_shape(text))
        for text in formats
    ]

    def parse(text: str) -> ParsedDate | Reading:
        folded = normalise_text(text)
        if is_missing(folded):
            return Reading.MISSING
        for layout, directives, shape in described:
            if shape is not None and not shape.fullmatch(folded):
                continue
            try:
                moment = datetime.strptime(folded, layout)  # noqa: DTZ007
            except ValueError:
                continue
            return _describe(moment, directives)
        return Reading.UNPARSEABLE

    return parse


def _compile_shape(layout: str) -> re.Pattern[str] | None:
    """Return the shape at full width of a format whose numbers touch; else None."""
    if not _TOUCHING_NUMBERS.search(layout):
        return None
    # Marks and directives alternate, as one group stands in the expression.
    pieces = re.split("%(.)", layout)
    shapes = [_SHAPES.get(piece, r"\d{2}") for piece in pieces[1::2]]
    marks = map(re.escape, pieces[::2])
    shape = "".join(map("".join, zip(marks, [*shapes, ""], strict=True)))
    return re.compile(shape, re.IGNORECASE)


def _describe(moment: datetime, directives: frozenset[str]) -> ParsedDate:
    if not directives & {"m", "b", "B"}:
        month, day = YEAR_ANCHOR
        anchor = date(moment.year, month, day)
        return ParsedDate(days=number_day(anchor), precision=Precision.YEAR)
    if "d" not in directives:
        anchor = date(moment.year, moment.month, MONTH_ANCHOR)
        return ParsedDate(days=number_day(anchor), precision=Precision.MONTH)
    time = _format_time(moment, directives)
    return ParsedDate(
        days=number_day(moment.date()), precision=Precision.DAY, time=time
    )


def _format_time(moment: datetime, directives: frozenset[str]) -> str:
    if "H" not in directives:
        return ""
    finest = next(part for part in "fSMH" if part in directives)
    return moment.isoformat(timespec=_TIMESPECS[finest])[Precision.DAY :]


def move_to_utc(times: pa.StringArray) -> tuple[pa.StringArray, npt.NDArray[np.int64]]:
    """Return times in UTC where they have a zone, and the days that this carries.

    Args:
        times: As ``ParsedDates.time``: ``T09:30:00+01:00``, or without a zone.
    """
    encoded = times.dictionary_encode()
    moved = [_move_one_to_utc(text) for text in encoded.dictionary.to_pylist()]
    texts = pa.array([text for text, _ in moved], pa.string())
    carried = np.array([days for _, days in moved], dtype=np.int64)
    return texts.take(encoded.indices), carried[encoded.indices.to_numpy()]


def _move_one_to_utc(text: str) -> tuple[str, int]:
    if "+" not in text and "-" not in text:
        return text, 0
    moment = datetime.fromisoformat(f"{_ANY_DAY}{text}")
    clock = re.split("[+-]", text)[0]
    finest = _TIMESPEC_BY_LENGTH.get(len(clock), "microseconds")
    moved = moment.astimezone(UTC)
    days = (moved.date() - _ANY_DAY).days
    return moved.isoformat(timespec=finest)[Precision.DAY :], days


def number_day(day: date) -> int:
    """Return the days from 1970-01-01 to a day."""
    return day.toordinal() - _EPOCH


def format_days(
    days: npt.NDArray[np.int64], precision: npt.NDArray[np.uint8]
) -> pa.StringArray:
    """Return ISO 8601 dates of the precision asked, for days of years 1 to 9999."""
    texts = pa.array(days.astype(np.int32), pa.date32()).cast(pa.string())
    if (precision == Precision.DAY).all():
        return texts
    months = pc.utf8_slice_codeunits(texts, 0, Precision.MONTH)
    years = pc.utf8_slice_codeunits(texts, 0, Precision.YEAR)
    partial = pc.if_else(pa.array(precision == Precision.YEAR), years, months)
    return pc.if_else(pa.array(precision == Precision.DAY), texts, partial)
