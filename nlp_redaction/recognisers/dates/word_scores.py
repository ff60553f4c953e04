"""Whether a month or a weekday that is also another word is a date."""

from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.recognisers.dates.context import (
    LINE_START,
    Surroundings,
    is_all_capitals,
)
from nlp_redaction.recognisers.dates.scores import HINT, LIKELY, SURE
from nlp_redaction.recognisers.dates.vocabulary import (
    MONTH_CUES,
    NOT_SATURDAY_AFTER,
    NOT_SATURDAY_BEFORE,
    NOT_SUNDAY_AFTER,
    NOT_SUNDAY_BEFORE,
    PART_OF_DAY,
    WEEKDAY_CUES,
    WEEKDAY_NUMBERS,
)
from nlp_redaction.recognisers.rules import Rule, Score, always, score_by

_ABBREVIATION_CUES: Final = word_set("was appt booked tft stent")


class _MonthWord(Surroundings):
    """A month that is a word or an abbreviation of its own."""

    @property
    def word(self) -> str:
        """The word in small letters."""
        return self.document.folded[self.index]

    def is_abbreviation(self) -> bool:
        """Tell whether it is one of those that clinicians use otherwise."""
        return self.word in {"oct", "dec", "sep", "mar"}

    def is_capitalised(self) -> bool:
        """Tell whether it has a capital and is not all capitals."""
        return self.written[0].isupper() and not self.written.isupper()


_MONTH_WORD: Final[tuple[Rule[_MonthWord], ...]] = (
    Rule(
        lambda m: m.after in {"chart", "charts", "test", "sheet", "'"},
        0.0,
        "a chart or a test",
    ),
    Rule(lambda m: m.previous in {"\u2192", ">"}, LIKELY, "month behind an arrow"),
    Rule(
        lambda m: m.before in MONTH_CUES and m.word == "may" and m.before == "and",
        HINT,
        "month or verb",
    ),
    Rule(lambda m: m.before in MONTH_CUES, SURE, "month by cue"),
    Rule(
        lambda m: (
            m.is_abbreviation()
            and m.written.isupper()
            and not is_all_capitals(m.document)
        ),
        0.0,
        "an abbreviation in capitals",
    ),
    Rule(
        lambda m: (
            m.is_abbreviation()
            and (m.before in _ABBREVIATION_CUES or m.before.isdigit())
        ),
        LIKELY,
        "short month by cue",
    ),
    Rule(
        lambda m: (
            m.is_abbreviation()
            and m.written.istitle()
            and m.before != LINE_START
            and m.after not in {"'", "d"}
            and m.written != "Dec"
        ),
        LIKELY,
        "short month with a capital",
    ),
    Rule(
        lambda m: m.is_abbreviation() and m.before != LINE_START,
        HINT,
        "short month or abbreviation",
    ),
    Rule(_MonthWord.is_abbreviation, 0.0, "an abbreviation at a line's start"),
    Rule(lambda m: not m.is_capitalised(), HINT / 2, "a word"),
    Rule(
        lambda m: m.word == "may" and m.before == LINE_START, 0.0, "begins a sentence"
    ),
    Rule(lambda m: m.word == "may", HINT, "month or verb"),
    Rule(lambda m: m.before != LINE_START, LIKELY, "month with a capital"),
    Rule(always, HINT, "month or word at a line's start"),
)


def score_month_word(document: Document, index: int, end: int) -> Score:
    """Score a month that is a word or an abbreviation of its own, standing alone."""
    return score_by(_MONTH_WORD, _MonthWord(document, index, end))


class _ShortWeekday(Surroundings):
    """``sat`` or ``sun``."""

    @property
    def is_saturday(self) -> bool:
        """Whether it is ``sat``."""
        return self.document.folded[self.index] == "sat"

    def is_otherwise(self) -> bool:
        """Tell whether the words around make a verb, a saturation or a star of it."""
        if self.is_saturday:
            return (
                self.after in NOT_SATURDAY_AFTER or self.before in NOT_SATURDAY_BEFORE
            )
        return self.after in NOT_SUNDAY_AFTER or self.before in NOT_SUNDAY_BEFORE

    def is_saturation(self) -> bool:
        """Tell whether a saturation or a sign of comparison follows."""
        is_percentage = self.after.isdigit() and 60 <= int(self.after) <= 100
        return is_percentage or self.after in {"%", "=", "<", ">", "~"}


_SHORT_WEEKDAY: Final[tuple[Rule[_ShortWeekday], ...]] = (
    Rule(_ShortWeekday.is_otherwise, 0.0, "a verb or a noun"),
    Rule(_ShortWeekday.is_saturation, 0.0, "a saturation"),
    Rule(
        lambda w: (
            w.before in WEEKDAY_NUMBERS
            or w.after in PART_OF_DAY
            or w.before in WEEKDAY_CUES
        ),
        SURE,
        "weekday by cue",
    ),
    Rule(
        lambda w: w.previous in {"/", "&", "+", ">", "\u2192"},
        LIKELY,
        "weekday in a list",
    ),
    Rule(
        lambda w: (
            w.before in {LINE_START, "|", "&"}
            or w.after in {"", ".", ":", "-", ")", "/", ","}
        ),
        LIKELY,
        "weekday at an edge",
    ),
    Rule(
        lambda w: w.written.istitle() or w.after.isdigit(),
        LIKELY,
        "weekday with a capital or a figure",
    ),
    Rule(always, HINT, "weekday or verb"),
)


def score_short_weekday(document: Document, index: int, end: int) -> Score:
    """Score ``sat`` and ``sun``, which are a verb, a saturation and a star as well."""
    return score_by(_SHORT_WEEKDAY, _ShortWeekday(document, index, end))
