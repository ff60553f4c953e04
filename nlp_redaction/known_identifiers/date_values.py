"""Reads a known date in whatever form the record holds it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from nlp_redaction.known_identifiers.spelling import normalise_ocr, spell_plainly

_MONTH_NAMES: Final = (
    "january jan ionawr ion",
    "february feb febr chwefror chwef",
    "march mar mawrth maw",
    "april apr ebrill ebr",
    "may mai",
    "june jun mehefin meh",
    "july jul gorffennaf gorff gor",
    "august aug awst",
    "september sept sep medi",
    "october oct hydref hyd",
    "november nov tachwedd tach",
    "december dec rhagfyr rhag",
)
MONTHS: Final = {
    name: month for month, names in enumerate(_MONTH_NAMES, 1) for name in names.split()
}
MONTH_OCR_FORMS: Final = {normalise_ocr(name): month for name, month in MONTHS.items()}
_YEAR_FIRST: Final = re.compile(r"\s*(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?!\d)")
_DAY_FIRST: Final = re.compile(
    r"\D*(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*'?(\d{4}|\d{2})(?!\d)"
)
_GLUED: Final = re.compile(
    r"\s*(?:(\d{4})(\d\d)(\d\d)|(\d\d)(\d\d)(\d{4}|\d\d))\s*(?:$|t)"
)
_DAY_MONTH: Final = re.compile(
    r"(?:[a-z]+,?\s+)?(\d{1,2})(?:st|nd|rd|th)?[\s./-]*(?:of\s+)?([a-z]+)\.?[\s,./-]*"
    r"'?(\d{4}|\d{2})?(?!\d)"
)
_MONTH_DAY: Final = re.compile(r"([a-z]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_MONTH_YEAR: Final = re.compile(r"([a-z]+|\d{1,2})\.?[\s/.-]+(\d{4})\s*$")
_YEAR: Final = re.compile(r"\s*((?:18|19|20)\d\d)\s*$")
_LAST_DAY: Final = 31
_LAST_MONTH: Final = 12
_CENTURY: Final = 100
# What is longer is no date: a whole note in the wrong column, as a rule.
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True, repr=False)
class KnownDate:
    """A date of the record; zero stands for what the record does not say.

    Attributes:
        day: 1 to 31.
        month: 1 to 12.
        year: In full, or below 100 where the century is not written.
    """

    day: int
    month: int
    year: int

    def has_year(self, written: str) -> bool:
        """Tell whether digits in a text are this year, in full or the last two."""
        if not self.year or not written.isdigit() or len(written) not in (2, 4):
            return False
        short = self.year < _CENTURY or len(written) == 2  # noqa: PLR2004
        value = int(written)
        return value % _CENTURY == self.year % _CENTURY if short else value == self.year


def read_dates(dates: Iterable[str]) -> tuple[KnownDate, ...]:
    """Read known dates; what is no date is left out."""
    return tuple(dict.fromkeys(found for text in dates for found in _read_date(text)))


def _read_date(text: str) -> Iterator[KnownDate]:
    plain = spell_plainly(text).strip()
    if len(plain) > _LONGEST:
        return
    for day, month, year in _list_readings(plain):
        if day <= _LAST_DAY and month <= _LAST_MONTH:
            yield KnownDate(day, month, year)
            return
        if month <= _LAST_DAY and day <= _LAST_MONTH:
            yield KnownDate(month, day, year)
            return


def _list_readings(plain: str) -> Iterator[tuple[int, int, int]]:
    if match := _YEAR_FIRST.match(plain):
        year, month, day = map(int, match.groups())
        yield day, month, year
    if match := _DAY_FIRST.match(plain):
        day, month, year = map(int, match.groups())
        yield day, month, year
    if match := _GLUED.match(plain):
        first, second, third = (int(part) for part in match.groups() if part)
        yield (third, second, first) if match.group(1) else (first, second, third)
    if (match := _MONTH_DAY.search(plain)) and match.group(1) in MONTHS:
        yield int(match.group(2)), MONTHS[match.group(1)], int(match.group(3))
    if (match := _DAY_MONTH.search(plain)) and match.group(2) in MONTHS:
        yield int(match.group(1)), MONTHS[match.group(2)], int(match.group(3) or 0)
    yield from _list_partial_readings(plain)


def _list_partial_readings(plain: str) -> Iterator[tuple[int, int, int]]:
    if match := _MONTH_YEAR.search(plain):
        name = match.group(1)
        month = int(name) if name.isdigit() else MONTHS.get(name, 0)
        if month:
            yield 0, month, int(match.group(2))
    if match := _YEAR.match(plain):
        yield 0, 0, int(match.group(1))
