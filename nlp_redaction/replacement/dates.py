"""Moving a written date by a patient's offset, and writing it again in its own form.

Only what can be read without doubt is moved: for a season, a decade, a named day, a day
without a month or a scanner's figures there is no answer and the caller writes a tag.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from nlp_redaction.document.text import make_plain
from nlp_redaction.replacement.date_styles import (
    MONTH_OF,
    MONTH_PATTERN,
    WEEKDAY_OF,
    WEEKDAY_PATTERN,
    write_month,
    write_ordinal,
    write_weekday,
)

_YEARLESS: Final = 2023
_LEAP: Final = 2024
_MID_MONTH: Final = 15
_MID_YEAR: Final = (7, 1)
_FIRST_SHORT_YEAR: Final = 36
"""Two figures of a year from here on are of the last century."""

_WEEKDAY: Final = rf"(?:(?P<weekday>{WEEKDAY_PATTERN})(?:[.,]? (?:the )?|-))?"
_DAY: Final = r"(?P<day>\d{1,2})"
_YEAR: Final = r"(?P<year>(?:1[89]|20)\d\d|\d\d)"
_LONG_YEAR: Final = r"(?P<year>(?:1[89]|20)\d\d)"
_MONTH: Final = rf"(?P<name>{MONTH_PATTERN})"
_NUMBER: Final = r"(?P<number>\d{1,2})"
_SEPARATOR: Final = "[./\\\\\u2044\u2215-]"
_TIME: Final = r"(?:(?:[t ]| at |, ?)\d{1,2}[:.]\d\d(?:[:.]\d\d(?:\.\d+)?)?(?:z|[+-]00:?00| ?[ap]m)?)?"
_EARLIER: Final = r"(?P<earlier>(?:\d{1,2}(?:st|nd|rd|th)?(?: ?[,&+-] ?| (?:and|to|or) |, and )){1,6})"

_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        # 3/4/21, 03 - 04 - 2021, Thurs 02.11.23
        rf"{_WEEKDAY}{_DAY} ?(?P<by>{_SEPARATOR}) ?{_NUMBER} ?(?P=by) ?{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_DAY} {_NUMBER} {_YEAR}",
        # 2023-02-19T03:47, 20240301, 202403011230
        rf"{_LONG_YEAR}(?P<by>[-/.])(?P<number>\d\d?)(?P=by)(?P<day>\d\d?){_TIME}",
        rf"{_LONG_YEAR}(?P<number>\d\d)(?P<day>\d\d)(?: ?\d{{4}}(?:\d\d)?)?",
        # 3 May, 21st of January 1930, 08-Dec-2022, 03MAY21, 3rd Apr '21
        (
            rf"{_WEEKDAY}{_EARLIER}?{_DAY}(?P<suffix>st|nd|rd|th)?(?: of )?[ ./-]?{_MONTH}\.?"
            rf"(?:(?:,? ?'?|,? of |[./-]){_YEAR})?{_TIME}"
        ),
        # May 3, May 3rd, 2021
        (
            rf"{_WEEKDAY}{_MONTH}\.? (?P<day>\d(?!\d)|\d{{1,2}}(?=[snrt]|,? (?:1[89]|20)\d\d))"
            rf"(?P<suffix>st|nd|rd|th)?(?:,? {_LONG_YEAR})?"
        ),
        # May 2021, May '21, May-2021
        rf"{_MONTH}\.?(?: of |[ ./-]|, ){_LONG_YEAR}",
        rf"{_MONTH}\.? ?'(?P<year>\d\d)",
        # 9/2022, 2022-09, 09/22
        rf"{_NUMBER} ?[./-] ?{_LONG_YEAR}",
        rf"{_LONG_YEAR}[/-](?P<number>\d\d)",
        rf"{_NUMBER}/(?P<year>1[3-9]|[2-9]\d)",
        # 3/4, Sat 3.4
        rf"{_WEEKDAY}{_DAY} ?{_SEPARATOR} ?{_NUMBER}\.?",
        _MONTH,
        _LONG_YEAR,
        r"'(?P<year>\d\d)",
        rf"(?P<weekday>{WEEKDAY_PATTERN})",
    )
)
_TWO_YEARS: Final = re.compile(
    r"((?:19|20)\d\d)( ?[-/] ?)((?:19|20)\d\d|\d\d)", re.ASCII
)
_FIGURES: Final = re.compile(r"(\d{1,2})(st|nd|rd|th)?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class _Edit:
    """What is written in place of a stretch of the text."""

    start: int
    end: int
    text: str


def shift_date_text(written: str, days: int) -> str | None:
    """Move a written date and write it in its own form.

    Day comes before month. A date without a year moves through one fixed year, a month
    from its middle and a year from its own; they keep their precision. A weekday moves
    with the date, so it is as right as it was. Where the form leaves a choice (May is
    its own abbreviation, 10/11 shows no padding), the commoner one is written.

    Args:
        written: The date as it stands in the text, without its surroundings.
        days: The patient's offset.

    Returns:
        The moved date, or None where the text cannot be read with certainty.
    """
    plain = make_plain(written)
    try:
        pair = _TWO_YEARS.fullmatch(plain)
        edits = _move_two_years(pair, days) if pair else None
        if edits is None:
            edits = _move(plain, days)
    except (ValueError, OverflowError):
        return None
    return _apply(written, edits) if edits else None


def _move(plain: str, days: int) -> list[_Edit] | None:
    for form in _FORMS:
        match = form.fullmatch(plain)
        if match is not None and (edits := _move_match(match, days)) is not None:
            return edits
    return None


def _move_match(match: "re.Match[str]", days: int) -> list[_Edit] | None:
    groups = match.groupdict()
    found = _read_date(groups)
    edits: list[_Edit] = []
    if found is not None:
        moved = found + timedelta(days=days)
        parts = _write_parts(
            groups, moved, short=_is_short(match), joined=_is_joined(match)
        )
        edits = [
            _Edit(*match.span(name), text) for name, text in parts if groups.get(name)
        ]
        if groups.get("earlier"):
            earlier = _move_earlier(match, found, moved, days)
            if earlier is None:
                return None
            edits += earlier
    elif not groups.get("weekday") or groups.get("day"):
        return None
    if weekday := groups.get("weekday"):
        number = (WEEKDAY_OF[weekday.lower()] + days) % 7
        edits.append(_Edit(*match.span("weekday"), write_weekday(number, weekday)))
    return edits


def _read_date(groups: dict[str, str | None]) -> date | None:
    """Return the date, from a fixed anchor where a part of it is not written.

    Raises:
        ValueError: There is no such date.
    """
    name, number = groups.get("name"), groups.get("number")
    month = MONTH_OF[name.lower()] if name else int(number) if number else None
    day = int(groups["day"] or 0) if groups.get("day") else None
    written = groups.get("year")
    if month is None and written is None:
        return None
    leaps = day == 29 and month == 2  # noqa: PLR2004 - the leap day
    year = _read_year(written) if written else _LEAP if leaps else _YEARLESS
    if month is None:
        return date(year, *_MID_YEAR)
    return date(year, month, _MID_MONTH if day is None else day)


def _read_year(written: str) -> int:
    year = int(written)
    if len(written) > len("99"):
        return year
    return year + (1900 if year >= _FIRST_SHORT_YEAR else 2000)


def _write_parts(
    groups: dict[str, str | None], moved: date, *, short: bool, joined: bool
) -> Iterator[tuple[str, str]]:
    day, number = groups.get("day") or "", groups.get("number") or ""
    # 08-Dec-2022 and 08DEC22 are machines' forms, which always have the nought.
    yield "day", _write_figures(moved.day, day, "00" if joined else number)
    yield "number", _write_figures(moved.month, number, day)
    if suffix := groups.get("suffix"):
        yield "suffix", write_ordinal(moved.day, suffix)
    if name := groups.get("name"):
        yield "name", write_month(moved.month, name, short=short)
    if year := groups.get("year"):
        yield "year", f"{moved.year:04d}"[-len(year) :]


def _is_joined(match: "re.Match[str]") -> bool:
    """Tell whether a month's name stands right behind a figure or a sign."""
    start = match.start("name") if match.groupdict().get("name") else 0
    return start > 0 and match.string[start - 1] != " "


def _is_short(match: "re.Match[str]") -> bool:
    """Tell whether May is an abbreviation here, by the company it keeps."""
    groups = match.groupdict()
    if not groups.get("name"):
        return False
    weekday, year = groups.get("weekday") or "", groups.get("year") or ""
    return (
        _is_joined(match) or 0 < len(weekday) < len("Monday") or len(year) == len("99")
    )


def _write_figures(value: int, own: str, other: str) -> str:
    """Write a day or month with a nought before it if it, or its neighbour, has one."""
    if not own:
        return ""
    if own[0] == "0":
        padded = True
    elif len(own) == 1:
        padded = False
    else:
        # 10/3 has no noughts, 10/03 and 10/11 may; a day before a month's name has none.
        padded = len(other) > 1
    return f"{value:02d}" if padded else str(value)


def _move_earlier(
    match: "re.Match[str]", found: date, moved: date, days: int
) -> list[_Edit] | None:
    """Move the first days of 3, 4 and 5 May; None where they leave the last's month."""
    edits = []
    offset = match.start("earlier")
    for figures in _FIGURES.finditer(match["earlier"]):
        one = found.replace(day=int(figures[1])) + timedelta(days=days)
        if (one.year, one.month) != (moved.year, moved.month):
            return None
        suffix = write_ordinal(one.day, figures[2]) if figures[2] else ""
        text = _write_figures(one.day, figures[1], "") + suffix
        edits.append(_Edit(offset + figures.start(), offset + figures.end(), text))
    return edits


def _move_two_years(match: "re.Match[str]", days: int) -> list[_Edit] | None:
    first, last = match[1], match[3]
    years = [int(first), int(last) if len(last) > len("99") else int(first[:2] + last)]
    could_be_month = len(last) == len("99") and int(last) <= 12  # noqa: PLR2004
    if years[1] <= years[0] or could_be_month:
        # 2011-12 may be a month or a year, and they move differently.
        return None if not could_be_month or years[1] != years[0] + 1 else []
    moved = [(date(year, *_MID_YEAR) + timedelta(days=days)).year for year in years]
    return [
        _Edit(*match.span(1), f"{moved[0]:04d}"),
        _Edit(*match.span(3), f"{moved[1]:04d}"[-len(last) :]),
    ]


def _apply(written: str, edits: list[_Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        written = written[: edit.start] + edit.text + written[edit.end :]
    return written
