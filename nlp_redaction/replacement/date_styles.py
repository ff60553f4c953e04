"""Months, weekdays and ordinals in the style that a writer chose."""

import re
from typing import Final

_FULL_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_WELSH_MONTHS: Final = (
    *("Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf"),
    *("Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"),
)
_FULL_DAYS: Final = (
    *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)
_LONG_DAYS: Final = ("Mon", "Tues", "Weds", "Thurs", "Fri", "Sat", "Sun")
_WELSH_DAYS: Final = ("Llun", "Mawrth", "Mercher", "Iau", "Gwener", "Sadwrn", "Sul")

MONTH_OF: Final[dict[str, int]] = {
    name.lower(): number
    for months in (
        _FULL_MONTHS,
        [month[:3] for month in _FULL_MONTHS],
        _WELSH_MONTHS,
    )
    for number, name in enumerate(months, start=1)
} | {"sept": 9}
"""The months that are read, by their spelling in lower case."""

WEEKDAY_OF: Final[dict[str, int]] = (
    {
        name.lower() + ending: number
        for number, name in enumerate(_FULL_DAYS)
        for ending in ("", "s")
    }
    | {
        name.lower(): number
        for days in ([day[:3] for day in _FULL_DAYS], _LONG_DAYS)
        for number, name in enumerate(days)
    }
    | {"wed": 2, "thur": 3}
    | {
        head + name.lower(): number
        for number, name in enumerate(_WELSH_DAYS)
        for head in ("dydd ", "nos ")
    }
)
"""The weekdays that are read, Monday being 0; a Welsh one with its ``dydd``."""


def _any_of(words: dict[str, int]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


MONTH_PATTERN: Final = _any_of(MONTH_OF)
WEEKDAY_PATTERN: Final = _any_of(WEEKDAY_OF)


def write_month(number: int, like: str, *, short: bool = False) -> str:
    """Write a month as long, as Welsh and in the case of another.

    Args:
        number: From 1.
        like: How the writer wrote a month.
        short: How to take May, which is its own abbreviation.
    """
    low = like.lower()
    if low in _LOW_WELSH:
        name = _WELSH_MONTHS[number - 1]
    elif low == "sept" or len(low) > len("May") or (low == "may" and not short):
        name = _FULL_MONTHS[number - 1]
        if low == "sept" and len(name) > len("July"):
            name = "Sept" if number == MONTH_OF["sept"] else name[:3]
    else:
        name = _FULL_MONTHS[number - 1][:3]
    return _match_case(name, like)


_LOW_WELSH: Final = frozenset(month.lower() for month in _WELSH_MONTHS)


def write_weekday(number: int, like: str) -> str:
    """Write a weekday as long, as Welsh and in the case of another; Monday is 0."""
    low = like.lower()
    head, space, rest = like.partition(" ")
    if space:
        return f"{head} {_match_case(_WELSH_DAYS[number], rest)}"
    if low.endswith(("day", "days")):
        name = _FULL_DAYS[number] + ("s" if low.endswith("s") else "")
    else:
        name = _LONG_DAYS[number] if len(low) > len("Mon") else _FULL_DAYS[number][:3]
    return _match_case(name, like)


def write_ordinal(day: int, like: str) -> str:
    """Write st, nd, rd or th in the case of another."""
    tens, ones = divmod(day, 10)
    suffix = "th" if tens == 1 else {1: "st", 2: "nd", 3: "rd"}.get(ones, "th")
    return suffix.upper() if like.isupper() else suffix


def _match_case(word: str, like: str) -> str:
    if like.isupper():
        return word.upper()
    return word.lower() if like.islower() else word
