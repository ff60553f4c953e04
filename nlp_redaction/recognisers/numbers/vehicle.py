"""Vehicle registrations; source: DVLA, INF104 "Vehicle registration numbers"."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.numbers.code_cues import Cue
from nlp_redaction.recognisers.numbers.codes import find_codes

# Area (no I, Q, Z first), half-year of issue (02-29, 51-79), three letters (no I, Q).
_CURRENT: Final = re.compile(
    r"(?<![^\W_])[A-HJ-PR-Y]{2}(?:0[2-9]|[12]\d|5[1-9]|[67]\d) ?[A-HJ-PR-Z]{3}(?![^\W_])"
)
# After a cue: the older forms, those of Northern Ireland, fleet numbers and parts.
_WITH_CUE: Final = re.compile(
    r"(?:[A-Z]{2}\d\d ?[A-Z]{1,3}|[A-Z]\d{1,3} ?[A-Z]{3}|[A-Z]{1,3} ?\d{1,4}(?: ?[A-Z]{1,3})?|\d{1,4} ?[A-Z]{1,3}"
    r"|[a-z]{2}\d\d ?[a-z]{3}|[a-z]\d{1,3} ?[a-z]{3})(?![^\W_])"
)


class VehicleRecogniser(Recogniser):
    """Finds number plates: the current form anywhere, the others after a cue."""

    labels: ClassVar = (Label.ID,)
    needs_digit: ClassVar = True

    def find(self, document: Document) -> Iterator[Span]:
        """Yield registrations and the call signs of ambulances."""
        plain = document.plain
        for code in find_codes(document):
            current = _CURRENT.match(plain, code.start)
            if current:
                yield self.span(
                    *current.span(), Label.ID, 0.75, "current form of a registration"
                )
            elif code.cue is Cue.VEHICLE and not (code.is_measure or code.is_date):
                plate = _WITH_CUE.match(plain, code.start)
                if plate and _is_plate(plate.group()):
                    yield self.span(
                        *plate.span(), Label.ID, 0.75, "after the cue of a vehicle"
                    )


def _is_plate(text: str) -> bool:
    return len(text) > 3  # noqa: PLR2004 - "A12" is a ward or a road
