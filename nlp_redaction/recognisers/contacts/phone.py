"""Telephone numbers as the United Kingdom writes, mistypes, scans and says them."""

import re
from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser

# What OCR makes of 0 and 1 counts as a digit. The first three stand together, which in
# no date they do (01-02-2019), and the second is one that Ofcom's plan knows.
_GAP: Final = r"[ .()\-]{0,3}"
_NATIONAL: Final = (
    r"[0O](?<![\w/]\w)(?<!\d[.\-]\w)(?:[12378Il]|5[056])[0-9OoIl]"
    rf"(?:{_GAP}[0-9OoIl]){{7,8}}(?![0-9])"
)
_AFTER_WORD: Final = (
    r"0(?<=(?:tel|mob|one|ome|ile|ber)0)[12378]\d(?:[ \-]{0,2}\d){7,8}(?!\d)"
)
_ABROAD: Final = r"(?:\+|00(?<!\w..)(?=[1-9]))(?:[ .()\-]{0,3}\d){9,14}(?!\d)"
_CUT_OFF: Final = r"07(?<!\w..)\d{3}[ \-]\d{3}(?:[ \-]?\d{1,2})?(?![\d/])"
_NUMBER: Final = re.compile(
    f"(?=[0O+])(?:{_NATIONAL}|{_AFTER_WORD}|{_ABROAD}|{_CUT_OFF})"
)
_TAIL: Final = re.compile(
    r",? {0,2}\(?(?:(?:extension|extn?|x)\b[.:]?|#|x(?=\d)) ?\d{1,6}(?!\d)"
    r"|(?: ?/ ?\d{2,6}(?![\d/]))+",
    re.IGNORECASE,
)
_SHORT: Final = re.compile(
    r"\d{3,6}(?![\w/%]|[.:,-]\d| ?(?:m[cg]|m?mm?|ml|units?|times|x)\b)"
)
_LOCAL: Final = re.compile(
    r"[1-9]\d{2}[ \-]\d{3,4}(?:[ \-]\d{3,4})?(?!\w|[./:]\d)|[1-9]\d{3,9}(?!\w|[./:]\d)"
)
_EXTENSION_CUES: Final = frozenset(
    ("ext", "extn", "exts", "extension", "extensions", "dect", "dial", "switchboard")
)
_LOCAL_CUES: Final = frozenset(
    (
        *("tel", "tele", "telephone", "phone", "phoned", "ph", "ring", "rang", "call"),
        *("mob", "mobile", "fax", "landline", "te", "telephoning", "ringing", "tels"),
    )
)
_BETWEEN: Final = frozenset(
    (
        *(
            ".",
            ":",
            "(",
            ")",
            "-",
            "=",
            "no",
            "number",
            "num",
            "me",
            "us",
            "him",
            "her",
        ),
        *("them", "is", "on", "back", "home", "work", "ward", "at", "h", "m", "w"),
    )
)
_EMERGENCY: Final = frozenset({"999", "111", "101", "112", "2222", "116123", "222"})
_REACH: Final = 4
_TIME_DIGITS: Final = 4
_LAST_HOUR: Final = 24

_SPOKEN_SIGNS: Final = ("oh ", "double ", "treble ", "triple ", "zero ", "nought ")
_SPOKEN_WORD: Final = (
    r"(?:oh|o|zero|nought|one|two|three|four|five|six|seven|eight|nine|double|treble"
    r"|triple|hundred|thousand|\d{1,6})"
)
_SPOKEN: Final = re.compile(
    rf"(?<![a-z0-9]){_SPOKEN_WORD}(?:[ ,\-]{{1,2}}{_SPOKEN_WORD}){{2,}}(?![a-z0-9])"
)
_SAID: Final = {"double": 1, "treble": 2, "triple": 2, "hundred": 2, "thousand": 3}
_MULTIPLIED: Final = re.compile(r"\b(?:double|treble|triple) [a-z\d]")
_FIRST_SAID: Final = ("oh ", "o ", "zero ", "nought ", "double ")
_FEW_SAID: Final = 4
_MANY_SAID: Final = 7


def count_spoken_digits(said: str) -> int:
    """Count the digits that a run of spoken number words stands for."""
    return sum(
        len(word) if word.isdigit() else _SAID.get(word, 1)
        for word in re.split(r"[ ,\-]+", said)
        if word
    )


def is_time(digits: str) -> bool:
    """Tell whether four digits can be a time of day, as nurses write it."""
    return (
        len(digits) == _TIME_DIGITS
        and int(digits[:2]) <= _LAST_HOUR
        and digits[2] in "012345"
    )


class PhoneRecogniser(Recogniser):
    """Finds whole numbers, extensions after their cue, and numbers spoken in words.

    Short codes (999, 111, 2222) are no identifiers. An NHS number never begins with 0
    or +, so its groups of 3-3-4 cannot be taken for a telephone number here.
    """

    labels = (Label.PHONE,)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield every number, with the extension that belongs to it."""
        yield from self._find_spoken(document)
        if not document.has_digit:
            return
        plain, tails = document.plain, set[int]()
        for found in _NUMBER.finditer(plain):
            tail = _TAIL.match(plain, found.end())
            end = tail.end() if tail else found.end()
            bracketed = ")" in found.group() and plain[found.start() - 1] == "("
            start = found.start() - bracketed
            tails.add(end)
            yield self.span(start, end, Label.PHONE, 0.95, "UK numbering plan")
        for short in self._find_short(document):
            if short.end not in tails:
                yield short

    def _find_short(self, document: Document) -> Iterator[Span]:
        """Yield extensions and local numbers, which only their cue gives away."""
        shortest = 3
        for index, word in enumerate(document.words):
            if word.isdigit() and len(word) >= shortest:
                found = self._read_short(document, index)
                if found:
                    yield found

    def _read_short(self, document: Document, index: int) -> Span | None:
        start, folded = document.starts[index], document.folded
        before = index - 1
        while before >= max(0, index - _REACH) and folded[before] in _BETWEEN:
            before -= 1
        cue = folded[before] if before >= 0 else ""
        short = _SHORT.match(document.lower, start)
        if short and short.group() not in _EMERGENCY:
            if cue in _EXTENSION_CUES or self._has_ward_cross(document, index):
                return self.span(start, short.end(), Label.PHONE, 0.85, "extension")
            if cue == "use" and folded[before - 1 : before] == ["nil"]:
                return self.span(
                    start, short.end(), Label.PHONE, 0.6, "instead of bleep"
                )
        if cue not in _LOCAL_CUES:
            return None
        local = _LOCAL.match(document.lower, start)
        if not local or local.group() in _EMERGENCY or is_time(local.group()):
            return None
        return self.span(start, local.end(), Label.PHONE, 0.7, "after telephone")

    def _has_ward_cross(self, document: Document, index: int) -> bool:
        """Tell whether an x stands against the digits, as in ``x4127``."""
        words, starts = document.words, document.starts
        return (
            index > 0
            and words[index - 1] in ("x", "X")
            and document.ends[index - 1] == starts[index]
            and len(words[index]) >= _TIME_DIGITS
            and not words[index].endswith("00")
            and not (index > 1 and words[index - 2].isdigit())
        )

    def _find_spoken(self, document: Document) -> Iterator[Span]:
        """Yield runs of number words, as dictation and voice mail leave them."""
        lower = document.lower
        if not any(sign in lower for sign in _SPOKEN_SIGNS):
            return
        for found in _SPOKEN.finditer(lower):
            said = count_spoken_digits(found.group())
            long = said >= _MANY_SAID and found.group().startswith(_FIRST_SAID)
            if long or (said >= _FEW_SAID and _MULTIPLIED.search(found.group())):
                yield self.span(*found.span(), Label.PHONE, 0.7, "spoken digits")
