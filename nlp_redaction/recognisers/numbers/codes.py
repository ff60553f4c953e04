"""Runs of letters and digits that may be a code, and the words that announce them.

All recognisers of numbers start from the same short list: of a hundred words about five
hold two digits or more, and only those are looked at twice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nlp_redaction.document.text import Document, once_a_document
from nlp_redaction.lexicons import word_set
from nlp_redaction.recognisers.numbers.code_cues import (
    CUES,
    FILLERS,
    MONTHS,
    UNITS,
    Cue,
)

_RUN: Final = re.compile(r"[^\W_]+(?:(?:[-/_]|\.(?![a-z]))[^\W_]+)*")
_TWO_DIGITS: Final = re.compile(r"\d\D*\d")
_DIGITS: Final = re.compile(r"\d")
_LETTERS: Final = re.compile(r"[^\W\d_]")
# What optical recognition makes of a digit among digits.
_MISREAD: Final = re.compile(r"(?<=\d)[OolI](?=\d|$)|(?:^|(?<=[-/. ]))[OolI](?=\d)")
_DATE: Final = re.compile(
    r"\d{1,2}[-/.]\d{1,2}[-/.](?:\d{2}|\d{4})|(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|(?:19|20)\d\d"
    r"|\d{1,2}[-/.](?:19|20)\d\d|(?:19|20)\d\d[-/](?:19|20)?\d\d|\d{1,2}[-/.]?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}[-/.]?(?:\d{2}|\d{4})?|\d{1,2}(?:st|nd|rd|th)",
    re.IGNORECASE,
)
_MEASURE: Final = re.compile(
    r"\d{1,3}[./-]\d{1,3}|\d+\.\d{1,4}|\d{1,2}\.\d\d-\d{1,2}\.\d\d|\d{1,2}h\d\d|s\d{1,3}|\d{1,5}/(?:d|day|h|hr|min|l|ml|wk|week)|(?:\d+[-/])+(?:year|month|week|day|hour|yr|inch)s?(?:-old)?|"
    r"[A-Z]{1,4}\d{2,3}/\d{2,3}|\d{1,5}(?:[./-]\d{1,4})?(?:mg|mcg|g|kg|ml|mls|l|cm|mm|iu|u|yo|y|yr|yrs|f|m|hrs|h|hr|x|st|am|pm|"
    r"mmol|bpm|min|mins|d|w|wk|wks|k|pt|s|th|mhz|hz|v|fr|g|c)(?:/\w+)?|[xX]\d+",
    re.IGNORECASE,
)
_FARTHEST: Final = 10
# Capitals that belong to the number behind them: "NN 0087124", "RM2 88410".
_PREFIX: Final = re.compile(r"(?<![^\W_])([A-Z]{1,5}\d?) \Z")
_NO_PREFIX: Final = word_set(
    "DOB BP RR HR CRP INR PLT WBC HPV HIV ESR ALT NO TO OR ME MR MRS DR NOK FROM MUM DAD REG SHO SPR AND FOR THE WITH AT ON IN BY AGE TIME WARD BED"
)
# Words that announce a number themselves and are no part of it.
_OWN_CUES: Final = frozenset(Cue) - {Cue.NONE, Cue.STRONG, Cue.WEAK}
_LONGEST_PREFIX: Final = 8
_NEXT_GROUP: Final = re.compile(
    r" (\d[\dOolI]{1,7}(?:(?:[-/]|\.(?![a-z]))[^\W_]+)*)(?![^\W_])"
)
_LAST_LETTER: Final = re.compile(r" [A-Z](?![^\W_])")
_LONGEST_GROUP: Final = 6
_MOST_GROUPS: Final = 4
_NEXT_WORD: Final = re.compile(r" ?([A-Za-z%]+)")


@dataclass(frozen=True, slots=True, repr=False)
class Code:
    """A run of letters, digits and joining signs that holds at least two digits.

    Attributes:
        start: Offset of its first sign.
        end: Offset behind its last.
        text: The run, as in ``Document.plain``.
        digits: How many digits it holds, misread ones counted.
        token: Index of its first token.
        cue: What the words before it announce.
        cue_token: Index of the token that announces it; -1 when none does.
        far: Whether words other than fillers stand between.
    """

    start: int
    end: int
    text: str
    digits: int
    token: int
    cue: Cue
    cue_token: int
    far: bool

    @property
    def has_letter(self) -> bool:
        """Whether a letter is among its signs."""
        return _LETTERS.search(self.text) is not None

    @property
    def is_date(self) -> bool:
        """Whether it reads as a date or a year."""
        return _DATE.fullmatch(self.text) is not None

    @property
    def is_measure(self) -> bool:
        """Whether it reads as a measurement, a ratio or an age."""
        return _MEASURE.fullmatch(self.text) is not None


def count_digits(text: str) -> int:
    """Count digits, and the letters that stand for a misread digit."""
    return len(_DIGITS.findall(text)) + len(_MISREAD.findall(text))


def _reads_otherwise(text: str) -> bool:
    return bool(_DATE.fullmatch(text) or _MEASURE.fullmatch(text))


def make_shape(text: str) -> str:
    """Write every capital as A, small letter as a and digit as 9; the rest stays."""
    return "".join(
        "9"
        if sign.isdigit()
        else "A"
        if sign.isupper()
        else "a"
        if sign.isalpha()
        else sign
        for sign in text
    )


def is_followed_by_unit(document: Document, end: int) -> bool:
    """Tell whether the next word is a unit, a month or a percentage sign."""
    after = _NEXT_WORD.match(document.plain, end)
    if after is None:
        return document.plain[end : end + 2].lstrip()[:1] in {"%", "\u00b0"}
    word = after.group(1).lower()
    return word in UNITS or word in MONTHS or word == "%"


def find_cue(document: Document, token: int) -> tuple[Cue, int, bool]:
    """Look back from a token for the word that announces it.

    Returns:
        The cue, the index of its token, and whether an unknown word stands between.
    """
    folded, starts, ends = document.folded, document.starts, document.ends
    generic_at, unknown = -1, 0
    for at in range(token - 1, max(-1, token - 1 - _FARTHEST), -1):
        gap = starts[at + 1] - ends[at]
        if gap and at < token - 1 and "\n" in document.plain[ends[at] : starts[at + 1]]:
            break
        cue = _find_cue_of_word(folded, at)
        if cue is Cue.GENERIC:
            generic_at = at if not unknown else -1
        elif cue is Cue.OFFICER and generic_at >= 0:
            return Cue.STRONG, generic_at, False
        elif cue is not Cue.NONE:
            return _limit_cue(cue, at, unknown)
        elif not _is_filler(folded, at):
            unknown += 1
            if (
                generic_at >= 0
                or not folded[at].isalpha()
                or not _may_be_far(document, at, unknown)
            ):
                break
    return (Cue.GENERIC if generic_at >= 0 else Cue.NONE), generic_at, False


def _limit_cue(cue: Cue, at: int, unknown: int) -> tuple[Cue, int, bool]:
    """Let a cue count for less, or not at all, behind words between it and the code."""
    too_far = (unknown and cue is Cue.NEVER) or (unknown > 1 and cue is not Cue.OFFICER)
    return (Cue.NONE, -1, False) if too_far else (cue, at, unknown > 0)


def _is_filler(folded: list[str], at: int) -> bool:
    word = folded[at]
    if word == ".":
        # A point behind an abbreviation, "no.", not one that ends a sentence.
        return at > 0 and (folded[at - 1] in CUES or folded[at - 1] in FILLERS)
    # Initials in a reference: "Ref: PKM/jt/881204".
    return word in FILLERS or (word.isalpha() and folded[at + 1] == "/")


def _may_be_far(document: Document, at: int, unknown: int) -> bool:
    """Allow one word between cue and code, or a name of two: "PC Wen Adair 4190"."""
    return unknown == 1 or (unknown == 2 and document.words[at][0].isupper())  # noqa: PLR2004 - forename and surname


def _find_cue_of_word(folded: list[str], at: int) -> Cue:
    word = folded[at]
    if not at:
        return CUES.get(word, Cue.NONE)
    pair = CUES.get(f"{folded[at - 1]} {word}")
    if pair is None and at > 1 and folded[at - 1] in "/&+.":
        pair = CUES.get(f"{folded[at - 2]} {word}")
    return pair or CUES.get(word, Cue.NONE)


def extend_code(document: Document, code: Code) -> int:
    """Return the end of a code that goes on behind a space: "QEH 33 09 18 B"."""
    end, last = code.end, code.text.rpartition(" ")[2]
    for _ in range(_MOST_GROUPS):
        group = _NEXT_GROUP.match(document.plain, end)
        if group is None or len(last) > _LONGEST_GROUP or _is_other(document, group):
            break
        end, last = group.end(), group.group(1)
    letter = _LAST_LETTER.match(document.plain, end)
    if (
        end > code.end
        or " " in code.text
        or (letter and document.plain[letter.end() : letter.end() + 1] in ".,;)")
    ):
        end = letter.end() if letter else end
    return end


def _is_other(document: Document, group: re.Match[str]) -> bool:
    text = group.group(1)
    separated = not text.isalnum() and (
        _DATE.fullmatch(text) or _MEASURE.fullmatch(text)
    )
    letter = _LAST_LETTER.match(document.plain, group.end())
    return bool(separated) or (
        not letter and is_followed_by_unit(document, group.end())
    )


@once_a_document
def find_codes(document: Document) -> list[Code]:
    """List the runs with two digits or more, each with its cue."""
    return list(_read_codes(document))


def _read_codes(document: Document) -> Iterator[Code]:
    for run in _find_runs(document):
        if run.group().isdigit() and run.end() - run.start() < 2:  # noqa: PLR2004 - one digit is a count
            continue
        if not _TWO_DIGITS.search(run.group()):
            continue
        yield _read_code(document, run)


def _find_runs(document: Document) -> Iterator[re.Match[str]]:
    """Start from the digits, which are few, and take in what is joined to them."""
    reached = -1
    for token, word in enumerate(document.words):
        if not word.isdigit() or document.starts[token] < reached:
            continue
        first = _find_first(document, token, reached)
        run = _RUN.match(document.plain, document.starts[first])
        if run:
            reached = run.end()
            yield run


def _find_first(document: Document, token: int, reached: int) -> int:
    words, starts, ends = document.words, document.starts, document.ends
    while token > 0 and ends[token - 1] == starts[token] > reached:
        before = words[token - 1]
        if before[0].isalnum():
            token -= 1
        elif _joins(document, token):
            token -= 2
        else:
            break
    return token


def _joins(document: Document, token: int) -> bool:
    """Tell whether the sign before a token joins it to letters or digits."""
    words, starts, ends = document.words, document.starts, document.ends
    sign = words[token - 1]
    if sign not in "-/_." or (sign == "." and words[token][0].islower()):
        return False
    return (
        token > 1
        and ends[token - 2] == starts[token - 1]
        and words[token - 2][0].isalnum()
    )


def _read_code(document: Document, run: re.Match[str]) -> Code:
    text, start = run.group(), run.start()
    token = document.token_at(start)
    cue, cue_token, far = find_cue(document, token)
    prefix = (
        find_prefix(document, start)
        if text[0].isdigit() and not _reads_otherwise(text)
        else -1
    )
    if prefix >= 0:
        before = document.token_at(prefix)
        wider = find_cue(document, before)
        if wider[0] not in {Cue.NONE, Cue.NEVER} and (
            not wider[2] or wider[0] is Cue.OFFICER
        ):
            start, token, (cue, cue_token, far) = prefix, before, wider
            text = document.plain[start : run.end()]
    return Code(start, run.end(), text, count_digits(text), token, cue, cue_token, far)


def find_prefix(document: Document, start: int) -> int:
    """Return where the capitals before a number begin, "NN 0087124"; -1 without any."""
    prefix = _PREFIX.search(document.plain, max(0, start - _LONGEST_PREFIX), start)
    if (
        prefix is None
        or prefix.group(1) in _NO_PREFIX
        or CUES.get(prefix.group(1).lower(), Cue.NONE) in _OWN_CUES
    ):
        return -1
    return prefix.start()
