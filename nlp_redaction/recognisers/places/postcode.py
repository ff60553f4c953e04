"""United Kingdom postcodes: whole, outward half alone, lower-case and scanned."""

import re
from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.recognisers.base import Recogniser

# Every pattern starts from a digit, which is rare, and looks back at the letters.
_START: Final = re.compile(r"[0-9](?<=[A-Za-z][0-9])")
_AREA: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,2}$")
_OUTWARD: Final = re.compile(
    r"(?:[0-9OIl]{1,2}|[0-9][A-HJKMNP-Ya-hjkmnp-y])(?![0-9A-Za-z])"
)
_INWARD: Final = re.compile(
    r"([0-9OIl]{1,2}|[0-9][A-HJKMNP-Ya-hjkmnp-y])( {0,3}|\n|-)([0-9OIl]) ?([A-Za-z]{2})"
    r"(?![0-9A-Za-z])"
)
_SECTOR: Final = re.compile(r" [0-9](?![\w/%]|[.:,-]\d| ?m[cgl]|( \d)?/)")
_SCANNED: Final = re.compile(r"[0-9I](?= ?[A-Z]{2}(?![A-Za-z0-9]))")
_SCANNED_OUTWARD: Final = re.compile(
    r"(?<![A-Za-z0-9])([A-Z]{1,2})(?=[0-9]?[lIO])[lIO0-9]{1,2} {1,2}$"
)
_SPECIAL: Final = re.compile(
    r"GIR ?0AA(?!\w)|BFPO (?:c/o )?\d{1,4}(?!\d)|[A-Z]{4} ?1ZZ(?!\w)"
)
_LOOKS_COUNTED: Final = re.compile(
    r"(?:st|nd|rd|th|hr|wk|yr|pt|gy|dy|mg|ml|pm|am|bd|wd)"
)
_NEVER_INWARD: Final = frozenset("cikmov")
_CUES: Final = frozenset(
    ("postcode", "postcodes", "postal", "code", "pc", "pcode", "zip")
)
_STREETS: Final = read_lexicon("street_words")
# Areas that are also units, grades, drugs or test names with a number behind them.
_CLINICAL: Final = frozenset(
    (
        *("ca", "cb", "cf", "ch", "cm", "co", "cr", "ct", "cv", "cw", "da", "dd", "dl"),
        *("e", "b", "g", "l", "m", "n", "s", "w", "en", "ex", "fk", "fy", "gl", "gu"),
        *("ha", "hd", "hg", "hp", "hr", "hs", "hu", "ig", "ip", "iv", "ka", "kt", "la"),
        *("ld", "ln", "me", "ml", "np", "pa", "pe", "ph", "po", "pr", "rm", "sa", "so"),
        *("sp", "sr", "ss", "st", "sn", "sm", "td", "tr", "ts", "ub", "wd", "ze", "ll"),
        *("ne", "al", "ab", "bd", "sl", "tn", "ta", "dg", "dh", "de", "br", "bh", "ol"),
        "dn",
    )
)
_MODELS: Final = frozenset({"60WF", "60AT", "6ATT"})  # of lenses: SN60WF
# Street words that say so in any case; the others only with a capital ("do not chase").
_ANY_CASE: Final = frozenset(
    (
        *("road", "rd", "street", "st", "lane", "avenue", "ave", "crescent", "gardens"),
        *("gdns", "terrace", "grove", "mews", "heol", "ffordd", "stryd"),
    )
)
_ORDINALS: Final = frozenset(("st", "rd"))
_REACH: Final = 7


# The only ordinals of one digit: "9ST" counts nothing, "1ST" does.
_ORDINAL_OF: Final = {"st": "1", "nd": "2", "rd": "3", "th": "0456789"}


def _is_counted(digit: str, letters: str) -> bool:
    """Tell whether "1ST", "4pt" or "2hr" may be a number of something."""
    lower = letters.lower()
    if lower in _ORDINAL_OF and letters.isupper():
        return digit in _ORDINAL_OF[lower]
    return _LOOKS_COUNTED.fullmatch(lower) is not None


class PostcodeRecogniser(Recogniser):
    """Finds postcodes by the 121 areas in use, their case and what stands before.

    An upper-case whole postcode stands alone. A lower-case one does when no unit or
    ordinal can be meant; an outward half needs an address, a town or a cue before it.
    """

    labels = (Label.POSTCODE,)

    def __init__(self) -> None:
        super().__init__()
        self._areas = read_lexicon("postcode_areas")
        self._places = read_lexicon("places")

    def find(self, document: Document) -> Iterator[Span]:
        """Yield every postcode or part of one."""
        plain = document.plain
        if "BFPO" in plain or "GIR" in plain or "1ZZ" in plain:
            for special in _SPECIAL.finditer(plain):
                yield self.span(*special.span(), Label.POSTCODE, 0.9, "special")
        ends = set[int]()
        if document.has_digit:
            for digit in _START.finditer(plain):
                for span in self._read(document, digit.start()):
                    ends.add(span.end)
                    yield span
        for span in self._find_scanned(document):
            if span.end not in ends:
                yield span

    def _read(self, document: Document, digit: int) -> Iterator[Span]:
        plain = document.plain
        area = _AREA.search(plain[max(0, digit - 3) : digit])
        if not area or area.group().lower() not in self._areas:
            return
        start = digit - len(area.group())
        whole = _INWARD.match(plain, digit)
        if whole:
            score = self._score_whole(document, start, area.group(), whole)
            if score:
                yield self.span(start, whole.end(), Label.POSTCODE, score, "whole")
                return
        outward = _OUTWARD.match(plain, digit)
        if outward:
            yield from self._read_outward(document, start, outward)

    def _score_whole(
        self, document: Document, start: int, area: str, whole: re.Match[str]
    ) -> float:
        """Say how sure a whole postcode is; 0 when it cannot be one."""
        gap, letters = whole.group(2), whole.group(4)
        counted = _is_counted(whole.group(3), letters)
        if whole.group() in _MODELS:
            return 0.0
        upper = area.isupper() and letters.isupper() and not counted
        if gap == "\n" and not (upper and len(area) > 1):
            return 0.0
        if not gap and (" " in whole.group() or len(area) == 1):
            upper = False
        if upper:
            return 0.95
        if self._has_context(document, start):
            return 0.85
        if counted or not _NEVER_INWARD.isdisjoint(letters.lower()):
            return 0.0
        same_case = area.isupper() == letters.isupper()
        return 0.6 if len(area) > 1 and same_case else 0.3

    def _read_outward(
        self, document: Document, start: int, outward: re.Match[str]
    ) -> Iterator[Span]:
        plain = document.plain
        end = outward.end()
        area = plain[start : outward.start()]
        if outward.group().startswith("0") or plain[end : end + 1] in ("/", "%"):
            return
        if self._has_context(document, start):
            sector = _SECTOR.match(plain, end)
            end = sector.end() if sector else end
            yield self.span(start, end, Label.POSTCODE, 0.75, "outward, address before")
        elif area.isupper() and self._ends_an_address(plain, start, end):
            yield self.span(start, end, Label.POSTCODE, 0.55, "outward, ends a line")
        elif area.isupper() and area.lower() not in _CLINICAL:
            yield self.span(start, end, Label.POSTCODE, 0.55, "outward, unlike a test")

    def _ends_an_address(self, plain: str, start: int, end: int) -> bool:
        """Tell whether it stands between a comma and the end of a line."""
        shortest = 4
        return (
            end - start == shortest
            and plain[max(0, start - 2) : start] == ", "
            and plain[end : end + 1] in ("", "\n", "\r")
        )

    def _has_context(self, document: Document, start: int) -> bool:
        """Tell whether a street, a town or the word postcode stands before."""
        folded = document.folded
        last = document.token_at(start) - 1
        if last < 0:
            return False
        words = [w for w in folded[max(0, last - _REACH) : last + 1] if w[0].isalnum()]
        if not words:
            return False
        if words[-1] in _CUES:
            return words[-1] != "code" or words[-2:-1] in (["post"], ["p"], ["postal"])
        if words[-1] in self._places or " ".join(words[-2:]) in self._places:
            return True
        return self._follows_street(document, start, last)

    def _follows_street(self, document: Document, start: int, last: int) -> bool:
        """Tell whether the same line names a street just before."""
        words, folded = document.words, document.folded
        for index in range(last, max(-1, last - _REACH), -1):
            word = folded[index]
            if word not in _STREETS or word == "cl":
                continue
            if word not in _ANY_CASE and not words[index].istitle():
                continue
            if word in _ORDINALS and index and words[index - 1].isdigit():
                continue
            after = document.ends[index]
            if document.plain[after : after + 1].isdigit():
                continue
            return "\n" not in document.plain[document.starts[index] : start]
        return False

    def _find_scanned(self, document: Document) -> Iterator[Span]:
        """Yield postcodes whose outward digits a scanner read as letters."""
        plain = document.plain
        for inward in _SCANNED.finditer(plain):
            low = max(0, inward.start() - 7)
            outward = _SCANNED_OUTWARD.search(plain[low : inward.start()])
            if outward and outward.group(1).lower() in self._areas:
                start, end = low + outward.start(), inward.end() + 2
                end += plain[inward.end()] == " "
                yield self.span(start, end, Label.POSTCODE, 0.6, "scanned")
