"""What stands around figures or a word, and whether that makes a date of them.

Scores: 0 is no date, 0.3 a hint, 0.5 and more stands alone.
"""

import re
from typing import Final

from nlp_redaction.document.text import Document, once_a_document
from nlp_redaction.recognisers.dates.grammar import TIME_AFTER, TIME_BEFORE
from nlp_redaction.recognisers.dates.words import (
    DATE_CUES,
    DURATION_UNITS_AFTER,
    MONTH_CUES,
    NOT_DATE_BEFORE,
    NOT_DAY_AFTER,
    NOT_SATURDAY_AFTER,
    NOT_SATURDAY_BEFORE,
    NOT_SUNDAY_AFTER,
    NOT_SUNDAY_BEFORE,
    ORDINAL_CUES,
    PART_OF_DAY,
    STRONG_DATE_CUES,
    WEEKDAY_CUES,
    WEEKDAY_NUMBERS,
    YEAR_MONTH_CUES,
    gather,
)

HINT: Final = 0.3
LIKELY: Final = 0.6
SURE: Final = 0.9

LINE_START: Final = "^"
_PASSED_OVER: Final = frozenset(":(=-.,>[?~\"'*\u2022#]+\u2192)!_")
_DURATION_MONTHS: Final = frozenset({7, 12})
_USUAL_DAYS: Final = frozenset({*range(1, 11), 14, 21, 24, 28})
_USUAL_MONTHS: Final = frozenset({*range(1, 13), 18})
_CENTILES: Final = (
    "centile",
    "weight",
    "height",
    "head ",
    "bmi",
    " cm",
    " kg",
    "chart",
    "%",
)


def find_word_before(document: Document, index: int) -> str:
    """Return the word before a token, passing over signs; ``^`` at a line's start."""
    folded, plain = document.folded, document.plain
    starts, ends = document.starts, document.ends
    for at in range(index - 1, max(index - 5, -1), -1):
        if starts[at + 1] > ends[at] and _is_broken(plain[ends[at] : starts[at + 1]]):
            return LINE_START
        word = folded[at]
        if word not in _PASSED_OVER:
            return _join_slashed(folded, at)
    return LINE_START if index < 5 else ""


def _join_slashed(folded: list[str], at: int) -> str:
    """Give w/c, w/e, f/u and d/c as one word."""
    if at > 1 and len(folded[at]) == 1 and folded[at - 1] == "/":
        return f"{folded[at - 2]}/{folded[at]}"
    return folded[at]


def _is_broken(gap: str) -> bool:
    return "\n" in gap or "\r" in gap


def find_word_after(document: Document, end: int) -> str:
    """Return the token behind an offset on the same line, or nothing."""
    index = document.token_at(end - 1) + 1
    if index >= len(document.starts):
        return ""
    gap = document.plain[end : document.starts[index]]
    return "" if _is_broken(gap) else document.folded[index]


def has_time_after(document: Document, end: int) -> bool:
    """Tell whether a time of day follows."""
    return TIME_AFTER.match(document.lower, end) is not None


def judge_day_month(
    document: Document, index: int, end: int, day: str, month: str
) -> float:
    """Score 3/4: a day and month, a duration, a score or a fraction.

    A fraction never exceeds its whole, so 24/8 is a date; 5/7, 3/12 and 4/10 are
    what clinicians write for five days, three months and four of ten.
    """
    before = find_word_before(document, index)
    after = find_word_after(document, end)
    if int(day) > int(month) and (month[0] == "0" or int(day) > 28):
        return SURE
    if before in NOT_DATE_BEFORE or after in {"%", "/"}:
        return 0.0
    if after in DURATION_UNITS_AFTER and (
        int(day) <= int(month) or int(month) in _DURATION_MONTHS
    ):
        return 0.0
    if day == "6" and _speaks_of_sight(document, document.starts[index]):
        return 0.0
    if before in STRONG_DATE_CUES or document.folded[index - 1] in WEEKDAY_NUMBERS:
        return SURE
    start = document.starts[index]
    if has_time_after(document, end) or stands_after_time(document, start):
        return SURE
    fills_cell = document.text[start - 1 : start] == "\t"
    if (fills_cell or after == ":") and int(month) not in {5, 7, 10, 12}:
        return LIKELY
    return _judge_by_cue(before, day, month)


def stands_after_time(document: Document, start: int) -> bool:
    """Tell whether a time of day stands right before."""
    return TIME_BEFORE.search(document.lower[max(0, start - 8) : start]) is not None


def _speaks_of_sight(document: Document, start: int) -> bool:
    near = document.lower[max(0, start - 60) : start]
    return any(word in near for word in ("acuit", "vision", "snellen", "va ", " 6/"))


def _judge_by_cue(before: str, day: str, month: str) -> float:
    whole, part = int(month), int(day)
    if day[0] == "0" or month[0] == "0":
        return SURE
    if whole in _DURATION_MONTHS:
        usual = _USUAL_DAYS if whole == 7 else _USUAL_MONTHS
        if part not in usual:
            return LIKELY
        return LIKELY if before == LINE_START and part > 2 else HINT
    if part > whole or before in DATE_CUES or before in {LINE_START, "|"}:
        return LIKELY
    return HINT


def judge_dotted(document: Document, index: int, end: int) -> float:
    """Score 3.4, which is a number or a time unless a cue says otherwise."""
    before = find_word_before(document, index)
    if before in NOT_DATE_BEFORE:
        return 0.0
    after = find_word_after(document, end)
    if after in DURATION_UNITS_AFTER or after in {"%", "/"}:
        return 0.0
    if before in _DOTTED_CUES or before in WEEKDAY_NUMBERS:
        return LIKELY
    day = int(document.words[index])
    if day > 23 and before in _LONG_DOTTED_CUES:
        return LIKELY
    return LIKELY if _FOUR_FIGURE_TIME.match(document.lower, end) else 0.0


_FOUR_FIGURE_TIME: Final = re.compile(r" (?:[01]\d|2[0-3])[0-5]\d(?![0-9.:])")
_DOTTED_CUES: Final = gather(
    "on dated date seen signed booked next visit until till til done received appt "
    "fitted since dob born edd reviewed log board w/c w/b w/e"
)
_LONG_DOTTED_CUES: Final = (DATE_CUES | {LINE_START}) - gather(
    "of to and between on in a by us uss ct mri cxr after before"
)


def judge_hyphened(document: Document, index: int, end: int, month: str) -> float:
    """Score 3-4, which is a range unless a cue or falling figures say otherwise."""
    day = int(document.words[index])
    after = find_word_after(document, end)
    if day > 12 and int(month) < day and after not in DURATION_UNITS_AFTER:
        return LIKELY
    before = find_word_before(document, index)
    if before in {"on", "dated", "dob", "date", "born", "until", "due", "ap", "wr"}:
        return LIKELY
    return 0.0


def judge_month_year(document: Document, index: int, month: str) -> float:
    """Score 9/22, where the second figure is no month."""
    start = document.starts[index]
    # HbA1c is three tokens, so it is looked for in the text.
    if "a1c" in document.lower[max(0, start - 6) : start]:
        return LIKELY
    before = find_word_before(document, index)
    if before in NOT_DATE_BEFORE:
        return 0.0
    if before in YEAR_MONTH_CUES:
        return LIKELY
    return LIKELY if month[0] == "0" else HINT


def judge_month_word(document: Document, index: int, end: int, word: str) -> float:
    """Score a month that is a word or an abbreviation of its own, standing alone."""
    written = document.words[index]
    before = find_word_before(document, index)
    after = find_word_after(document, end)
    if after in {"chart", "charts", "test", "sheet"} or after == "'":
        return 0.0
    if index and document.words[index - 1] in "\u2192>":
        return LIKELY
    if before in MONTH_CUES:
        return SURE if word != "may" or before != "and" else HINT
    if word in {"oct", "dec", "sep", "mar"}:
        return _judge_abbreviation(document, written, before, after)
    if not written[0].isupper() or written.isupper():
        return HINT / 2
    if word == "may":
        return HINT if before != LINE_START else 0.0
    return LIKELY if before != LINE_START else HINT


def _judge_abbreviation(
    document: Document, written: str, before: str, after: str
) -> float:
    if written.isupper() and not _shouts(document):
        return 0.0
    if before in {"was", "appt", "booked", "tft", "stent"} or before.isdigit():
        return LIKELY
    if written.istitle() and before != LINE_START and after not in {"'", "d"}:
        return LIKELY if written != "Dec" else HINT
    return HINT if before != LINE_START else 0.0


@once_a_document
def _shouts(document: Document) -> bool:
    """Tell whether a note is written in capitals throughout."""
    return sum(map(str.isupper, document.plain)) > sum(map(str.islower, document.plain))


def judge_short_weekday(document: Document, index: int, end: int, word: str) -> float:
    """Score ``sat`` and ``sun``, which are a verb, a saturation and a star as well."""
    before = find_word_before(document, index)
    after = find_word_after(document, end)
    not_before, not_after = (
        (NOT_SATURDAY_BEFORE, NOT_SATURDAY_AFTER)
        if word == "sat"
        else (NOT_SUNDAY_BEFORE, NOT_SUNDAY_AFTER)
    )
    if after in not_after or after == "%" or (before in not_before):
        return 0.0
    if (after.isdigit() and 60 <= int(after) <= 100) or after in {"=", "<", ">", "~"}:
        return 0.0
    if before in WEEKDAY_NUMBERS or after in PART_OF_DAY or before in WEEKDAY_CUES:
        return SURE
    if index and document.words[index - 1] in "/&+>\u2192":
        return LIKELY
    if before in {LINE_START, "|", "&"} or after in {"", ".", ":", "-", ")", "/", ","}:
        return LIKELY
    written = document.words[index]
    return LIKELY if written.istitle() or after.isdigit() else HINT


def judge_ordinal(document: Document, index: int, end: int) -> float:
    """Score ``21st``: a day of the month, a centile, a toe or a degree."""
    after = find_word_after(document, end)
    if after in NOT_DAY_AFTER:
        return 0.0
    day = int(document.words[index])
    before = find_word_before(document, index)
    by_article = before in {"the", "virtual"}
    if document.lower.endswith("letter of ", 0, document.starts[index]):
        return SURE
    if _speaks_of_growth(document, document.starts[index], end):
        return 0.0
    if by_article:
        return SURE
    if before in WEEKDAY_NUMBERS or before in ORDINAL_CUES:
        return SURE if before in WEEKDAY_NUMBERS or not after.isalpha() else LIKELY
    if has_time_after(document, end) or (before == LINE_START and day > 3):
        return LIKELY
    return 0.5 if day > 9 and before not in {"of", "a"} else HINT


def _speaks_of_growth(document: Document, start: int, end: int) -> bool:
    before = document.lower[max(0, start - 45) : start].rpartition("\n")[2]
    near = before + document.lower[start : end + 35].partition("\n")[0]
    return any(word in near for word in _CENTILES)


_YEAR_CUES: Final = gather(
    "in since from until till til between to of born b dob early late mid summer by "
    "dx diagnosed stopped circa c before after and during through autumn spring winter "
    "around about approx exp expires year class served discharged gave up made"
)
_NO_YEAR_BEFORE: Final = gather(
    "at \u00a3 @ ldh wbc no ext tel number ref code bleep ck x by_ dose total ca125 at "
    "~ < > around_ approx_ inc pc cad urine output volume intake uo drain"
)
_NO_YEAR_AFTER: Final = gather(
    "ml mls mg mcg g kcal units unit iu hrs hours h hr mmol ng pg calories steps ohms "
    "m cm mm kg x mgs u"
)


def judge_year(document: Document, index: int, end: int) -> float:
    """Score 2012: a year, a time of day or a quantity."""
    year = int(document.words[index])
    after = find_word_after(document, end)
    if after in _NO_YEAR_AFTER:
        return 0.0
    before = find_word_before(document, index)
    if before in _YEAR_CUES:
        return SURE
    if before in _NO_YEAR_BEFORE:
        return 0.0
    if 1960 <= year <= 1999 or year % 100 >= 60:
        return LIKELY
    if year < 1930:
        return HINT
    if year > 1999 and before.isalpha() and after and after in ".,;()":
        return LIKELY
    return HINT if _tells_times(document, index) else LIKELY


def _tells_times(document: Document, index: int) -> bool:
    """Tell whether a note writes times of day as four figures, or this one may be."""
    if before_is_date(document, index):
        return True
    at_line_start = find_word_before(document, index) == LINE_START
    return _count_times(document) >= (1 if at_line_start else 3)


@once_a_document
def _count_times(document: Document) -> int:
    """Count the groups of four figures that are times of day and can be no year."""
    return sum(
        1
        for word in document.words
        if len(word) == 4
        and word.isdigit()
        and word < "2400"
        and word[2] < "6"
        and not "1925" <= word <= "2035"
    )


def before_is_date(document: Document, index: int) -> bool:
    """Tell whether the tokens before are a day and month, as in ``7/10 2000``."""
    words = document.folded
    return (
        index > 2
        and words[index - 1].isdigit()
        and len(words[index - 1]) <= 2
        and words[index - 2] in "/.-"
    )
