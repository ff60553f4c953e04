"""Reads dates that begin with a word: a month, a weekday, a named day."""

import re
from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.recognisers.dates import context, grammar, vocabulary
from nlp_redaction.recognisers.dates.finding import Finding, Reader
from nlp_redaction.recognisers.dates.in_figures import read_day, read_scanned
from nlp_redaction.recognisers.dates.scores import HINT, LIKELY, SURE
from nlp_redaction.recognisers.dates.word_scores import (
    score_month_word,
    score_short_weekday,
)

_SCANNED_HEADS: Final = word_set("l i o ll ii li il io lo oi ol oo")
_ODD_HEADS: Final = word_set("? x q mwf tths tts m t tu mo we th fr sa su")
_SPOKEN_UNITS: Final = word_set(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_SPOKEN_TENS: Final = frozenset({"twenty", "thirty", "nineteen"})
_DECADE_WORDS: Final = word_set(
    "twenties thirties forties fifties sixties seventies eighties nineties noughties"
)
_DOUBTFUL_WEEKDAYS: Final = frozenset({"sat", "sun"})
_OWNERS: Final = word_set("his her their my your our mid early late")


def _read_month(document: Document, index: int) -> Finding | None:
    lower, start = document.lower, document.starts[index]
    if start and lower[start - 1].isdigit():
        return None
    match = grammar.NAME_MONTH.match(lower, start)
    if match is None:
        return None
    spoken = grammar.SPOKEN_MONTH_YEAR.match(lower, start)
    if spoken is not None:
        return Finding(start, spoken.end(), SURE, "month and year in words")
    if match.end() > document.ends[index]:
        return _read_month_and_figures(document, index, match.end(), match[2])
    return _read_lone_month(document, index, match.end())


def _read_lone_month(document: Document, index: int, end: int) -> Finding:
    """Read a month that no figures of a day follow; a short year may."""
    lower, start = document.lower, document.starts[index]
    scanned = grammar.SCANNED_YEAR.match(lower, end + 1)
    if scanned is not None and lower[end] == " ":
        return Finding(start, scanned.end(), LIKELY, "month and scanned year")
    short_year = _SHORT_YEAR_BEHIND.match(lower, end)
    if short_year is not None:
        return Finding(start, short_year.end(), SURE, "month and year")
    if document.folded[index] not in vocabulary.DOUBTFUL_MONTHS:
        return Finding(start, end, SURE, "month")
    return Finding(start, end, *score_month_word(document, index, end))


_SHORT_YEAR_BEHIND: Final = re.compile(r" '?\d\d(?![0-9a-z:/%]|\.\d)")


def _read_month_and_figures(
    document: Document, index: int, end: int, day: str | None
) -> Finding | None:
    start, word = document.starts[index], document.folded[index]
    if word in vocabulary.DOUBTFUL_MONTHS:
        after = context.find_word_after(document, end)
        written = document.words[index]
        if after in vocabulary.DURATION_UNITS_AFTER or (
            written == "dec" and day is not None and int(day) > 31
        ):
            return Finding(start, document.ends[index], HINT / 2, "month or word")
    return Finding(start, end, SURE, "month with figures")


def _read_weekday(document: Document, index: int) -> Finding | None:
    lower, start, end = document.lower, document.starts[index], document.ends[index]
    if start and (lower[start - 1].isdigit() or lower[start - 1] == "'"):
        return None
    if lower[end : end + 1].isdigit() or _is_joined_to_other(document, index):
        return None
    word = document.folded[index]
    if (
        lower.startswith(" day", end)
        and not word.endswith("day")
        and not lower[end + 4 : end + 5].isalnum()
    ):
        end += 4
    joined = None if word.endswith("days") else _read_behind_weekday(document, end)
    if joined is not None:
        return Finding(start, joined.end, SURE, "weekday and date")
    if word not in _DOUBTFUL_WEEKDAYS:
        return Finding(start, end, SURE, "weekday")
    scored = score_short_weekday(document, index, end)
    return Finding(start, end, *scored) if scored.score else None


def _is_joined_to_other(document: Document, index: int) -> bool:
    """Tell whether sat or sun ends a compound other than "fri-sun"."""
    start = document.starts[index]
    return (
        document.folded[index] in _DOUBTFUL_WEEKDAYS
        and document.lower[start - 1 : start] == "-"
        and index > 1
        and document.folded[index - 2] not in vocabulary.WEEKDAY_NUMBERS
    )


def _read_behind_weekday(document: Document, end: int) -> Finding | None:
    gap = grammar.BETWEEN_WEEKDAY.match(document.lower, end)
    if gap is None:
        return None
    start = gap.end()
    at = document.token_at(start)
    if document.starts[at] != start:
        return None
    word = document.folded[at]
    if not word.isdigit():
        return _read_ordinal_word(document, gap)
    if len(word) > 2:
        return None
    found = read_day(document, at, start, document.ends[at])
    if found is not None and found.score >= HINT / 2:
        return found
    return _read_lone_day(document, start)


def _read_ordinal_word(document: Document, gap: re.Match[str]) -> Finding | None:
    """Read "Monday the seventh"."""
    ordinal = grammar.ORDINAL_WORD.match(document.lower, gap.end())
    if ordinal is None or "the" not in gap[0]:
        return None
    spoken = grammar.SPOKEN_DAY.match(document.lower, gap.end()) or ordinal
    return Finding(gap.start(), spoken.end(), SURE, "ordinal in words")


_LONE_DAY: Final = re.compile(
    r"\d{1,2}(?![0-9a-z%]|[.:/]\d| ?[ap]\.?m\b| ?(?:x|mg|ml|units|yrs|hrs?|hours?|mins?|minutes|days|weeks)\b|-\d)"
)


def _read_lone_day(document: Document, start: int) -> Finding | None:
    match = _LONE_DAY.match(document.lower, start)
    if match is None or not grammar.is_day(match[0]):
        return None
    return Finding(start, match.end(), LIKELY, "day behind a weekday")


def _read_named(document: Document, index: int) -> Finding | None:
    lower, start = document.lower, document.starts[index]
    if start and lower[start - 1].isalnum():
        return None
    match = grammar.NAMED_DAY.match(lower, start)
    if match is None:
        return None
    word = document.folded[index]
    if word in vocabulary.CAPITAL_DAYS and not document.words[index].istitle():
        return None
    return Finding(start, match.end(), SURE, "named day")


def _read_season(document: Document, index: int) -> Finding | None:
    start = document.starts[index]
    match = grammar.SEASON.match(document.lower, start)
    return Finding(start, match.end(), SURE, "season and year") if match else None


def _read_welsh_day(document: Document, index: int) -> Finding | None:
    start = document.starts[index]
    match = grammar.WELSH_DAY.match(document.lower, start)
    if match is None:
        return _read_named(document, index)
    joined = _read_behind_weekday(document, match.end())
    return Finding(start, joined.end if joined else match.end(), SURE, "Welsh weekday")


def _read_spoken(document: Document, index: int) -> Finding | None:
    """Read "first of May", "the second Monday", "twelfth night", "two thousand and two"."""
    found = _read_spoken_date(document, index)
    if found is not None:
        return found
    word = document.folded[index]
    named = _read_named(document, index) if word == "twelfth" else None
    if named is not None:
        return named
    if word == "two":
        return _read_spoken_year_alone(document, index)
    return _read_spoken_ordinal(document, index)


def _read_spoken_date(document: Document, index: int) -> Finding | None:
    lower, start = document.lower, document.starts[index]
    nth = grammar.NTH_WEEKDAY.match(lower, start)
    if nth is not None:
        return Finding(start, nth.end(), LIKELY, "the nth weekday")
    match = grammar.SPOKEN_DAY.match(lower, start)
    if match is not None:
        return Finding(start, match.end(), SURE, "spoken day and month")
    if context.find_word_before(document, index) in {"birth", "dob", "born"}:
        match = grammar.SPOKEN_BIRTH.match(lower, start)
        if match is not None:
            return Finding(start, match.end(), SURE, "spoken date of birth")
    return None


def _read_spoken_ordinal(document: Document, index: int) -> Finding | None:
    """Read "the seventh" and later ones where no noun follows."""
    start, end = document.starts[index], document.ends[index]
    if vocabulary.ORDINAL_WORDS.get(document.folded[index], 0) <= 6:
        return None
    before = context.find_word_before(document, index)
    after = context.find_word_after(document, end)
    if before != "the" or after.isalpha():
        return None
    return Finding(start, end, LIKELY, "ordinal in words")


def _read_spoken_year(document: Document, index: int) -> Finding | None:
    return _read_spoken(document, index) or _read_spoken_year_alone(document, index)


def _read_spoken_year_alone(document: Document, index: int) -> Finding | None:
    start = document.starts[index]
    match = grammar.SPOKEN_YEAR.match(document.lower, start)
    if match is None or " " not in match[0]:
        return None
    before = context.find_word_before(document, index)
    if before not in {"in", "since", "of", "until", "from", "year", "born"}:
        return None
    return Finding(start, match.end(), LIKELY, "spoken year")


def _read_decade_word(document: Document, index: int) -> Finding | None:
    before = context.find_word_before(document, index)
    if before not in {"the", "early", "late", "mid"}:
        return None
    if index > 1 and document.folded[index - 2] in _OWNERS | {"her", "his", "their"}:
        return None
    return Finding(document.starts[index], document.ends[index], LIKELY, "decade")


def _read_quote(document: Document, index: int) -> Finding | None:
    """Read '98 and '70s."""
    lower, start = document.lower, document.starts[index]
    if start and lower[start - 1].isalnum():
        return None
    decade = grammar.DECADE.match(lower, start)
    if decade is not None:
        return Finding(start, decade.end(), SURE, "decade")
    match = grammar.SHORT_YEAR.match(lower, start)
    if match is None or "'" in lower[match.end() : match.end() + 25].split("\n")[0]:
        return None
    return Finding(start, match.end(), LIKELY, "short year")


def _read_odd(document: Document, index: int) -> Finding | None:
    lower, start = document.lower, document.starts[index]
    if start and lower[start - 1].isalnum():
        return None
    weekday = grammar.SHORT_WEEKDAY.match(lower, start)
    if weekday is not None:
        joined = _read_behind_weekday(document, weekday.end() - 1)
        if joined is not None:
            return Finding(start, joined.end, SURE, "weekday and date")
    for pattern, reason in (
        (grammar.UNKNOWN_DAY, "year with an unknown day"),
        (grammar.QUARTER, "quarter"),
        (grammar.INITIAL_WEEKDAYS, "weekdays by initials"),
    ):
        match = pattern.match(lower, start)
        if match is not None:
            return Finding(start, match.end(), LIKELY, reason)
    return None


def _read_broken_october(document: Document, index: int) -> Finding | None:
    """Read 0ctober, whose nought is a token of its own."""
    start = document.starts[index]
    if start < 1 or document.plain[start - 1] != "0":
        return None
    return Finding(start - 1, document.ends[index], LIKELY, "scanned month")


def _list_readers() -> dict[str, Reader]:
    """Say which token makes which reader look; figures are read by their own."""
    readers: dict[str, Reader] = {"'": _read_quote, "ctober": _read_broken_october}
    for heads, reader in (
        (_SCANNED_HEADS, read_scanned),
        (_ODD_HEADS, _read_odd),
        (_SPOKEN_UNITS, _read_spoken),
        (vocabulary.ORDINAL_WORDS, _read_spoken),
        (_SPOKEN_TENS, _read_spoken_year),
        (_DECADE_WORDS, _read_decade_word),
        (vocabulary.NAMED_DAY_HEADS, _read_named),
        (vocabulary.SEASONS, _read_season),
        (vocabulary.WELSH_DAY_HEADS, _read_welsh_day),
        (vocabulary.WEEKDAY_NUMBERS, _read_weekday),
        (vocabulary.MONTH_NUMBERS, _read_month),
    ):
        for head in heads:
            if (
                head in {"may", "april"}
                or head not in vocabulary.MONTH_NUMBERS
                or reader is _read_month
            ):
                readers[head] = reader
    readers["may"] = _read_month_or_named
    readers["april"] = _read_month_or_named
    return readers


def _read_month_or_named(document: Document, index: int) -> Finding | None:
    """Read May and April, with which May Day and April Fools' Day begin."""
    return _read_named(document, index) or _read_month(document, index)


READERS: Final = _list_readers()
