"""Moving dates: one offset a patient and project, kept for ever.

The offset is a 128-bit MAC of the patient modulo the number of possible offsets,
so one offset says nothing about another. Intervals within a patient stay exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.arrow.column_types import holds_text
from pseudo_service.core.errors import ColumnTypeUnsuitable
from pseudo_service.core.projects.project import (
    DateShiftRule,
    ShiftDirection,
    ShiftUnit,
)
from pseudo_service.core.transforms.date_parsing import (
    ParsedDates,
    Precision,
    Reading,
    format_days,
    move_to_utc,
    number_day,
    parse_dates,
)

_DAYS_OF_UNIT: Final[Mapping[ShiftUnit, int]] = MappingProxyType(
    {ShiftUnit.DAYS: 1, ShiftUnit.WEEKS: 7}
)
_FIRST_DAY: Final = number_day(date.min)
_LAST_DAY: Final = number_day(date.max)
_TICKS_A_DAY: Final[Mapping[str, int]] = MappingProxyType(
    {
        "s": 86_400,
        "ms": 86_400_000,
        "us": 86_400_000_000,
        "ns": 86_400_000_000_000,
    }
)
_UNKNOWN_ZONE: Final = (
    "a column's time zone is unknown here: send UTC or a name of the IANA database"
)
_INT64: Final = np.iinfo(np.int64)


class TimeOfDay(StrEnum):
    """Whether a shifted time keeps its time of day."""

    KEEP = "keep"
    ZERO = "zero"


class DateCode(StrEnum):
    """What became of one date."""

    OK = "ok"
    MISSING = "missing"
    SENTINEL = "sentinel"
    NO_PATIENT = "no_patient"
    UNPARSEABLE = "unparseable"
    OUT_OF_RANGE = "out_of_range"


DATE_CODES: tuple[DateCode, ...] = tuple(DateCode)
CODE_OF: Mapping[DateCode, int] = MappingProxyType(
    {name: code for code, name in enumerate(DATE_CODES)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftedDates:
    """Dates after the shift; all that is not OK is null. Codes index DATE_CODES."""

    values: pa.Array = field(repr=False)
    codes: npt.NDArray[np.uint8]


def choose_offsets(
    macs: npt.NDArray[np.uint8], rule: DateShiftRule
) -> npt.NDArray[np.int32]:
    """Return the offset in days of each patient, never zero.

    Args:
        macs: (n, 16), of the patients, under the project's date key.
        rule: Fixed when the project was created.

    The MAC is a big-endian number V. Past only: -(1 + V mod bound) units. Both
    ways: V mod (2 x bound), the first half past and the second half future. Of
    2**128 MACs no offset has more than one in excess: the bias is nil.
    """
    both = rule.direction is ShiftDirection.BOTH
    chosen = _reduce(macs, 2 * rule.bound if both else rule.bound)
    units = np.where(chosen < rule.bound, -1 - chosen, 1 + chosen - rule.bound)
    return (units * _DAYS_OF_UNIT[rule.unit]).astype(np.int32)


def _reduce(macs: npt.NDArray[np.uint8], divisor: int) -> npt.NDArray[np.int64]:
    """Return 128-bit big-endian numbers modulo a small divisor."""
    halves = np.ascontiguousarray(macs).view(">u8").astype(np.uint64)
    modulus = np.uint64(divisor)
    weight = np.uint64(2**64 % divisor)
    high = halves[:, 0] % modulus * weight  # below 7300 squared: no overflow
    remainder: npt.NDArray[np.uint64] = (high + halves[:, 1] % modulus) % modulus
    return remainder.astype(np.int64)


def shift(
    values: pa.Array,
    offsets_days: npt.NDArray[np.int32],
    has_offset: npt.NDArray[np.bool_],
    *,
    time_of_day: TimeOfDay,
    formats: tuple[str, ...],
    sentinels: frozenset[date],
) -> ShiftedDates:
    """Move every date by its row's offset.

    Naive times move by wall clock, zoned ones by instant (days of 86,400 s), and a
    zoned text is answered in UTC: its summer time would tell the true season. A
    partial text date (``2021``, ``2021-04``) moves from a fixed anchor, 1 July or
    the 15th, and keeps its precision. Text becomes ISO 8601.

    Args:
        values: date32, date64, timestamp or text.
        offsets_days: One a row; without meaning where ``has_offset`` is false.
        has_offset: Whether the row has a patient.
        time_of_day: Whether times keep their time of day or are set to midnight.
        formats: For text, in order; empty means ISO 8601.
        sentinels: Dates that mean "none": null, for shifted they tell the offset.

    Raises:
        ColumnTypeUnsuitable: The type holds no dates.
    """
    if holds_text(values.type):
        parsed = parse_dates(values.cast(pa.string()), formats)
        return _shift_texts(parsed, offsets_days, has_offset, time_of_day, sentinels)
    if pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        return _shift_ticks(values, offsets_days, has_offset, time_of_day, sentinels)
    msg = f"a column of type {values.type} holds no dates: send dates, times or text"
    raise ColumnTypeUnsuitable(msg)


def are_sentinels(
    days: npt.NDArray[np.int64], sentinels: frozenset[date]
) -> npt.NDArray[np.bool_]:
    """Return which day numbers are sentinels."""
    found = np.zeros(len(days), dtype=np.bool_)
    for sentinel in sentinels:
        found |= days == number_day(sentinel)
    return found


def are_partial_sentinels(
    parsed: ParsedDates, sentinels: frozenset[date]
) -> npt.NDArray[np.bool_]:
    """Return which partial dates are a sentinel's year or month.

    ``9999`` or ``1900-01`` is what is left of a sentinel, so the first and the
    last day of the stated span are compared.
    """
    found = np.zeros(len(parsed.days), dtype=np.bool_)
    for precision in (Precision.YEAR, Precision.MONTH):
        rows = parsed.precision == precision
        unit = "Y" if precision is Precision.YEAR else "M"
        spans = parsed.days[rows].astype("datetime64[D]").astype(f"datetime64[{unit}]")
        first = spans.astype("datetime64[D]").astype(np.int64)
        last = (spans + 1).astype("datetime64[D]").astype(np.int64) - 1
        found[rows] = are_sentinels(first, sentinels) | are_sentinels(last, sentinels)
    return found


def _shift_texts(
    parsed: ParsedDates,
    offsets: npt.NDArray[np.int32],
    has_offset: npt.NDArray[np.bool_],
    time_of_day: TimeOfDay,
    sentinels: frozenset[date],
) -> ShiftedDates:
    codes = np.zeros(len(parsed.days), dtype=np.uint8)
    whole = parsed.precision == Precision.DAY
    is_sentinel = whole & are_sentinels(parsed.days, sentinels)
    if not whole.all():
        is_sentinel |= are_partial_sentinels(parsed, sentinels)
    days, times = parsed.days + offsets, parsed.time
    if time_of_day is TimeOfDay.ZERO:
        times = _zero_times(times)
    else:
        times, carried = move_to_utc(times)
        days = days + carried
    outside = (days < _FIRST_DAY) | (days > _LAST_DAY)
    codes[outside] = CODE_OF[DateCode.OUT_OF_RANGE]
    codes[~has_offset] = CODE_OF[DateCode.NO_PATIENT]
    codes[is_sentinel] = CODE_OF[DateCode.SENTINEL]
    codes[parsed.readings == Reading.UNPARSEABLE] = CODE_OF[DateCode.UNPARSEABLE]
    codes[parsed.readings == Reading.MISSING] = CODE_OF[DateCode.MISSING]
    dates = format_days(np.where(outside, 0, days), parsed.precision)
    texts = pc.binary_join_element_wise(dates, times, "")
    return ShiftedDates(values=_keep_ok(texts, codes), codes=codes)


def _zero_times(times: pa.StringArray) -> pa.StringArray:
    """Return midnights in the same form; where there was a zone it becomes UTC.

    An offset of its own would tell the season that the date was moved from.
    """
    clock = pc.replace_substring_regex(times, r"(Z|[+-][0-9:]+)$", "+00:00")
    return pc.replace_substring_regex(clock, "[0-9]", "0")


def _shift_ticks(
    values: pa.Array,
    offsets: npt.NDArray[np.int32],
    has_offset: npt.NDArray[np.bool_],
    time_of_day: TimeOfDay,
    sentinels: frozenset[date],
) -> ShiftedDates:
    """Shift dates and timestamps as integers, without a look at the calendar."""
    ticks_a_day = _count_ticks(values.type)
    ticks = _view_ticks(values)
    days = ticks if ticks_a_day == 1 else ticks // ticks_a_day
    codes = np.zeros(len(values), dtype=np.uint8)
    shifted_days = days + offsets
    lowest, highest = _representable_days(ticks_a_day)
    outside = (shifted_days < lowest) | (shifted_days > highest)
    codes[outside] = CODE_OF[DateCode.OUT_OF_RANGE]
    codes[~has_offset] = CODE_OF[DateCode.NO_PATIENT]
    codes[find_sentinels(values, days, sentinels)] = CODE_OF[DateCode.SENTINEL]
    if values.null_count:
        missing = values.is_null().to_numpy(zero_copy_only=False)
        codes[missing] = CODE_OF[DateCode.MISSING]
    moved = ticks + offsets * np.int64(ticks_a_day)
    shifted = _keep_ok(_wrap_ticks(moved, values.type), codes)
    if time_of_day is TimeOfDay.ZERO and pa.types.is_timestamp(values.type):
        shifted = _floor_to_day(shifted)
    return ShiftedDates(values=shifted, codes=codes)


def find_sentinels(
    values: pa.Array, days: npt.NDArray[np.int64], sentinels: frozenset[date]
) -> npt.NDArray[np.bool_]:
    """Return which dates or times fall on a sentinel, by the wall clock of a zone.

    Args:
        values: The column, of which only zoned times are looked at again.
        days: Its day numbers, of zoned times those in UTC.
        sentinels: Dates that mean "none".

    Raises:
        ColumnTypeUnsuitable: The time zone is unknown here.
    """
    found = are_sentinels(days, sentinels)
    if not _zone(values.type):
        return found
    near = (
        found | are_sentinels(days - 1, sentinels) | are_sentinels(days + 1, sentinels)
    )
    wall = _view_ticks(read_wall_clock(values.filter(pa.array(near))))
    found[near] = are_sentinels(wall // _count_ticks(values.type), sentinels)
    return found


def read_wall_clock(values: pa.Array) -> pa.Array:
    """Return zoned times as their zone's clocks show them, without a zone.

    Raises:
        ColumnTypeUnsuitable: The time zone is unknown here.
    """
    try:
        return pc.local_timestamp(values)
    except pa.ArrowInvalid:
        raise ColumnTypeUnsuitable(_UNKNOWN_ZONE) from None


def _floor_to_day(values: pa.Array) -> pa.Array:
    try:
        return pc.floor_temporal(values, unit="day")
    except pa.ArrowInvalid:
        raise ColumnTypeUnsuitable(_UNKNOWN_ZONE) from None


def _count_ticks(kind: pa.DataType) -> int:
    if pa.types.is_date32(kind):
        return 1
    return _TICKS_A_DAY["ms" if pa.types.is_date64(kind) else kind.unit]


def _zone(kind: pa.DataType) -> str | None:
    return kind.tz if pa.types.is_timestamp(kind) else None


def _view_ticks(values: pa.Array) -> npt.NDArray[np.int64]:
    """Return the stored integers; what is null is some integer, never used."""
    width = pa.int32() if pa.types.is_date32(values.type) else pa.int64()
    stored = values.view(width)
    if stored.null_count:
        stored = stored.fill_null(0)
    ticks: npt.NDArray[np.int64] = stored.to_numpy().astype(np.int64, copy=False)
    return ticks


def _wrap_ticks(ticks: npt.NDArray[np.int64], kind: pa.DataType) -> pa.Array:
    if pa.types.is_date32(kind):
        return pa.array(ticks.astype(np.int32)).view(kind)
    return pa.array(ticks).view(kind)


def _representable_days(ticks_a_day: int) -> tuple[int, int]:
    """Return the days that the type can hold and that a calendar of ours has."""
    # One day inside, so that the time of day cannot carry a date over the edge.
    lowest = max(_FIRST_DAY, _INT64.min // ticks_a_day + 2)
    highest = min(_LAST_DAY, _INT64.max // ticks_a_day - 2)
    return lowest, highest


def _keep_ok(values: pa.Array, codes: npt.NDArray[np.uint8]) -> pa.Array:
    if not codes.any():
        return values
    ok = codes == CODE_OF[DateCode.OK]
    return pc.if_else(pa.array(ok), values, pa.scalar(None, values.type))
