"""Registration numbers of doctors, nurses, dentists, pharmacists and others."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.numbers.code_cues import Cue
from nlp_redaction.recognisers.numbers.codes import (
    Code,
    find_codes,
    is_followed_by_unit,
)

# The Nursing and Midwifery Council's PIN: year, month letter, number, country.
_NURSE: Final = re.compile(r"\d\d[A-L]\d{3}[\dO][A-Z]", re.IGNORECASE)
# Titles protected by the Health and Care Professions Council, and Social Work England.
_WITH_PREFIX: Final = re.compile(
    r"(?:AS|BS|CH|CS|DT|HAD|ODP|OR|OT|PA|PH|PO|PYL|RA|SL|SW)\d{5,6}"
)
_GROUPS: Final = re.compile(r" \d{2,4}(?:\s\d{2,4})?(?![^\W_])")
_FEWEST: Final = 3


class ProfessionalNumberRecogniser(Recogniser):
    """Finds GMC, NMC, GDC, HCPC, GPhC and Social Work England numbers."""

    labels: ClassVar = (Label.ID,)
    needs_digit: ClassVar = True

    def find(self, document: Document) -> Iterator[Span]:
        """Yield registration numbers, with or without the register's name."""
        for code in find_codes(document):
            if code.cue is Cue.PROFESSIONAL and _is_number(document, code):
                end = _extend(document, code)
                yield self.span(
                    code.start, end, Label.ID, 0.9, "after the name of a register"
                )
            elif _NURSE.fullmatch(code.text) or _WITH_PREFIX.fullmatch(code.text):
                yield self.span(
                    code.start, code.end, Label.ID, 0.8, "form of a registration number"
                )


def _is_number(document: Document, code: Code) -> bool:
    enough = code.digits >= (_FEWEST if not code.far else 2 * _FEWEST)
    if not code.has_letter and is_followed_by_unit(document, code.end):
        return False
    return enough and not code.is_date


def _extend(document: Document, code: Code) -> int:
    """Follow a number written in groups, "603 3918", but not what comes after one."""
    if len(code.text) > _FEWEST + 1 or not code.text.isdigit():
        return code.end
    more = _GROUPS.match(document.plain, code.end)
    return more.end() if more else code.end
