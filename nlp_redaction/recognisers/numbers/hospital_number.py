"""Numbers that a hospital, community service or practice gives its patients."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.numbers.code_cues import Cue
from nlp_redaction.recognisers.numbers.codes import (
    Code,
    count_digits,
    extend_code,
    find_codes,
    is_followed_by_unit,
)
from nlp_redaction.settings import Settings

# One to three letters of the site and six to eight digits, a check letter at times.
_SITE_FORM: Final = re.compile(r"[A-Z]{1,3}-?\d{6,8}[A-Z]?")
# A cell of a table that holds only a number in two groups, "4390 118".
_CELL: Final = re.compile(r"(?<=[\t|]) ?(\d{3,5} \d{3,4}(?:/\d)?) ?(?=[\t|\n])")
_PEOPLE: Final = frozenset({"pt", "patient", "client", "subject", "participant"})
_VALUE_AFTER_CUE: Final = (
    r")\b[ :.#=(-]{0,4}(?:(?:no|number|num|id|is)\b[ :.#=(-]{0,4}){0,2}"
    r"([^\W_]*\d[^\W_]*(?:[-/. ]\d[^\W_]*){0,3})"
)


class HospitalNumberRecogniser(Recogniser):
    """Finds hospital numbers by cue, by the common form, and as the site defines them."""

    labels: ClassVar = (Label.ID,)
    needs_digit: ClassVar = True

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        chosen = settings or Settings()
        self._patterns = [re.compile(p) for p in chosen.hospital_number_patterns]
        cues = "|".join(re.escape(cue.lower()) for cue in chosen.hospital_number_cues)
        self._cues = (
            re.compile(rf"(?<![^\W_])(?:{cues}{_VALUE_AFTER_CUE}") if cues else None
        )

    def find(self, document: Document) -> Iterator[Span]:
        """Yield hospital numbers."""
        for code in find_codes(document):
            end = extend_code(document, code) if code.cue is Cue.HOSPITAL else code.end
            if code.cue is Cue.HOSPITAL and _is_number(document, code, end):
                yield self._make(code.start, end, 0.9, "after a hospital number's cue")
            elif code.cue is not Cue.NEVER and _SITE_FORM.fullmatch(code.text):
                yield self._make(
                    code.start, code.end, 0.7, "letters of a site and a long number"
                )
        if "\t" in document.text or "|" in document.text:
            for cell in _CELL.finditer(document.text):
                yield self._make(*cell.span(1), 0.6, "cell with nothing but a number")
        yield from self._find_own(document)

    def _find_own(self, document: Document) -> Iterator[Span]:
        """Yield what the settings of the site describe."""
        for pattern in self._patterns:
            for match in pattern.finditer(document.plain):
                if match.end() > match.start():
                    yield self._make(*match.span(), 0.95, "the site's own form")
        if self._cues:
            for match in self._cues.finditer(document.lower):
                yield self._make(*match.span(1), 0.9, "after the site's own cue")

    def _make(self, start: int, end: int, score: float, reason: str) -> Span:
        return self.span(start, end, Label.ID, score, reason)


def _is_number(document: Document, code: Code, end: int) -> bool:
    if code.is_date or code.is_measure or is_followed_by_unit(document, end):
        return False
    digits = count_digits(document.plain[code.start : end])
    if code.far or (
        code.cue_token == code.token - 1 and document.folded[code.cue_token] in _PEOPLE
    ):
        return digits >= 5  # noqa: PLR2004 - a shorter one behind another word is a count
    return digits >= 4 or (code.has_letter and digits >= 3)  # noqa: PLR2004 - ward and bed numbers are shorter
