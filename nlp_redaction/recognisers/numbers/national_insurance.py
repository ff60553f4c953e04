"""National Insurance numbers; source: HMRC, NIM39110 "Format of a NINO"."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.numbers.code_cues import Cue
from nlp_redaction.recognisers.numbers.codes import find_codes, find_cue

_GAP: Final = r"[ ./-]{0,2}"
_NUMBER: Final = re.compile(
    rf"(?<![^\W_])([a-z]{{2}}){_GAP}[\do]{{2}}{_GAP}[\do]{{2}}{_GAP}[\do]{{2}}(?:{_GAP}([a-df-mp]))?(?![^\W_])",
    re.IGNORECASE,
)
# Temporary numbers: TN, the date of birth and the sex.
_TEMPORARY: Final = re.compile(
    rf"(?<![^\W_])TN{_GAP}\d\d{_GAP}\d\d{_GAP}\d\d{_GAP}[MF](?![^\W_])", re.IGNORECASE
)
_FIRST: Final = frozenset("ABCEGHJKLMNOPRSTWXYZ")
_SECOND: Final = frozenset("ABCEGHJKLMNPRSTWXYZ")
_NEVER_ISSUED: Final = frozenset({"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"})
_SPECIMEN: Final = "QQ"


class NationalInsuranceRecogniser(Recogniser):
    """Finds NI numbers by their form, and unissued or short ones by their cue."""

    labels: ClassVar = (Label.ID,)
    needs_digit: ClassVar = True

    def find(self, document: Document) -> Iterator[Span]:
        """Yield National Insurance numbers."""
        for match in _find_all(document, _NUMBER):
            prefix, suffix = match.group(1), match.group(2)
            if suffix and _is_issued(prefix) and prefix.isupper() == suffix.isupper():
                yield self._make(match, 0.85, "form of a National Insurance number")
            elif _is_announced(document, match.start()):
                yield self._make(
                    match, 0.9, "after the cue of a National Insurance number"
                )
        for match in _find_all(document, _TEMPORARY):
            if _is_announced(document, match.start()):
                yield self._make(match, 0.9, "temporary National Insurance number")

    def _make(self, match: re.Match[str], score: float, reason: str) -> Span:
        return self.span(*match.span(), Label.ID, score, reason)


def _find_all(document: Document, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Match at the two letters that begin a code or stand before it."""
    for code in find_codes(document):
        token = code.token if code.text[0].isalpha() else code.token - 1
        if token >= 0 and len(document.words[token]) == 2:  # noqa: PLR2004 - every prefix has two letters
            match = pattern.match(document.plain, document.starts[token])
            if match:
                yield match


def _is_issued(prefix: str) -> bool:
    """Tell whether a prefix may be issued, or is the one of specimens."""
    letters = prefix.upper()
    if letters == _SPECIMEN:
        return True
    return (
        letters[0] in _FIRST and letters[1] in _SECOND and letters not in _NEVER_ISSUED
    )


def _is_announced(document: Document, start: int) -> bool:
    return find_cue(document, document.token_at(start))[0] is Cue.NATIONAL_INSURANCE
