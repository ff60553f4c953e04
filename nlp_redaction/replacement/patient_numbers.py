"""Puts the project's pseudonym where a number of the row's own patient stands."""

from collections.abc import Mapping
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import make_plain
from nlp_redaction.replacement.names import is_one_error_away
from nlp_redaction.replacement.numbers import check_nhs_number

_MISTYPED_FROM: Final = 7
_KNOWN: Final = "known"
_NUMBERS: Final = frozenset({Label.NHS_NUMBER, Label.ID, Label.PHONE})


class PatientNumbers:
    """Knows the numbers of one patient in every written form."""

    def __init__(self, pseudonyms: Mapping[str, str]) -> None:
        self._pseudonyms = {
            canonical: pseudonym
            for number, pseudonym in pseudonyms.items()
            if (canonical := _canonicalise(number))
        }

    def find(self, span: Span, written: str) -> str | None:
        """Return the pseudonym of the number that a span covers; None when not theirs.

        A mistyped number counts as the patient's when the known identifiers say so, or
        when it is an NHS number that fails its check: no number that passes can be
        another's with one digit wrong, because the check finds all such errors.
        """
        if not self._pseudonyms or span.label not in _NUMBERS:
            return None
        canonical = _canonicalise(written)
        for form in (canonical, "".join(filter(str.isdigit, canonical))):
            if form in self._pseudonyms:
                return self._pseudonyms[form]
        return self._find_mistyped(span, canonical)

    def _find_mistyped(self, span: Span, canonical: str) -> str | None:
        said = _KNOWN in span.recogniser.lower() or span.label is Label.NHS_NUMBER
        if not said or check_nhs_number(canonical):
            return None
        near = [
            pseudonym
            for number, pseudonym in self._pseudonyms.items()
            if len(number) >= _MISTYPED_FROM and is_one_error_away(number, canonical)
        ]
        return near[0] if len(near) == 1 else None


def _canonicalise(number: str) -> str:
    return "".join(filter(str.isalnum, make_plain(number))).upper()
