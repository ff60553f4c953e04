"""Bleep and pager numbers, announced or beside the name of a post."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import word_set
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.numbers.code_cues import Cue
from nlp_redaction.recognisers.numbers.codes import (
    Code,
    find_codes,
    is_followed_by_unit,
)

_ANNOUNCED: Final = re.compile(r"[\dOolI]{2,5}[A-Z]?")
_BARE: Final = re.compile(r"\d{4}[A-Z]?")
_EMERGENCY: Final = frozenset({"101", "111", "112", "119", "911", "999", "2222"})
_MENTIONS: Final = ("bleep", "on call", "on-call", "oncall")
_ROLES: Final = word_set(
    "sho spr reg registrar anaes anaesthetics anaesthetist surg surgical ortho orthopaedics med medics ccot odp paeds "
    "obs gynae outreach porter porters fy1 fy2"
)
_BETWEEN_PLACES: Final = frozenset("/;,")
_LOOK: Final = 2


class BleepRecogniser(Recogniser):
    """Finds bleep numbers by their cue, and by the post where a note tells of bleeps."""

    labels: ClassVar = (Label.ID,)
    needs_digit: ClassVar = True

    def find(self, document: Document) -> Iterator[Span]:
        """Yield bleep numbers."""
        mentioned: bool | None = None
        for code in find_codes(document):
            if code.text in _EMERGENCY or is_followed_by_unit(document, code.end):
                continue
            if code.cue is Cue.BLEEP and _ANNOUNCED.fullmatch(code.text):
                yield self.span(
                    code.start, code.end, Label.ID, 0.85, "after the word bleep"
                )
            elif _BARE.fullmatch(code.text) and _is_beside_post(document, code):
                if mentioned is None:
                    mentioned = any(word in document.lower for word in _MENTIONS)
                if mentioned:
                    yield self.span(
                        code.start,
                        code.end,
                        Label.ID,
                        0.55,
                        "beside a post in a note of bleeps",
                    )


def _is_beside_post(document: Document, code: Code) -> bool:
    """Tell whether a post stands before the number, or after one that is no time."""
    folded, at = document.folded, code.token
    for before in range(at - 1, max(-1, at - 2 - _LOOK), -1):
        if (
            not folded[before].isalpha()
            or "\n" in document.plain[document.ends[before] : code.start]
        ):
            break
        if folded[before] in _ROLES:
            return True
    if not at or not (folded[at - 1] in _BETWEEN_PLACES or folded[at - 1].isdigit()):
        return False
    after = [word for word in folded[at + 1 : at + 2 + _LOOK] if word != "("]
    return bool(after) and not _ROLES.isdisjoint(after[:1])
