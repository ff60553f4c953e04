"""Finds known dates in a text, in every form a British note writes them."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.known_identifiers.date_values import MONTH_OCR_FORMS, KnownDate
from nlp_redaction.known_identifiers.fuzzy import count_errors
from nlp_redaction.known_identifiers.number_search import NAME
from nlp_redaction.known_identifiers.spelling import Words, normalise_ocr

_SURE: Final = 0.97
_ERROR_SURE: Final = 0.93
_NUMBER: Final = re.compile(r"(\d{1,4}?)(?:5t|nd|rd|th|t\d\d)?")
_GLUED_MONTH: Final = re.compile(r"(\d{1,2})([a-z\d]{3,9}?)(\d\d|\d{4})")
_GAP_SIGNS: Final = frozenset(" -./,'\r\n()_|\\")
_WIDEST_GAP: Final = 3
_FILLERS: Final = frozenset({"of", "the"})
_TIME: Final = re.compile(r"[Tt ]?\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z\b|\+\d\d:\d\d)?")
_BIRTH: Final = re.compile(
    r"(?:d ?\.? ?[o0] ?\.? ?b\b|born|birth|\bb\b|birthday|ganwyd|geni|y ?o ?b)"
    r"[^\w\n]{0,6}(?:(?:is|of|in|on|was|year|date|the|yn|ym|year of)\W{1,2}){0,2}$"
)
_BEFORE: Final = 28
_WEEKDAYS: Final = frozenset(
    normalise_ocr(name + ending)
    for name, endings in (
        ("mon", " day"),
        ("tue", " s sday"),
        ("wed", " s nesday"),
        ("thu", " r rs rsday"),
        ("fri", " day"),
        ("sat", " urday"),
        ("sun", " day"),
        ("dydd", " "),
        ("llun", " "),
        ("mawrth", " "),
        ("mercher", " "),
        ("iau", " "),
        ("gwener", " "),
        ("sadwrn", " "),
        ("sul", " "),
    )
    for ending in ("", *endings.split())
)
_WEEKDAY_GAPS: Final = frozenset({" ", ", ", ". ", ",", " the ", ", the "})


class _Part(NamedTuple):
    """A word of a possible date."""

    at: int
    value: int
    written: str
    is_month: bool


def find_dates(words: Words, dates: Sequence[KnownDate]) -> Iterator[Span]:
    """Yield the places of known dates."""
    if not dates or not words.ocr_forms:
        return
    if words.document.has_digit:
        for at in words.dates:
            yield from _find_at(words, at, dates)
    for at, ocr_form in enumerate(words.ocr_forms):
        if ocr_form in MONTH_OCR_FORMS:
            yield from _find_at(words, at, dates)


def _find_at(words: Words, at: int, dates: Sequence[KnownDate]) -> Iterator[Span]:
    parts = _read_parts(words, at)
    if not parts:
        yield from _find_glued(words, at, dates)
        return
    for date in dates:
        reason, count = _compare(words, parts, date)
        if reason:
            score = _ERROR_SURE if "wrong" in reason else _SURE
            start = _start_of(words, at)
            end = _end_of(words, parts, count)
            yield Span(start, end, Label.DATE, score, NAME, reason)
            return
    yield from _find_glued(words, at, dates)


def _read_parts(words: Words, first: int) -> list[_Part]:
    """Read up to three numbers and months from a word on."""
    parts: list[_Part] = []
    at = first
    while at < len(words) and len(parts) < 3:  # noqa: PLR2004 - day, month, year
        if at > first and not _is_date_gap(words.gap(at - 1)):
            break
        if parts and words.ocr_forms[at] in _FILLERS:
            at += 1
            continue
        part = _read_part(words, at)
        if part is None:
            break
        parts.append(part)
        at += 1
    has_digit = any(sign.isdigit() for part in parts for sign in words.written(part.at))
    return parts if has_digit else []


def _read_part(words: Words, at: int) -> _Part | None:
    month = MONTH_OCR_FORMS.get(words.ocr_forms[at])
    if month is not None:
        return _Part(at, month, "", is_month=True)
    match = _NUMBER.fullmatch(words.digits[at])
    if match is None or not match.group(1).isascii():
        return None
    return _Part(at, int(match.group(1)), match.group(1), is_month=False)


def _is_date_gap(gap: str) -> bool:
    return len(gap) <= _WIDEST_GAP and _GAP_SIGNS.issuperset(gap)


def _compare(words: Words, parts: Sequence[_Part], date: KnownDate) -> tuple[str, int]:
    """Return why the parts are the date and how many of them are; else ``""``."""
    if len(parts) == 3 and (reason := _compare_three(words, parts, date)):  # noqa: PLR2004
        return reason, 3
    if len(parts) > 1 and (reason := _compare_two(words, parts, date)):
        return reason, 2
    first = parts[0]
    if (
        not first.is_month
        and date.has_year(first.written)
        and (len(first.written) == 4 or words.gap(first.at - 1).endswith("'"))  # noqa: PLR2004
        and _follows_birth(words, first.at)
    ):
        return "known date, its year next to a word of birth", 1
    return "", 0


def _compare_three(words: Words, parts: Sequence[_Part], date: KnownDate) -> str:
    first, second, third = parts
    if first.is_month or second.is_month:
        day, month = (second, first) if first.is_month else (first, second)
        if (day.value, month.value) == (date.day, date.month) and date.has_year(
            third.written
        ):
            return "known date, month in letters"
        return ""
    gaps = words.gap(first.at) + words.gap(second.at)
    if third.is_month or third.at != first.at + 2 or "," in gaps:
        return ""
    if date.has_year(third.written) and (first.value, second.value) in (
        (date.day, date.month),
        (date.month, date.day),
    ):
        return "known date, in figures"
    is_clear = len(first.written) == 4 or " " not in gaps  # noqa: PLR2004
    if (
        is_clear
        and date.has_year(first.written)
        and (second.value, third.value)
        in (
            (date.month, date.day),
            (date.day, date.month),
        )
    ):
        return "known date, year first"
    return _compare_with_error(words, parts, date)


def _compare_with_error(words: Words, parts: Sequence[_Part], date: KnownDate) -> str:
    first, second, third = parts
    is_long = len(third.written) == 4  # noqa: PLR2004
    year = date.year if is_long else date.year % 100
    known = f"{date.day:02}{date.month:02}{year:0{4 if is_long else 2}}"
    written = f"{first.value:02}{second.value:02}{third.written}"
    if (
        date.day
        and len(written) == len(known)
        and count_errors(written, known, 1) == 1
        and _follows_birth(words, first.at)
    ):
        return "known date, one wrong digit next to a word of birth"
    return ""


def _compare_two(words: Words, parts: Sequence[_Part], date: KnownDate) -> str:
    first, second = parts[:2]
    if first.is_month or second.is_month:
        return _compare_month(words, first, second, date)
    if first.value == date.month and len(second.written) == 4:  # noqa: PLR2004
        is_date = date.has_year(second.written) and not _follows_number(words, first.at)
        return "known date, month and year" if is_date else ""
    is_day = (first.value, second.value) == (date.day, date.month)
    if is_day and _follows_birth(words, first.at):
        return "known date, day and month next to a word of birth"
    return ""


def _compare_month(words: Words, first: _Part, second: _Part, date: KnownDate) -> str:
    if (
        first.is_month
        and first.value == date.month
        and date.has_year(second.written)
        and not _follows_number(words, first.at)
    ):
        is_full = len(second.written) == 4 or words.gap(first.at).endswith("'")  # noqa: PLR2004
        if is_full:
            return "known date, month and year"
    day, month = (second, first) if first.is_month else (first, second)
    is_day = date.day and (day.value, month.value) == (date.day, date.month)
    return "known date, day and month" if is_day and len(day.written) < 3 else ""  # noqa: PLR2004


def _follows_number(words: Words, at: int) -> bool:
    """Tell whether a day of another date stands before a month."""
    if at == 0 or not _is_date_gap(words.gap(at - 1)) or "\n" in words.gap(at - 1):
        return False
    part = _read_part(words, at - 1)
    return part is not None and not part.is_month


def _find_glued(words: Words, at: int, dates: Sequence[KnownDate]) -> Iterator[Span]:
    """Find dates in one piece: 110958, 19580911, 11sep58."""
    digits = words.digits[at]
    if len(digits) < 6 or not any(sign.isdigit() for sign in words.written(at)):  # noqa: PLR2004
        return
    match = _GLUED_MONTH.fullmatch(digits)
    for date in dates:
        if not date.day:
            continue
        if digits.isdigit():
            is_date = digits in _list_glued(date)
        else:
            month = match and _GLUED_MONTHS.get(match.group(2))
            is_date = bool(
                match
                and month == date.month
                and int(match.group(1)) == date.day
                and date.has_year(match.group(3))
            )
        if is_date:
            start, end = words.starts[at], words.ends[at]
            yield Span(start, end, Label.DATE, _SURE, NAME, "known date, in one piece")
            return


_GLUED_MONTHS: Final = {
    ocr_form.translate(str.maketrans("ols", "015")).replace("b", "8"): month
    for ocr_form, month in MONTH_OCR_FORMS.items()
}


def _list_glued(date: KnownDate) -> tuple[str, ...]:
    day, month, short = f"{date.day:02}", f"{date.month:02}", f"{date.year % 100:02}"
    forms = (day + month + short, short + month + day)
    if date.year < 100:  # noqa: PLR2004 - the century is not known
        return forms
    full = f"{date.year:04}"
    return (*forms, day + month + full, full + month + day, month + day + full)


def _follows_birth(words: Words, at: int) -> bool:
    start = words.starts[at]
    before = words.document.lower[max(0, start - _BEFORE) : start]
    return _BIRTH.search(before) is not None


def _start_of(words: Words, at: int) -> int:
    """Return where a date starts, the name of its day of the week included."""
    is_day = words.ocr_forms[at - 1] in _WEEKDAYS if at else False
    if is_day and words.gap(at - 1) in _WEEKDAY_GAPS:
        return words.starts[at - 1]
    return words.starts[at]


def _end_of(words: Words, parts: Sequence[_Part], count: int) -> int:
    """Return where a date ends, the time of day of an ISO date included."""
    last = parts[count - 1]
    if len(parts[0].written) != 4 or last.is_month:  # noqa: PLR2004
        return words.ends[last.at]
    time = _TIME.match(words.document.plain, words.starts[last.at] + len(last.written))
    return max(words.ends[last.at], time.end()) if time else words.ends[last.at]
