"""Reads dates that begin with figures."""

from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.recognisers.dates import context, grammar, vocabulary
from nlp_redaction.recognisers.dates.finding import Finding, Reader
from nlp_redaction.recognisers.dates.scores import (
    HINT,
    LIKELY,
    SURE,
    score_day_month,
    score_dotted,
    score_hyphened,
    score_month_year,
    score_ordinal,
    score_year,
)

_SEPARATORS: Final = frozenset("./-\\\u2044\u2215")
_SLASHES: Final = frozenset("/\\\u2044\u2215")
_SCANNED_AFTER_DAY: Final = frozenset({"o", "l", "i", "ol", "o0"})


def read_figures(document: Document, index: int) -> Finding | None:
    """Read a date that begins with the figures of a token, whatever their number."""
    word = document.words[index]
    start, end = document.starts[index], document.ends[index]
    if start and not _is_free_before(document.plain, start):
        return _read_glued(document, index, start)
    length = len(word)
    if length <= 2:
        return read_day(document, index, start, end)
    if length == 4:
        return _read_year(document, index, start, end)
    if length in {6, 8, 12, 14}:
        return _read_compact(document, index, start, end)
    return None


def _read_glued(document: Document, index: int, start: int) -> Finding | None:
    """Read a whole date that a word runs into: dob2/8/99, on2nd Feb."""
    if not document.plain[start - 1].isalpha() or index == 0:
        return None
    match = grammar.DAY_MONTH_YEAR.match(document.lower, start)
    if match and match[3] == "/" and _is_full_date(match[1], match[5], match[6]):
        return Finding(start, match.end(), SURE, "day, month and year")
    if document.folded[index - 1] in {"on", "dob", "since", "dated"}:
        match = grammar.DAY_NAME_MONTH.match(document.lower, start)
        if match and grammar.is_day(match[1]):
            return Finding(start, match.end(), SURE, "day and month in words")
    return None


def _is_free_before(plain: str, start: int) -> bool:
    """Tell whether figures begin here, not in the midst of a number or a code."""
    sign = plain[start - 1]
    if sign.isalpha() or sign in "\u00a3$":
        return False
    if sign in "./:-,\\" and start > 1:
        return not plain[start - 2].isdigit() or sign in ",-"
    return True


def read_day(document: Document, index: int, start: int, end: int) -> Finding | None:
    """Read a date that begins with a day, or a month and a year."""
    following = document.lower[end : end + 1]
    if following in _SEPARATORS or (
        following == " " and document.lower[end + 1 : end + 2] in _SEPARATORS
    ):
        found = _read_numeric(document, index, start)
        if found is not None:
            return found
    if index + 1 >= len(document.folded):
        return None
    return _read_by_next_word(document, index, start, following)


def _read_by_next_word(
    document: Document, index: int, start: int, following: str
) -> Finding | None:
    """Choose a reader by the token behind a day, and by the sign right behind it."""
    word = document.folded[index + 1]
    if word in _AFTER_DAY or word[0] in "\u20180":
        found = _read_worded(document, index, start)
        if found is not None:
            return found
    if word == "s" and not following.isspace():
        return _read_short_decade(document, index, start)
    if word.isdigit() and following == " ":
        return _read_spaced(document, index, start)
    return read_scanned(document, index) if word in _SCANNED_AFTER_DAY else None


def _read_short_decade(document: Document, index: int, start: int) -> Finding | None:
    """Read the 80s, where a pulse and an age may be in the 80s too."""
    match = grammar.DECADE.match(document.lower, start)
    if match is None or context.find_word_before(document, index) not in {
        "the",
        "from",
    }:
        return None
    return Finding(start, match.end(), HINT, "decade")


_DOTTED_YEAR_CUES: Final = word_set("dob exp expires since dated & born dx")
_AFTER_DAY: Final = (
    frozenset(vocabulary.MONTH_NUMBERS)
    | word_set("st nd rd th of and to or , & + - . / until til till ' s")
    | word_set("decernber novernber septernber ct ctober \u2192")
)


def _read_numeric(document: Document, index: int, start: int) -> Finding | None:
    lower = document.lower
    match = grammar.DAY_MONTH_YEAR.match(lower, start)
    if match and _is_full_date(match[1], match[5], match[6]):
        return _read_full(document, index, match.start(), match.end(), match[3])
    match = grammar.MONTH_YEAR.match(lower, start)
    if match and grammar.is_month(match[1]) and grammar.is_year(match[2]):
        return Finding(start, match.end(), LIKELY, "month and year")
    match = grammar.DAY_MONTH.match(lower, start)
    if match is None:
        return read_scanned(document, index)
    return _read_day_month(
        document, index, (start, match.end()), (match[1], match[3], match[4])
    )


def _is_full_date(day: str, month: str, year: str) -> bool:
    if not grammar.is_year(year):
        return False
    if grammar.is_day(day) and grammar.is_month(month):
        return True
    # Month first, as foreign letters and some machines have it.
    return len(year) == 4 and grammar.is_month(day) and grammar.is_day(month)


def _read_full(
    document: Document, index: int, start: int, end: int, separator: str
) -> Finding:
    before = context.find_word_before(document, index)
    if before in {"apgar", "apgars"}:
        return Finding(start, end, HINT / 2, "three scores")
    section = separator == "." and end - start < 7
    if section and before in {"section", "version", "v", "paragraph", "para", "table"}:
        return Finding(start, end, HINT, "day, month and year, or a section")
    return Finding(start, end, SURE, "day, month and year")


def _read_day_month(
    document: Document, index: int, where: tuple[int, int], parts: tuple[str, str, str]
) -> Finding | None:
    """Read 3/4, 3-4 and 3.4 by their separator."""
    (_, end), (first, separator, second) = where, parts
    if document.lower[end : end + 1] in _SEPARATORS | {":"} and (
        document.lower[end + 1 : end + 2].isdigit()
    ):
        return None
    if not (grammar.is_day(first) and int(second)):
        return None
    if separator in _SLASHES:
        return _read_slashed(document, index, where, (first, second))
    if not grammar.is_month(second):
        return _read_dotted_year(document, index, where, parts)
    if separator == "-":
        return _read_hyphened(document, index, where, second)
    return _read_dotted(document, index, where, second)


def _read_slashed(
    document: Document, index: int, where: tuple[int, int], parts: tuple[str, str]
) -> Finding | None:
    (start, end), (first, second) = where, parts
    if grammar.is_month(second):
        scored = score_day_month(document, index, end, first, second)
        return Finding(start, end, *scored, int(second), "/")
    if not grammar.is_month(first) or len(second) != 2:
        return None
    if second in {"52", "40", "60"} and first[0] != "0":
        # Weeks of a year or a pregnancy, minutes: a year only where somebody is born.
        is_birth = context.find_word_before(document, index) in {"b", "born", "dob"}
        return (
            Finding(start, end, LIKELY, "month and year of birth") if is_birth else None
        )
    scored = score_month_year(document, index, end)
    return Finding(start, end, *scored) if scored.score else None


def _read_hyphened(
    document: Document, index: int, where: tuple[int, int], month: str
) -> Finding | None:
    start, end = where
    if grammar.MONTH_BEHIND.match(document.lower, end):
        return None
    scored = score_hyphened(document, index, end, month)
    return Finding(start, end, *scored) if scored.score else None


def _read_dotted(
    document: Document, index: int, where: tuple[int, int], month: str
) -> Finding | None:
    start, end = where
    scored = score_dotted(document, index, end)
    if scored.score:
        return Finding(start, end, *scored, int(month), ".")
    if context.find_word_before(document, index) == context.LINE_START:
        # Times of day stand there too; other dates of the month must confirm it.
        return Finding(start, end, 0.1, "at a line's start", int(month), "^.")
    return None


def _read_dotted_year(
    document: Document, index: int, where: tuple[int, int], parts: tuple[str, str, str]
) -> Finding | None:
    """Read 03.19 and 03-19, whose second figures are no month."""
    first, separator, second = parts
    before = context.find_word_before(document, index)
    if separator == "." and before == context.LINE_START and len(second) == 2:
        return Finding(*where, 0.1, "a time of day", 99, "^.")
    if (
        first[0] == "0"
        and second > "12"
        and len(second) == 2
        and before in _DOTTED_YEAR_CUES
    ):
        return Finding(*where, LIKELY, "month and year by cue")
    return None


def _read_worded(document: Document, index: int, start: int) -> Finding | None:
    lower = document.lower
    at = start
    before = grammar.DAYS_BEFORE.match(lower, start)
    if before is not None and lower[before.end() : before.end() + 1].isdigit():
        at = before.end()
    match = grammar.DAY_NAME_MONTH.match(lower, at)
    if match is None and at != start:
        at = start
        match = grammar.DAY_NAME_MONTH.match(lower, start)
    if match is None:
        match = grammar.DAY_NAME_MONTH_TIGHT.match(lower, start)
    if match is not None and grammar.is_day(match[1]):
        if "\t" in document.text[start : match.end()]:
            return None
        if match[2] == "may" and _is_verb(document, match.end(2)):
            return None
        return Finding(start, match.end(), SURE, "day and month in words")
    return _read_ordinal(document, index, start) or read_scanned(document, index)


def _is_verb(document: Document, end: int) -> bool:
    """Tell ``of the 20 may be`` from ``20 may``."""
    after = context.find_word_after(document, end)
    return after in {"be", "have", "need", "not", "also", "benefit", "well", "require"}


def _read_ordinal(document: Document, index: int, start: int) -> Finding | None:
    lower = document.lower
    nth = grammar.NTH_WEEKDAY.match(lower, start)
    if nth is not None:
        return Finding(start, nth.end(), LIKELY, "the nth weekday")
    match = grammar.ORDINAL.match(lower, start)
    if match is None or not grammar.is_day(match[1]):
        return None
    scored = score_ordinal(document, index, match.end())
    return Finding(start, match.end(), *scored) if scored.score else None


def _read_spaced(document: Document, index: int, start: int) -> Finding | None:
    match = grammar.SPACED.match(document.lower, start)
    if match is None or not _is_full_date(match[1], match[2], match[3]):
        return None
    before = context.find_word_before(document, index)
    if before.isdigit():
        return None
    by_cue = before in vocabulary.STRONG_DATE_CUES
    padded = match[2][0] == "0" and len(match[1]) == 2
    if by_cue or padded or (len(match[3]) == 4 and match[3] < "2035"):
        return Finding(start, match.end(), LIKELY, "day, month and year, spaced")
    return None


def _read_year(document: Document, index: int, start: int, end: int) -> Finding | None:
    if not grammar.FIRST_YEAR <= int(document.words[index]) <= grammar.LAST_YEAR:
        return None
    found = _read_year_with_more(document, index, start)
    if found is not None:
        return found
    lower = document.lower
    if not grammar.YEAR.match(lower, start) or lower[end : end + 1].isalpha():
        return None
    return Finding(start, end, *score_year(document, index, end))


def _read_year_with_more(document: Document, index: int, start: int) -> Finding | None:
    """Read 2021-04-03, 2021-04, the 1980s and 1985-92."""
    lower, word = document.lower, document.words[index]
    match = grammar.ISO.match(lower, start)
    if match and grammar.is_month(match[3]) and grammar.is_day(match[4]):
        return Finding(start, match.end(), SURE, "ISO 8601")
    match = grammar.YEAR_MONTH.match(lower, start)
    if match and (grammar.is_month(match[3]) or int(match[3]) == int(word[2:]) + 1):
        return Finding(start, match.end(), LIKELY, "year and month, or two years")
    decade = grammar.DECADE.match(lower, start)
    if decade:
        return Finding(start, decade.end(), SURE, "decade")
    pair = grammar.YEAR_RANGE.match(lower, start)
    if pair and int(word) > 1930 and len(pair[0]) > 7:
        score = score_year(document, index, pair.end()).score
        return Finding(start, pair.end(), score, "two years")
    return None


def _read_compact(
    document: Document, index: int, start: int, end: int
) -> Finding | None:
    word = document.words[index]
    if document.lower[end : end + 1].isalpha():
        return None
    match = grammar.COMPACT.match(word)
    if match and grammar.is_year(match[1]) and grammar.is_month(match[2]):
        if len(word) == 6:
            clear = document.plain[start - 1 : start] == "|"
            return Finding(start, end, LIKELY if clear else 0.2, "year and month")
        if match[3] and grammar.is_day(match[3]):
            stop = grammar.TIME_OF_FOUR.match(document.plain, end)
            return Finding(start, stop.end() if stop else end, LIKELY, "compact")
    if len(word) in {6, 8} and _is_full_date(word[:2], word[2:4], word[4:]):
        before = context.find_word_before(document, index)
        if before in {"dob", "born", "dated", "date"}:
            return Finding(start, end, LIKELY, "compact by cue")
    return None


def read_scanned(document: Document, index: int) -> Finding | None:
    """Read what a scanner left: O3/O4/2l."""
    start = document.starts[index]
    lower = document.lower
    if start and (lower[start - 1].isalnum() or lower[start - 1] in "/-."):
        return None
    for read in _SCANNED_READERS:
        found = read(document, index)
        if found is not None:
            return found
    return None


def _read_scanned_words(document: Document, index: int) -> Finding | None:
    """Read "l2 Apri1" and "12 decernber 2O19"."""
    start = document.starts[index]
    match = grammar.SCANNED_WORDED.match(document.lower, start)
    if match is None:
        return None
    day = grammar.mend_figures(match[1])
    is_mended = day != match[1] or match[2][0] in "09" or "rn" in match[2]
    has_figure = any(sign.isdigit() for sign in f"{match[1]}{match[3]}")
    if has_figure and (is_mended or match[3]) and grammar.is_day(day):
        return Finding(start, match.end(), LIKELY, "scanned day and month")
    return None


def _read_scanned_year(document: Document, index: int) -> Finding | None:
    """Read "2O19"."""
    start = document.starts[index]
    match = grammar.SCANNED_YEAR.match(document.lower, start)
    if match is None or not document.lower[start + 1 : start + 2].isdigit():
        return None
    return Finding(start, match.end(), LIKELY, "scanned year")


def _read_scanned_figures(document: Document, index: int) -> Finding | None:
    """Read "O3/O4/2l"."""
    start = document.starts[index]
    match = grammar.SCANNED.match(document.lower, start)
    if match is None or not any(sign.isdigit() for sign in match[0]):
        return None
    first, separator, second, last = match[1], match[2], match[3], match[4]
    day, month = grammar.mend_figures(first), grammar.mend_figures(second)
    year = grammar.mend_figures(last or "20")
    if not (grammar.is_day(day) and grammar.is_month(month) and grammar.is_year(year)):
        return None
    if last is None and (separator != "/" or "0" not in day + month):
        return None
    is_spaced = separator is None and len(year) == 2
    if is_spaced and (first.isdigit() or second.isdigit()):
        return None
    return Finding(start, match.end(), LIKELY, "scanned date")


_SCANNED_READERS: Final[tuple[Reader, ...]] = (
    _read_scanned_words,
    _read_scanned_year,
    _read_scanned_figures,
)
