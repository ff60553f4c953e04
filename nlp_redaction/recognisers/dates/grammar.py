"""The forms of written dates in the United Kingdom, as patterns on lower-case text.

Every pattern is tried only at a place where a token makes a date possible, so that none
of them scans the text; all are linear. Days come before months: that is the order here.
"""

import re
from typing import Final

from nlp_redaction.recognisers.dates.vocabulary import (
    MONTH_NUMBERS,
    NAMED_DAY_WORDS,
    ORDINAL_WORDS,
    WEEKDAY_NUMBERS,
    WELSH_DAYS,
)

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2039


def _any_of(words: "frozenset[str] | dict[str, int]") -> str:
    return "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))


MONTH: Final = rf"(?:{_any_of(MONTH_NUMBERS)}|decernber|novernber|septernber|0ct(?:ober)?|rajab|sha'?ban|muharram|shawwal)"
WEEKDAY: Final = rf"(?:{_any_of(WEEKDAY_NUMBERS)})"
_SEPARATOR: Final = "[./\\\\\u2044\u2215-]"
_LOOK_BACK_FREE: Final = r"(?![0-9a-z])"
_YEAR: Final = r"(?:(?:19|20)\d\d|'?\d\d(?![:.]?\d|%| ?[ap]m\b))"

DAY_MONTH_YEAR: Final = re.compile(
    rf"(\d{{1,2}})( ?)({_SEPARATOR})( ?)(\d{{1,2}}) ?\3 ?((?:19|20)\d\d|\d\d)(?![0-9])(?![./:\\-]\d)"
)
"""3/4/21, 03-04-2021, 3.4.21, 3 / 4 / 21: day, month and year are groups 1, 5, 6."""

DAY_MONTH: Final = re.compile(
    rf"(\d{{1,2}})( ?)({_SEPARATOR})\2(\d{{1,2}})(?![0-9a-z])"
)
"""3/4, 3.4, 3-4, also the first half of a longer form: the caller looks on."""

SPACED: Final = re.compile(r"(\d\d?) (\d\d?) ((?:19|20)\d\d|\d\d)(?![0-9:./-])(?! \d)")
"""03 04 2021; with two figures of a year only by a cue."""

MONTH_YEAR: Final = re.compile(r"(\d{1,2}) ?[./\\-] ?((?:19|20)\d\d)(?![0-9]|[./-]\d)")
"""9/2022."""

YEAR_MONTH: Final = re.compile(r"((?:19|20)\d\d)([/-])(\d\d)(?![0-9]|[./-]\d)")
"""2022-09, or the two years 2022-23."""

ISO: Final = re.compile(
    r"((?:19|20)\d\d)([-/.])(\d{1,2})\2(\d{1,2})"
    r"(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:z|[+-]\d\d:?\d\d)?)?(?![0-9])"
)
COMPACT: Final = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)?( ?\d{4}(?:\d\d)?)?$")

DAY_NAME_MONTH: Final = re.compile(
    r"(\d{1,2})(?: ?(?:st|nd|rd|th))?(?:(?: of)?(?: the month of)? ?|[ ]?[-./][ ]?)"
    rf"({MONTH}){_LOOK_BACK_FREE}\.?(?:(?:,? ?|,? of |[-./]){_YEAR}{_LOOK_BACK_FREE}(?![./:-]\d))?"
)
"""3 May, 3rd of May 2021, 03-May-21."""

DAY_NAME_MONTH_TIGHT: Final = re.compile(
    rf"(\d{{1,2}})({MONTH})((?:19|20)\d\d|\d\d)(?![0-9a-z])"
)
"""03MAY21."""

NAME_MONTH: Final = re.compile(
    rf"({MONTH}){_LOOK_BACK_FREE}(?:\.?"
    rf"(?:[ ]{{1,2}}|[-/.]| ?')(?:of )?(?:(?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?![0-9a-z:/%]|\.\d| ?[ap]m\b)"
    rf"(?:(?:,? |,|-){_YEAR}(?![0-9a-z]|[./:-]\d))?|((?:19|20)\d\d)(?![0-9a-z]|[/:]\d)))?"
)
"""May; May 3; May 3rd, 2021; May 2021; May '21."""

ORDINAL: Final = re.compile(r"(\d{1,2}) ?(st|nd|rd|th)(?![0-9a-z])")

DAYS_BEFORE: Final = re.compile(
    r"(?:\d{1,2}(?:st|nd|rd|th)?(?: ?(?:,|&|\+|-|/|\u2192) ?| (?:and|to|or|until|till?) |, and )){1,6}"
)
"""The earlier days of a list: 3, 4 and [5 May]; 3-[5 May]."""

YEAR: Final = re.compile(r"(?:19|20)\d\d(?![0-9]|[.:/]\d)")
YEAR_RANGE: Final = re.compile(
    r"(?:19|20)\d\d ?[-/] ?(?:(?:19|20)\d\d|\d\d)(?![0-9]|[.:/-]\d)"
)
SHORT_YEAR: Final = re.compile(r"'(\d\d)(?![0-9'%a-z]| ?(?:mg|ml|kg|cm|mm|mcg))")
DECADE: Final = re.compile(r"'?(?:(?:19|20)\d0|[2-9]0)'?s(?![a-z0-9])")
UNKNOWN_DAY: Final = re.compile(
    r"[?x*]{1,2}[/.-](?:[?x*]{1,2}|\d\d?)[/.-]((?:19|20)?\d\d)(?![0-9])"
)
QUARTER: Final = re.compile(r"q[1-4][ /-]?(?:(?:19|20)\d\d)(?![0-9])")

TIME_AFTER: Final = re.compile(
    r"[ ,]{1,3}(?:at |@ ?)?(?:[01]?\d|2[0-3])(?:[:.]?[0-5]\d)(?![0-9/%.]| ?m[gl])(?:h|hrs)?"
    r"|[ ,]{1,2}(?:\d{1,2} ?)?[ap]\.?m\b|[ ]?(?:\u2192|->|\u00bb|to)[ ]?\d{1,2}[/.]\d"
)
"""A time of day, which makes the figures before it a date."""

NAMED_DAY: Final = re.compile(
    rf"(?:{NAMED_DAY_WORDS})(?![a-z0-9])"
    r"(?: (?:eve|day|sunday|monday|sun|mon|saturday|sat|bank hol(?:iday)?)(?![a-z0-9]))?"
    rf"(?:,? (?:of )?(?:19|20)\d\d(?![0-9])|,? {WEEKDAY}(?![a-z0-9])| \d{{1,2}}(?:st|nd|rd|th)(?![a-z0-9]))?"
)
SEASON: Final = re.compile(
    r"(?:spring|summer|autumn|winter)(?: of| term)?,? (?:(?:19|20)\d\d(?:[/-]\d\d)?|'?\d\d)(?![0-9a-z%]|[:./-]\d)"
)
BETWEEN_WEEKDAY: Final = re.compile(
    r"\.?,? (?:the )?(?=\d)|\.?,? (?:the )?(?=[a-z])|-(?=\d)"
)
WELSH_DAY: Final = re.compile(
    rf"(?:d?dydd|nydd|nos) (?:{_any_of(WELSH_DAYS)})(?![a-z])"
)
INITIAL_WEEKDAYS: Final = re.compile(
    r"(?:mwf|tths|tts|m/w/f|t/th/s|m-f|tu/th/sa|m w f)(?![a-z0-9])"
)

_ORDINAL_WORD: Final = rf"(?:{_any_of(ORDINAL_WORDS)}|twenty[ -](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|thirty[ -]first)"
_UNIT: Final = "one|two|three|four|five|six|seven|eight|nine"
_TEEN: Final = (
    "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
)
_TENS: Final = "twenty|thirty|forty|fourty|fifty|sixty|seventy|eighty|ninety"
_TWO_FIGURES: Final = rf"(?:(?:{_TENS})(?:[ -](?:{_UNIT}))?|{_TEEN}|oh (?:{_UNIT}))"
_SPOKEN_YEAR: Final = (
    rf"(?:two thousand(?: (?:and )?(?:{_TWO_FIGURES}|{_UNIT}))?|nineteen {_TWO_FIGURES}|"
    rf"twenty {_TWO_FIGURES}|{_TWO_FIGURES}|(?:19|20)\d\d)(?![a-z])"
)
SPOKEN_DAY: Final = re.compile(
    rf"(?:{_ORDINAL_WORD}|{_UNIT}|{_TEEN}) of (?:the )?(?:{MONTH}|{_ORDINAL_WORD})(?![a-z0-9])"
    rf"(?:,? {_SPOKEN_YEAR})?"
)
"""third of May, seven of the seventh fifty three."""

SPOKEN_BIRTH: Final = re.compile(
    rf"(?:{_ORDINAL_WORD}|{_UNIT}|{_TEEN}) (?:{_UNIT}|{_TEEN}|{MONTH}) {_SPOKEN_YEAR}"
)
"""seven seven ninety eight: only behind a cue of birth."""

SPOKEN_MONTH_YEAR: Final = re.compile(
    rf"{MONTH} (?:two thousand (?:and )?|nineteen |twenty )(?:{_TWO_FIGURES}|{_UNIT})(?![a-z])"
)
SPOKEN_YEAR: Final = re.compile(
    rf"(?:two thousand (?:and )?|nineteen |twenty )(?:{_TWO_FIGURES}|{_UNIT})(?![a-z])"
)
ORDINAL_WORD: Final = re.compile(rf"{_ORDINAL_WORD}(?![a-z-])")
NTH_WEEKDAY: Final = re.compile(
    rf"(?:first|second|third|fourth|1st|2nd|3rd|4th) {WEEKDAY}(?![a-z])"
    rf"(?: (?:of|in) (?:{MONTH})(?![a-z]))?"
)

_FIGURE: Final = "[0-9oil]"
SCANNED: Final = re.compile(
    rf"({_FIGURE}{{1,2}})(?: ?([./\\\u2044\u2215-]) ?|\s)({_FIGURE}{{1,2}})"
    rf"(?: ?(?(2)\2|\s) ?({_FIGURE}{{4}}|{_FIGURE}{{2}}))?(?![0-9a-z|])(?![./:-]\d)"
)
"""A date in which a scanner took a nought for an O, a one for an l or I."""

SCANNED_WORDED: Final = re.compile(
    rf"({_FIGURE}{{1,2}}) ?(?:st|nd|rd|th)? {{0,2}}(?:[o0]f )?({MONTH}|9ctober)(?![a-z0-9])(?: ?({_FIGURE}{{4}}))?(?![a-z0-9])"
)
SCANNED_YEAR: Final = re.compile(r"(?:[li1]9|2[0o])[0-9oli]{2}(?![0-9a-z])")
"""l993, 2Ol6."""

MONTH_BEHIND: Final = re.compile(rf"(?:st|nd|rd|th)? ?(?:of )?{MONTH}{_LOOK_BACK_FREE}")

TIME_OF_FOUR: Final = re.compile(r" [0-2]\d[0-5]\d(?!\d)")

TIME_BEFORE: Final = re.compile(
    r"(?:^|[^0-9.:])(?:[01]?\d|2[0-3])[:.][0-5]\d[ ,]{1,2}$"
)
"""A time of day that ends where figures begin."""

SHORT_WEEKDAY: Final = re.compile(
    r"(?:mo|tu|we|th|fr|sa|su) (?=\d{1,2}(?: ?/ ?\d| " + MONTH + "))"
)
"""Tu 22 Oct."""

_UNSCANNED: Final = str.maketrans("oil", "011")


def mend_figures(scanned: str) -> str:
    """Return what a scanner's figures stand for."""
    return scanned.translate(_UNSCANNED)


def is_day(text: str) -> bool:
    """Tell whether figures can be a day of a month."""
    return 1 <= int(text) <= 31


def is_month(text: str) -> bool:
    """Tell whether figures can be a month."""
    return 1 <= int(text) <= 12


def is_year(text: str) -> bool:
    """Tell whether figures can be a year of somebody alive; two figures always can."""
    return len(text) == 2 or FIRST_YEAR <= int(text) <= LAST_YEAR
