"""Passport numbers, by cue: nine digits, or two letters and seven digits."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser

_CUE: Final = re.compile(r"passports?\b")
# Other countries' numbers mix letters and digits; six signs are the fewest in use.
_NUMBER: Final = re.compile(
    r"[^\w\n]{0,6}(?:(?:no|nos|number|num|id|is|was|held|seen|copy|uk|british|irish|details)\b[^\w\n]{0,4}){0,4}"
    r"([A-Z]{0,2} ?\d[\dOoIl]{1,9}(?:[ -]\d{2,4}){0,3}[A-Z]?)(?![^\W_])",
    re.IGNORECASE,
)
_FEWEST: Final = 6


class PassportRecogniser(Recogniser):
    """Finds the number that follows the word passport."""

    labels: ClassVar = (Label.ID,)
    needs_digit: ClassVar = True

    def find(self, document: Document) -> Iterator[Span]:
        """Yield passport numbers."""
        for cue in _CUE.finditer(document.lower):
            number = _NUMBER.match(document.plain, cue.end())
            if number and sum(map(str.isdigit, number.group(1))) >= _FEWEST:
                yield self.span(
                    *number.span(1), Label.ID, 0.9, "after the word passport"
                )
