"""What stands around figures or a word that may be a date."""

from typing import Final

from nlp_redaction.document.text import Document, once_a_document
from nlp_redaction.recognisers.dates.grammar import TIME_AFTER, TIME_BEFORE

LINE_START: Final = "^"
_PASSED_OVER: Final = frozenset(":(=-.,>[?~\"'*\u2022#]+\u2192)!_")
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


def stands_after_time(document: Document, start: int) -> bool:
    """Tell whether a time of day stands right before."""
    return TIME_BEFORE.search(document.lower[max(0, start - 8) : start]) is not None


@once_a_document
def is_all_capitals(document: Document) -> bool:
    """Tell whether a note is written in capitals throughout."""
    return sum(map(str.isupper, document.plain)) > sum(map(str.islower, document.plain))


@once_a_document
def count_four_digit_times(document: Document) -> int:
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


def follows_day_and_month(document: Document, index: int) -> bool:
    """Tell whether the tokens before are a day and month, as in ``7/10 2000``."""
    words = document.folded
    return (
        index > 2
        and words[index - 1].isdigit()
        and len(words[index - 1]) <= 2
        and words[index - 2] in "/.-"
    )


class Surroundings:
    """A token that may begin a date, and what stands around it.

    Attributes:
        document: The text.
        index: The token.
        start: Offset of the token.
        end: Offset behind what would be the date.
        before: The word before, past signs; ``LINE_START`` where there is none.
        after: The token behind on the same line, or nothing.
    """

    def __init__(self, document: Document, index: int, end: int) -> None:
        self.document = document
        self.index = index
        self.start = document.starts[index]
        self.end = end
        self.before = find_word_before(document, index)
        self.after = find_word_after(document, end)

    @property
    def written(self) -> str:
        """The token as it is written."""
        return self.document.words[self.index]

    @property
    def number(self) -> int:
        """The token as a number; it must be figures."""
        return int(self.document.words[self.index])

    @property
    def previous(self) -> str:
        """The token right before, as it is written; nothing at the text's start."""
        return self.document.words[self.index - 1] if self.index else ""

    def has_time_near(self) -> bool:
        """Tell whether a time of day stands right behind or right before."""
        return has_time_after(self.document, self.end) or stands_after_time(
            self.document, self.start
        )

    def is_near_visual_acuity(self) -> bool:
        """Tell whether the words before speak of sight: "VA 6/9, 6/12"."""
        near = self.document.lower[max(0, self.start - 60) : self.start]
        return any(
            word in near for word in ("acuit", "vision", "snellen", "va ", " 6/")
        )

    def is_near_centiles(self) -> bool:
        """Tell whether the line speaks of growth: "weight 9th centile"."""
        lower = self.document.lower
        before = lower[max(0, self.start - 45) : self.start].rpartition("\n")[2]
        near = before + lower[self.start : self.end + 35].partition("\n")[0]
        return any(word in near for word in _CENTILES)

    def may_be_four_digit_time(self) -> bool:
        """Tell whether a note writes times of day as four figures, or this one may be."""
        if follows_day_and_month(self.document, self.index):
            return True
        fewest = 1 if self.before == LINE_START else 3
        return count_four_digit_times(self.document) >= fewest
