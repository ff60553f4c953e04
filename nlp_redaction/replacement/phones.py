"""Telephone numbers that ring nowhere, of the same kind as those that do.

All come from the ranges that Ofcom keeps free for drama ("Telephone numbers for use in
TV and radio drama programmes").
"""

import re
from typing import Final

from nlp_redaction.document.text import make_plain
from nlp_redaction.replacement.keyed_choice import Draws, fill_layout

_FREE_BY_START: Final = (
    ("7", "7700900"),
    ("8", "8081570"),
    ("9", "9098790"),
    ("3", "3069990"),
)
_FREE_BY_AREA: Final = (
    (re.compile("2"), ("2079460", "2896496", "2920180")),
    (
        re.compile("11|1.1"),
        tuple(f"{area}4960" for area in (113, 114, 115, 116, 117, 118, 121, 131, 141)),
    ),
    (re.compile(""), ("1632960",)),
)
_LOCAL: Final = {6: "960", 7: "4960", 8: "79460"}
_NATIONAL_LENGTH: Final = 10
_SHORTEST_NUMBER: Final = 6
_NUMBER: Final = re.compile(r"[+(]{0,2}\d(?:[\d ().\-]*\d)?")
_COUNTRY: Final = re.compile(r"(?:\+|00)\s?44\s?(?:\(0\))?\s?|\+44")
_FOREIGN: Final = re.compile(r"(?:\+|00)\s?(?!44)[1-9]")


class PhoneSurrogates:
    """The surrogates for telephone numbers around one patient."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def replace(self, written: str) -> str:
        """Replace every number, extension and bleep; keep words and layout."""
        return _NUMBER.sub(
            lambda match: self._replace_number(match.group()), make_plain(written)
        )

    def _replace_number(self, number: str) -> str:
        digits = "".join(filter(str.isdigit, number))
        if len(digits) < _SHORTEST_NUMBER:
            return self._replace_short(number, digits)
        if _FOREIGN.match(number):
            return "+44 1632 " + self._finish("960", _SHORTEST_NUMBER, digits)
        country = _COUNTRY.match(number)
        written = country.group() if country else ""
        layout = number[len(written) :]
        head = re.sub("^00 ?", "+", written)
        if country:
            digits = digits[digits.index("44") + 2 :]
        national = digits.removeprefix("0")
        if len(digits) == len(national) < _NATIONAL_LENGTH and not country:
            local = _LOCAL.get(len(digits), "163296")
            return fill_layout(number, self._finish(local, len(digits), digits))
        zero = "0" if layout.lstrip("(").startswith("0") else ""
        free = self._choose_range(national)
        return head + fill_layout(
            layout, zero + self._finish(free, _NATIONAL_LENGTH, national)
        )

    def _replace_short(self, number: str, digits: str) -> str:
        draws = Draws(self._key, "extension", digits)
        drawn = str(1 + draws.below(9)) + draws.digits(len(digits) - 1)
        if drawn == digits:
            drawn = str(int(drawn[0]) % 9 + 1) + drawn[1:]
        return fill_layout(number, drawn)

    def _choose_range(self, national: str) -> str:
        for start, free in _FREE_BY_START:
            if national.startswith(start):
                return free
        ranges = next(free for area, free in _FREE_BY_AREA if area.match(national))
        # Never the area itself: it says where somebody lives.
        others = [free for free in ranges if not national.startswith(free[:3])]
        return Draws(self._key, "area", national).choose(others or ranges)

    def _finish(self, free: str, length: int, canonical: str) -> str:
        """Add drawn digits to the head of a free range, and never give the original."""
        draws = Draws(self._key, "phone", canonical)
        drawn = (free + draws.digits(max(length - len(free), 1)))[:length]
        if drawn == canonical:
            drawn = drawn[:-1] + str((int(drawn[-1]) + 1) % 10)
        return drawn
