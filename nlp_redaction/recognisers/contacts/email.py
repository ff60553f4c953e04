"""E-mail addresses, also scanned, spoken and with spaces around the sign."""

import re
from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.recognisers.base import Recogniser

_AT: Final = re.compile(
    r" {0,2}(?:@| ?[\[({] ?(?:at|@) ?[\])}] ?) {0,2}", re.IGNORECASE
)
_LOCAL_PART: Final = re.compile(r"[^\W_][\w.+%'&/=-]{0,63}$")
_DOMAIN: Final = re.compile(
    r"[a-z0-9_][a-z0-9_-]*(?: ?(?:\.|[\[(]dot[\])]) ?[a-z0-9_-]+){0,7}", re.IGNORECASE
)
_DOMAIN_WITHOUT_SPACE: Final = re.compile(
    r"[a-z0-9_][a-z0-9_-]*(?:[.,][a-z0-9_-]+){0,7}", re.IGNORECASE
)
_SPOKEN: Final = re.compile(
    r"[a-z0-9][\w.+-]{0,63}(?: (?:dot|underscore|dash|hyphen) [a-z0-9]{1,40}){0,6}"
    r" (?:at|@) [a-z0-9-]{1,60}(?: dot [a-z0-9-]{1,40}){1,6}"
)
_PART: Final = re.compile(r"[a-z0-9_-]+$")
_LONGEST_LOCAL_PART: Final = 64
_SHORTEST_ENDING: Final = 2


class EmailRecogniser(Recogniser):
    """Finds e-mail addresses (RFC 5322's plain form) without asking any network."""

    labels = (Label.EMAIL,)

    def __init__(self) -> None:
        super().__init__()
        self._endings = read_lexicon("top_level_domains")

    def find(self, document: Document) -> Iterator[Span]:
        """Yield every address; an ``@`` without a domain behind it is only a hint."""
        plain, lower = document.plain, document.lower
        if "@" in plain or "at]" in lower or "at)" in lower or "at}" in lower:
            for sign in _AT.finditer(plain):
                found = self._read_around(document, sign)
                if found:
                    yield found
        if " dot " in lower:
            for found_spoken in _SPOKEN.finditer(lower):
                if self._ends_well(found_spoken.group()):
                    yield self.span(*found_spoken.span(), Label.EMAIL, 0.85, "spoken")

    def _ends_well(self, domain: str) -> bool:
        ending = _PART.search(domain.lower())
        return ending is not None and ending.group() in self._endings

    def _read_around(self, document: Document, sign: re.Match[str]) -> Span | None:
        plain = document.plain
        low = max(0, sign.start() - _LONGEST_LOCAL_PART)
        local = _LOCAL_PART.search(plain[low : sign.start()])
        if not local:
            return None
        start = low + local.start()
        if sign.group() == "@":
            return self._read_tight(plain, start, sign.end())
        domain = _DOMAIN.match(plain, sign.end())
        if not domain or "." not in domain.group():
            return None
        end = self._cut_after_ending(domain)
        if end is None:
            return None
        return self.span(start, end, Label.EMAIL, 0.85, "address with spaces")

    def _read_tight(self, plain: str, start: int, at: int) -> Span | None:
        """Read on behind an ``@`` that stands without spaces."""
        tight = _DOMAIN_WITHOUT_SPACE.match(plain, at)
        loose = _DOMAIN.match(plain, at)
        if not tight or not loose:
            return None
        end = self._cut_after_ending(loose) or tight.end()
        end = max(end, tight.end())
        ending = re.split(r"[.,]", plain[at : tight.end()])
        if len(ending) > 1 and len(ending[-1]) >= _SHORTEST_ENDING:
            return self.span(start, end, Label.EMAIL, 0.98, "address")
        if end > tight.end():
            return self.span(start, end, Label.EMAIL, 0.9, "address with spaces")
        return self.span(start, end, Label.EMAIL, 0.4, "address without a domain")

    def _cut_after_ending(self, domain: re.Match[str]) -> int | None:
        """Return the end of the last part that is a top-level domain.

        What follows a spaced full stop may be the next sentence.
        """
        for part in reversed(list(re.finditer(r"[\w-]+", domain.group()))):
            if part.group() in self._endings and part.start() > 0:
                return domain.start() + part.end()
        return None
