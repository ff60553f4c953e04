"""Driving licence numbers; source: DVLA, "Driver number" (16 signs, 8 digits in NI)."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.numbers.codes import find_codes

# Surname, decade, month (5 added for women), day, year, initials, check signs, issue.
_DRIVER: Final = re.compile(
    r"(?<![^\W_])(?=[A-Z])[A-Z9]{5}[ -]?\d[0156]\d[0-3]\d{2}[ -]?[A-Z][A-Z9][ -]?[0-9A-Z]{0,1}[A-Z]{2}(?:[ -]?\d\d)?(?![^\W_])",
    re.IGNORECASE,
)
_FEWEST: Final = 6
_BEFORE: Final = 6
_BEHIND: Final = 12
_CUE: Final = re.compile(
    r"(?:driv(?:ing|er|ers|er's) |dvla |dva )(?:licen[cs]e|number|no\b)"
)
_NORTHERN_IRELAND: Final = re.compile(
    r"[^\w\n]{0,6}(?:(?:no|number|is|seen|ni)\b[^\w\n]{0,4}){0,3}(\d{4} ?\d{4})(?![^\W_])"
)


class DrivingLicenceRecogniser(Recogniser):
    """Finds driver numbers by their form, those of Northern Ireland by their cue."""

    labels: ClassVar = (Label.ID,)
    needs_digit: ClassVar = True

    def find(self, document: Document) -> Iterator[Span]:
        """Yield driving licence numbers."""
        for code in find_codes(document):
            if code.digits < _FEWEST:
                continue
            match = _DRIVER.search(
                document.plain, max(0, code.start - _BEFORE), code.end + _BEHIND
            )
            if match:
                yield self.span(
                    *match.span(), Label.ID, 0.95, "form of a driver number"
                )
        for cue in _CUE.finditer(document.lower):
            number = _NORTHERN_IRELAND.match(document.lower, cue.end())
            if number:
                yield self.span(
                    *number.span(1), Label.ID, 0.85, "after the words driving licence"
                )
