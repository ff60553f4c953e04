"""Coarser values: a date's month or year, an age band, the area of a postcode.

Where a policy shifts dates, the caller passes the shifted ones.
"""

import re
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
from pseudo_service.core.errors import ColumnTypeUnsuitable, InvalidArgument
from pseudo_service.core.identifiers.missing import is_missing, normalise_text
from pseudo_service.core.transforms.date_parsing import (
    Precision,
    Reading,
    format_days,
    number_day,
    parse_dates,
)
from pseudo_service.core.transforms.date_shift import (
    are_partial_sentinels,
    are_sentinels,
    read_wall_clock,
)

BAND_YEARS: Final = 5
TOP_AGE: Final = 90
OLDEST_AGE: Final = 130
_FIRST_DAY: Final = number_day(date.min)
_LAST_DAY: Final = number_day(date.max)
# The forms of BS 7666 and the NHS Data Dictionary ("POSTCODE"): A9, A99, AA9, AA99,
# A9A, AA9A, then a digit and two letters that are never C I K M O V; GIR 0AA apart.
_POSTCODE: Final = re.compile(
    r"(?P<area>[A-PR-UWYZ][A-HK-Y]?|GIR(?= ?0AA$))"
    r"(?P<district>[0-9]{1,2}|[0-9][A-HJKMNPR-Y])?"
    r" *(?P<inward>[0-9][ABD-HJLNP-UW-Z]{2})"
)


class Generalisation(StrEnum):
    """What a value is made coarser into."""

    MONTH = "month"
    YEAR = "year"
    AGE_BAND = "age_band"
    OUTWARD_CODE = "outward_code"
    POSTCODE_AREA = "postcode_area"


class GeneraliseCode(StrEnum):
    """What became of one value."""

    OK = "ok"
    MISSING = "missing"
    SENTINEL = "sentinel"
    UNPARSEABLE = "unparseable"
    OUT_OF_RANGE = "out_of_range"


GENERALISE_CODES: tuple[GeneraliseCode, ...] = tuple(GeneraliseCode)
CODE_OF: Mapping[GeneraliseCode, int] = MappingProxyType(
    {name: code for code, name in enumerate(GENERALISE_CODES)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalised:
    """Coarser texts, null where not OK. Codes index GENERALISE_CODES."""

    values: pa.StringArray = field(repr=False)
    codes: npt.NDArray[np.uint8]


def generalise(
    values: pa.Array,
    into: Generalisation,
    *,
    as_of: date | None = None,
    formats: tuple[str, ...] = (),
    sentinels: frozenset[date] = frozenset(),
) -> Generalised:
    """Return the coarser text of every value.

    Args:
        values: Dates, times or text dates; ages (integers) or dates of birth;
            postcodes (text).
        into: What to make of them.
        as_of: The day on which a date of birth is turned into an age.
        formats: For text dates, in order; empty means ISO 8601.
        sentinels: Dates that mean "none".

    Raises:
        ColumnTypeUnsuitable: The type cannot be generalised so.
        InvalidArgument: An age band of dates of birth lacks ``as_of``.
    """
    match into:
        case Generalisation.MONTH:
            return truncate_dates(values, Precision.MONTH, formats, sentinels)
        case Generalisation.YEAR:
            return truncate_dates(values, Precision.YEAR, formats, sentinels)
        case Generalisation.AGE_BAND:
            return band_ages(values, as_of, formats, sentinels)
        case Generalisation.OUTWARD_CODE | Generalisation.POSTCODE_AREA:
            return cut_postcodes(values, into)


def truncate_dates(
    values: pa.Array,
    precision: Precision,
    formats: tuple[str, ...],
    sentinels: frozenset[date],
) -> Generalised:
    """Return ``2021-04`` or ``2021``; a year given where a month is asked is null."""
    days, stated, codes = _read_days(values, formats, sentinels)
    codes[(codes == 0) & (stated < precision)] = CODE_OF[GeneraliseCode.UNPARSEABLE]
    days = np.where(codes == 0, days, 0)
    texts = format_days(days, np.full(len(days), precision, dtype=np.uint8))
    return Generalised(values=_keep_ok(texts, codes), codes=codes)


def band_ages(
    values: pa.Array,
    as_of: date | None,
    formats: tuple[str, ...],
    sentinels: frozenset[date],
) -> Generalised:
    """Return five-year bands ``0-4`` to ``85-89`` and ``90+``."""
    if pa.types.is_integer(values.type):
        codes = _mark_missing(values)
        ages = values.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    else:
        if as_of is None:
            msg = "age band of a date of birth: the policy needs as_of, a date"
            raise InvalidArgument(msg)
        days, stated, codes = _read_days(values, formats, sentinels)
        partial = (codes == 0) & (stated != Precision.DAY)
        codes[partial] = CODE_OF[GeneraliseCode.UNPARSEABLE]
        ages = _count_years(np.where(codes == 0, days, 0), as_of)
    outside = (ages < 0) | (ages > OLDEST_AGE)
    codes[outside & (codes == 0)] = CODE_OF[GeneraliseCode.OUT_OF_RANGE]
    bands = np.clip(ages, 0, TOP_AGE) // BAND_YEARS
    return Generalised(
        values=_keep_ok(_BANDS.take(pa.array(bands)), codes), codes=codes
    )


_BANDS: Final = pa.array(
    [f"{low}-{low + BAND_YEARS - 1}" for low in range(0, TOP_AGE, BAND_YEARS)]
    + [f"{TOP_AGE}+"]
)


def cut_postcodes(values: pa.Array, into: Generalisation) -> Generalised:
    """Return the outward code (``W4``) or the area (``W``) of valid postcodes."""
    _check_text(values.type, "postcodes")
    encoded = values.cast(pa.string()).dictionary_encode()
    found = [_cut_postcode(text, into) for text in encoded.dictionary.to_pylist()]
    nothing = (None, GeneraliseCode.MISSING)
    rows = encoded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
    texts = pa.array([text for text, _ in [*found, nothing]], pa.string())
    codes = np.array([CODE_OF[code] for _, code in [*found, nothing]], dtype=np.uint8)
    return Generalised(values=texts.take(pa.array(rows)), codes=codes[rows])


def _cut_postcode(text: str, into: Generalisation) -> tuple[str | None, GeneraliseCode]:
    folded = normalise_text(text).upper()
    if is_missing(folded):
        return None, GeneraliseCode.MISSING
    parts = _POSTCODE.fullmatch(folded)
    if parts is None or (parts["district"] is None) != (parts["area"] == "GIR"):
        return None, GeneraliseCode.UNPARSEABLE
    outward = parts["area"] + (parts["district"] or "")
    return (
        parts["area"] if into is Generalisation.POSTCODE_AREA else outward
    ), GeneraliseCode.OK


def _read_days(
    values: pa.Array, formats: tuple[str, ...], sentinels: frozenset[date]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return day numbers, the precision stated, and codes."""
    if pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        codes = _mark_missing(values)
        days = _read_stored_days(values)
        stated = np.full(len(values), Precision.DAY, dtype=np.uint8)
        is_sentinel = are_sentinels(days, sentinels)
    else:
        _check_text(values.type, "dates")
        parsed = parse_dates(values.cast(pa.string()), formats)
        codes = _CODES_OF_READINGS[parsed.readings]
        days, stated = parsed.days, parsed.precision
        is_sentinel = are_sentinels(days, sentinels) & (stated == Precision.DAY)
        is_sentinel |= are_partial_sentinels(parsed, sentinels)
    outside = (days < _FIRST_DAY) | (days > _LAST_DAY)
    codes[(codes == 0) & outside] = CODE_OF[GeneraliseCode.OUT_OF_RANGE]
    codes[(codes == 0) & is_sentinel] = CODE_OF[GeneraliseCode.SENTINEL]
    return days, stated, codes


_CODES_OF_READINGS: Final = np.zeros(len(Reading), dtype=np.uint8)
_CODES_OF_READINGS[Reading.MISSING] = CODE_OF[GeneraliseCode.MISSING]
_CODES_OF_READINGS[Reading.UNPARSEABLE] = CODE_OF[GeneraliseCode.UNPARSEABLE]


def _read_stored_days(values: pa.Array) -> npt.NDArray[np.int64]:
    """Return the day of each date or time, by the wall clock of its zone."""
    if pa.types.is_timestamp(values.type) and values.type.tz is not None:
        values = read_wall_clock(values)
    days = pc.cast(values, pa.date32(), safe=False).view(pa.int32()).fill_null(0)
    numbers: npt.NDArray[np.int64] = days.to_numpy().astype(np.int64)
    return numbers


def _count_years(births: npt.NDArray[np.int64], as_of: date) -> npt.NDArray[np.int64]:
    """Return completed years from each birth to a day; negative before the birth."""
    months = births.astype("datetime64[D]").astype("datetime64[M]")
    day = births - months.astype("datetime64[D]").astype(np.int64) + 1
    number = months.astype(np.int64)
    year, month = number // 12 + 1970, number % 12 + 1
    not_yet = (month > as_of.month) | ((month == as_of.month) & (day > as_of.day))
    ages: npt.NDArray[np.int64] = as_of.year - year - not_yet
    return ages


def _mark_missing(values: pa.Array) -> npt.NDArray[np.uint8]:
    missing = values.is_null().to_numpy(zero_copy_only=False)
    return np.where(missing, np.uint8(CODE_OF[GeneraliseCode.MISSING]), np.uint8(0))


def _check_text(kind: pa.DataType, what: str) -> None:
    if not holds_text(kind):
        msg = f"a column of type {kind} holds no {what}: send {what} as text"
        raise ColumnTypeUnsuitable(msg)


def _keep_ok(values: pa.Array, codes: npt.NDArray[np.uint8]) -> pa.Array:
    if not codes.any():
        return values
    return pc.if_else(pa.array(codes == 0), values, pa.scalar(None, values.type))
