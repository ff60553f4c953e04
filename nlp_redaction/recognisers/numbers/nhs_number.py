"""NHS, CHI and Health and Care numbers, mistyped ones as well.

Finding is apart from checking: behind its cue a number goes whatever its check digit says,
since a mistyped number still leads to its patient. Without a cue the check digit decides.
Source: NHS Data Dictionary, "NHS NUMBER"; NHS Scotland, "CHI Number".
"""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.numbers.code_cues import Cue
from nlp_redaction.recognisers.numbers.codes import find_codes, is_followed_by_unit

# A digit, or what optical recognition makes of one; up to three signs between digits.
_DIGITS: Final = r"[\dOoIl](?:(?:[ .-]{0,3}|\n)[\dOoIl])"
_CUES: Final = frozenset({"nhs", "nhsno", "chi", "hcn"})
_AFTER_CUE: Final = re.compile(
    r"(?:[ .:#=(_-]{0,4}(?:nos|no|n0|number|num|id|is|was)\b){0,3}"
    rf"[^\w\n]{{0,40}}\n?[^\w\n]{{0,8}}({_DIGITS}{{8,9}}(?:[ .-]?\d)?)(?![\w])",
    re.IGNORECASE,
)
_BARE: Final = re.compile(
    r"(?<![\w+/.-])(?:\d{10}|(\d{3}[ .-]{1,3}[\dOoIl]{3}[ .-]{1,3}[\dOoIl]{4})|(\d{6} \d{4})"
    r"|([1-9]\d{2,5}(?:[ .-]\d{2,7}){1,2}|[1-9]\d{7,10}))(?![\w/]|[.-]\d)"
)
_YEAR: Final = re.compile(r"(?:19|20)\d\d\D")
_MENTIONED: Final = re.compile(
    r"nhs ?(?:no|num|/)|(?<![a-z])chi(?![a-z])|h&c|nhs[,;|\"]"
)
_SPOKEN: Final = word_set(
    "zero oh nought one two three four five six seven eight nine double treble triple"
)
_WATCHED: Final = _CUES | _SPOKEN | {"c"}
_SPOKEN_FEWEST: Final = 8
_SPOKEN_SIGNS: Final = frozenset({",", "-"})
_OTHER_DIGITS: Final = str.maketrans("OoIl", "0011")
_LENGTH: Final = 10
_NEARLY: Final = frozenset({9, 10, 11})
_FEWEST_REAL_DIGITS: Final = 7
_MODULUS: Final = 11


class NhsNumberRecogniser(Recogniser):
    """Finds NHS, CHI and H&C numbers."""

    labels: ClassVar = (Label.NHS_NUMBER,)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield numbers behind a cue, valid or grouped ones, and spoken ones."""
        watched = [at for at, word in enumerate(document.folded) if word in _WATCHED]
        if document.has_digit:
            for at in watched:
                if _is_cue(document.folded, at):
                    yield from self._find_announced(document, document.ends[at])
            yield from self._find_bare(document)
        if len(watched) >= _SPOKEN_FEWEST:
            yield from self._find_spoken(document, watched)

    def _find_announced(self, document: Document, end: int) -> Iterator[Span]:
        number = _AFTER_CUE.match(document.plain, end)
        if number and sum(map(str.isdigit, number.group(1))) >= _FEWEST_REAL_DIGITS:
            yield self.span(
                *number.span(1),
                Label.NHS_NUMBER,
                0.95,
                "after the cue of an NHS number",
            )

    def _find_bare(self, document: Document) -> Iterator[Span]:
        for code in find_codes(document):
            if code.cue is Cue.NEVER:
                continue
            number = _BARE.match(document.plain, code.start)
            if number is None:
                continue
            grouped = number.group(1) or number.group(2)
            if not grouped and is_followed_by_unit(document, number.end()):
                continue
            score, reason = _score(document, number)
            if score:
                yield self.span(*number.span(), Label.NHS_NUMBER, score, reason)

    def _find_spoken(self, document: Document, watched: list[int]) -> Iterator[Span]:
        run: list[int] = []
        for at in watched:
            if document.folded[at] not in _SPOKEN:
                continue
            if run and not _goes_on(document.folded, run[-1], at):
                yield from self._make_spoken(document, run)
                run = []
            run.append(at)
        yield from self._make_spoken(document, run)

    def _make_spoken(self, document: Document, run: list[int]) -> Iterator[Span]:
        if len(run) >= _SPOKEN_FEWEST:
            start, end = document.starts[run[0]], document.ends[run[-1]]
            yield self.span(
                start, end, Label.NHS_NUMBER, 0.8, "number spoken digit by digit"
            )


def _goes_on(folded: list[str], last: int, at: int) -> bool:
    """Tell whether two spoken digits follow each other, with a comma at most."""
    return all(
        word in _SPOKEN_SIGNS for word in folded[last + 1 : at]
    ) and at - last <= len(_SPOKEN_SIGNS)


def _is_cue(folded: list[str], at: int) -> bool:
    if folded[at] == "c":
        return at > 1 and folded[at - 1] in "&+" and folded[at - 2] == "h"
    return folded[at] in _CUES


def _score(document: Document, number: re.Match[str]) -> tuple[float, str]:
    """Score a number without a cue; 0 when it may be anything."""
    digits = [int(d) for d in number.group().translate(_OTHER_DIGITS) if d.isdigit()]
    if is_valid("".join(map(str, digits))):
        return 0.9, "check digit is right"
    if number.group(1) and digits[0]:
        return 0.6, "grouped as an NHS number"
    if number.group(2) and digits[0]:
        return 0.6, "grouped as a CHI number"
    if len(digits) == _LENGTH and number.group(3) and not _YEAR.match(number.group()):
        return 0.55, "ten digits in groups"
    in_column = len(digits) in _NEARLY and _MENTIONED.search(document.lower)
    return (
        (0.55, "nearly a number of the kind the text names") if in_column else (0.0, "")
    )


def is_valid(number: str) -> bool:
    """Tell whether ten digits, however grouped, have the right check digit.

    Numbers that begin with 0 to 2 are Scottish: they begin with a date of birth as well.
    """
    digits = [int(sign) for sign in number if sign.isdigit()]
    if len(digits) != _LENGTH or len(set(digits)) == 1:
        return False
    total = sum(
        digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)
    )
    if (_MODULUS - total % _MODULUS) % _MODULUS != digits[9]:
        return False
    return digits[0] > 2 or _begins_with_date(digits)  # noqa: PLR2004 - H&C numbers begin with 3


def _begins_with_date(digits: list[int]) -> bool:
    day, month = digits[0] * 10 + digits[1], digits[2] * 10 + digits[3]
    return 1 <= day <= 31 and 1 <= month <= 12  # noqa: PLR2004 - days and months
