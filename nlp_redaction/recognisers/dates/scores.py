"""Whether figures are a date, by what stands around them.

Scores: 0 is no date, 0.3 a hint, 0.5 and more stands alone.
"""

import re
from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.recognisers.dates.context import (
    LINE_START,
    Surroundings,
    has_time_after,
)
from nlp_redaction.recognisers.dates.vocabulary import (
    DATE_CUES,
    DURATION_UNITS_AFTER,
    NOT_DATE_BEFORE,
    NOT_DAY_AFTER,
    ORDINAL_CUES,
    STRONG_DATE_CUES,
    WEEKDAY_NUMBERS,
    YEAR_MONTH_CUES,
)
from nlp_redaction.recognisers.rules import Rule, Score, always, score_by

HINT: Final = 0.3
LIKELY: Final = 0.6
SURE: Final = 0.9

_DURATION_MONTHS: Final = frozenset({7, 12})
_USUAL_DAYS: Final = frozenset({*range(1, 11), 14, 21, 24, 28})
_USUAL_MONTHS: Final = frozenset({*range(1, 13), 18})
_PERCENT_OR_SLASH: Final = frozenset({"%", "/"})
_FOUR_FIGURE_TIME: Final = re.compile(r" (?:[01]\d|2[0-3])[0-5]\d(?![0-9.:])")
_DOTTED_CUES: Final = word_set(
    "on dated date seen signed booked next visit until till til done received appt "
    "fitted since dob born edd reviewed log board w/c w/b w/e"
)
_LONG_DOTTED_CUES: Final = (DATE_CUES | {LINE_START}) - word_set(
    "of to and between on in a by us uss ct mri cxr after before"
)
_HYPHEN_CUES: Final = word_set("on dated dob date born until due ap wr")
_YEAR_CUES: Final = word_set(
    "in since from until till til between to of born b dob early late mid summer by "
    "dx diagnosed stopped circa c before after and during through autumn spring winter "
    "around about approx exp expires year class served discharged gave up made"
)
_NO_YEAR_BEFORE: Final = word_set(
    "at \u00a3 @ ldh wbc no ext tel number ref code bleep ck x by_ dose total ca125 at "
    "~ < > around_ approx_ inc pc cad urine output volume intake uo drain"
)
_NO_YEAR_AFTER: Final = word_set(
    "ml mls mg mcg g kcal units unit iu hrs hours h hr mmol ng pg calories steps ohms "
    "m cm mm kg x mgs u"
)


class _DayMonth(Surroundings):
    """Figures like 3/4, and what stands around them."""

    def __init__(
        self, document: Document, index: int, end: int, day: str, month: str
    ) -> None:
        super().__init__(document, index, end)
        self.day_text, self.month_text = day, month
        self.day, self.month = int(day), int(month)

    def counts_a_duration(self) -> bool:
        """Tell whether "days" or the like follows what may be a count or a fraction."""
        return self.after in DURATION_UNITS_AFTER and (
            self.day <= self.month or self.month in _DURATION_MONTHS
        )

    def fills_cell(self) -> bool:
        """Tell whether it begins a cell or ends before a colon."""
        begins = self.document.text[self.start - 1 : self.start] == "\t"
        return (begins or self.after == ":") and self.month not in {5, 7, 10, 12}

    def is_unusual_duration(self) -> bool:
        """Tell whether 13/7 or 19/12 counts more than clinicians count so."""
        usual = _USUAL_DAYS if self.month == 7 else _USUAL_MONTHS
        return self.month in _DURATION_MONTHS and self.day not in usual


# A fraction never exceeds its whole, so 24/8 is a date; 5/7, 3/12 and 4/10 are what
# clinicians write for five days, three months and four of ten.
_DAY_MONTH: Final[tuple[Rule[_DayMonth], ...]] = (
    Rule(
        lambda d: d.day > d.month and (d.month_text[0] == "0" or d.day > 28),
        SURE,
        "day and month, no fraction",
    ),
    Rule(lambda d: d.before in NOT_DATE_BEFORE, 0.0, "behind a measurement"),
    Rule(lambda d: d.after in _PERCENT_OR_SLASH, 0.0, "part of a figure"),
    Rule(_DayMonth.counts_a_duration, 0.0, "a duration"),
    Rule(
        lambda d: d.day_text == "6" and d.is_near_visual_acuity(),
        0.0,
        "a visual acuity",
    ),
    Rule(
        lambda d: (
            d.before in STRONG_DATE_CUES
            or d.document.folded[d.index - 1] in WEEKDAY_NUMBERS
        ),
        SURE,
        "day and month behind a cue",
    ),
    Rule(Surroundings.has_time_near, SURE, "day and month beside a time"),
    Rule(_DayMonth.fills_cell, LIKELY, "day and month in a cell"),
    Rule(
        lambda d: d.day_text[0] == "0" or d.month_text[0] == "0",
        SURE,
        "day and month with a leading zero",
    ),
    Rule(
        _DayMonth.is_unusual_duration,
        LIKELY,
        "day and month, no usual duration",
    ),
    Rule(
        lambda d: d.month in _DURATION_MONTHS and d.before == LINE_START and d.day > 2,
        LIKELY,
        "day and month at a line's start",
    ),
    Rule(
        lambda d: d.month in _DURATION_MONTHS,
        HINT,
        "day and month, or a duration",
    ),
    Rule(lambda d: d.day > d.month, LIKELY, "day and month, no fraction"),
    Rule(
        lambda d: d.before in DATE_CUES or d.before in {LINE_START, "|"},
        LIKELY,
        "day and month behind a weak cue",
    ),
    Rule(always, HINT, "day and month, or a fraction"),
)


def score_day_month(
    document: Document, index: int, end: int, day: str, month: str
) -> Score:
    """Score 3/4: a day and month, a duration, a score or a fraction."""
    return score_by(_DAY_MONTH, _DayMonth(document, index, end, day, month))


_DOTTED: Final[tuple[Rule[Surroundings], ...]] = (
    Rule(lambda s: s.before in NOT_DATE_BEFORE, 0.0, "behind a measurement"),
    Rule(
        lambda s: s.after in DURATION_UNITS_AFTER or s.after in _PERCENT_OR_SLASH,
        0.0,
        "a quantity",
    ),
    Rule(
        lambda s: s.before in _DOTTED_CUES or s.before in WEEKDAY_NUMBERS,
        LIKELY,
        "day and month by cue",
    ),
    Rule(
        lambda s: s.number > 23 and s.before in _LONG_DOTTED_CUES,
        LIKELY,
        "day and month by cue, no time of day",
    ),
    Rule(
        lambda s: _FOUR_FIGURE_TIME.match(s.document.lower, s.end),
        LIKELY,
        "day and month before a time",
    ),
)


def score_dotted(document: Document, index: int, end: int) -> Score:
    """Score 3.4, which is a number or a time unless a cue says otherwise."""
    return score_by(_DOTTED, Surroundings(document, index, end))


def score_hyphened(document: Document, index: int, end: int, month: str) -> Score:
    """Score 3-4, which is a range unless a cue or falling figures say otherwise."""
    near = Surroundings(document, index, end)
    falls = near.number > 12 and int(month) < near.number
    if falls and near.after not in DURATION_UNITS_AFTER:
        return Score(LIKELY, "day and month, no range")
    is_cued = near.before in _HYPHEN_CUES
    return Score(LIKELY if is_cued else 0.0, "day and month by cue")


_MONTH_YEAR: Final[tuple[Rule[Surroundings], ...]] = (
    # HbA1c is three tokens, so it is looked for in the text.
    Rule(
        lambda s: "a1c" in s.document.lower[max(0, s.start - 6) : s.start],
        LIKELY,
        "month and year of a test",
    ),
    Rule(lambda s: s.before in NOT_DATE_BEFORE, 0.0, "behind a measurement"),
    Rule(lambda s: s.before in YEAR_MONTH_CUES, LIKELY, "month and year by cue"),
    Rule(lambda s: s.written[0] == "0", LIKELY, "month and year with a leading zero"),
    Rule(always, HINT, "month and year, or a fraction"),
)


def score_month_year(document: Document, index: int, end: int) -> Score:
    """Score 9/22, where the second figure is no month."""
    return score_by(_MONTH_YEAR, Surroundings(document, index, end))


_ORDINAL: Final[tuple[Rule[Surroundings], ...]] = (
    Rule(lambda s: s.after in NOT_DAY_AFTER, 0.0, "counts something else"),
    Rule(
        lambda s: s.document.lower.endswith("letter of ", 0, s.start),
        SURE,
        "day of a letter",
    ),
    Rule(Surroundings.is_near_centiles, 0.0, "a centile"),
    Rule(lambda s: s.before in {"the", "virtual"}, SURE, "day behind an article"),
    Rule(lambda s: s.before in WEEKDAY_NUMBERS, SURE, "day behind a weekday"),
    Rule(
        lambda s: s.before in ORDINAL_CUES and not s.after.isalpha(),
        SURE,
        "day by cue",
    ),
    Rule(lambda s: s.before in ORDINAL_CUES, LIKELY, "day by cue, a word behind"),
    Rule(lambda s: has_time_after(s.document, s.end), LIKELY, "day before a time"),
    Rule(
        lambda s: s.before == LINE_START and s.number > 3,
        LIKELY,
        "day at a line's start",
    ),
    Rule(
        lambda s: s.number > 9 and s.before not in {"of", "a"},
        0.5,
        "day by ordinal of two figures",
    ),
    Rule(always, HINT, "day by ordinal"),
)


def score_ordinal(document: Document, index: int, end: int) -> Score:
    """Score ``21st``: a day of the month, a centile, a toe or a degree."""
    return score_by(_ORDINAL, Surroundings(document, index, end))


_YEAR: Final[tuple[Rule[Surroundings], ...]] = (
    Rule(lambda s: s.after in _NO_YEAR_AFTER, 0.0, "a quantity"),
    Rule(lambda s: s.before in _YEAR_CUES, SURE, "year by cue"),
    Rule(lambda s: s.before in _NO_YEAR_BEFORE, 0.0, "a number"),
    Rule(
        lambda s: 1960 <= s.number <= 1999 or s.number % 100 >= 60,
        LIKELY,
        "year, no time of day",
    ),
    Rule(lambda s: s.number < 1930, HINT, "year or number"),
    Rule(
        lambda s: (
            s.number > 1999 and s.before.isalpha() and s.after and s.after in ".,;()"
        ),
        LIKELY,
        "year behind a word",
    ),
    Rule(Surroundings.may_be_four_digit_time, HINT, "year or time of day"),
    Rule(always, LIKELY, "year"),
)


def score_year(document: Document, index: int, end: int) -> Score:
    """Score 2012: a year, a time of day or a quantity."""
    return score_by(_YEAR, Surroundings(document, index, end))
