"""User names: the word behind "user", and handles that can be nothing else."""

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.numbers.codes import find_codes

_CUE: Final = re.compile(
    r"(?:user ?name|user ?id|user|log-?[io]n(?: id)?|logged (?:in|on) as|alias|handle|screen ?name|nickname"
    r"|smartcard|exported by|printed by|entered by|authored by|run by)"
    r"(?: (?:no|id|name|is|was))?[ .:=#(]{0,3}['\"]?"
)
_HINTS: Final = (
    "user",
    "log",
    "alias",
    "handle",
    "name",
    "smartcard",
    "ed by",
    "run by",
)
_IN_BRACKETS: Final = re.compile(r"[a-z]{4,12}\d{2,3}")
_VALUE: Final = re.compile(r"[^\W_][\w.-]{1,29}[^\W_]|[^\W_]{2}")
# letters_letters12, which only computers and their users write.
_HANDLE: Final = re.compile(
    r"(?<![\w@./-])[^\W\d_]{2,15}_[^\W_]*_?[^\W_]*\d\d[^\W_]*(?![\w/@])"
)
_BY: Final = re.compile(r"(?:by|BY|By) ([^\W\d_]{4,15}\d{1,3})(?![\w-])")
_MEASURE: Final = re.compile(r"\d+(?:st|nd|rd|th|mg|ml|g|kg|%)?", re.IGNORECASE)


class LoginRecogniser(Recogniser):
    """Finds user names."""

    labels: ClassVar = (Label.ID,)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield user names after their cue, and unmistakable handles."""
        yield from self._find_announced(document)
        for start, end in _find_handles(document):
            yield self.span(start, end, Label.ID, 0.6, "form of a user name")

    def _find_announced(self, document: Document) -> Iterator[Span]:
        if not any(hint in document.lower for hint in _HINTS):
            return
        for cue in _CUE.finditer(document.lower):
            value = _VALUE.match(document.plain, cue.end())
            if value and _is_user_name(value.group()):
                yield self.span(
                    *value.span(), Label.ID, 0.85, "after the cue of a user name"
                )


def _find_handles(document: Document) -> Iterator[tuple[int, int]]:
    for match in _BY.finditer(document.plain):
        yield match.span(1)
    for code in find_codes(document):
        before = document.plain[code.start - 1 : code.start]
        if before == "(" and _IN_BRACKETS.fullmatch(code.text):
            yield code.start, code.end
    if "_" in document.plain:
        for match in _HANDLE.finditer(document.plain):
            if not match.group().isupper():  # as names of pictures and sequences are
                yield match.span()


def _is_user_name(word: str) -> bool:
    """Tell a user name from a word: letters with a digit or an underscore."""
    has_letter = any(map(str.isalpha, word))
    mixed = any(map(str.isdigit, word)) or "_" in word
    return has_letter and mixed and not _MEASURE.fullmatch(word)
