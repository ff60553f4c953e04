"""Choices that a patient's key makes: the same key and word, the same choice."""

import hmac
import unicodedata
from collections.abc import Sequence
from typing import Final, TypeVar

_Item = TypeVar("_Item")
_BYTES_A_DRAW: Final = 8
_SEPARATOR: Final = "\x1f"


class Draws:
    """An endless row of choices made by HMAC-SHA256 of a kind and a canonical form.

    Who has no key can neither repeat the choices nor tell what they were made for.
    """

    def __init__(self, key: bytes, kind: str, canonical: str) -> None:
        message = f"{kind}{_SEPARATOR}{canonical}{_SEPARATOR}"
        self._key = key
        self._message = message.encode("utf-8", "surrogatepass")
        self._block = 0
        self._left = b""

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``; the bias is under 2**-40."""
        if len(self._left) < _BYTES_A_DRAW:
            counter = self._block.to_bytes(4, "big")
            self._left = hmac.digest(self._key, self._message + counter, "sha256")
            self._block += 1
        taken, self._left = self._left[:_BYTES_A_DRAW], self._left[_BYTES_A_DRAW:]
        return int.from_bytes(taken, "big") % limit

    def choose(self, items: Sequence[_Item]) -> _Item:
        """Return one of the items."""
        return items[self.below(len(items))]

    def choose_other(self, items: Sequence[str], avoided: str) -> str:
        """Return one of the items that is not the avoided one, whatever its case."""
        first = self.below(len(items))
        for step in range(len(items)):
            item = items[(first + step) % len(items)]
            if item.casefold() != avoided:
                return item
        message = "There is nothing to choose but what is avoided."
        raise ValueError(message)

    def digits(self, count: int) -> str:
        """Return so many digits."""
        return "".join(str(self.below(10)) for _ in range(count))


def strip_marks(text: str) -> str:
    """Write letters without accents, so that é, e and a loose accent agree."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def canonical_word(text: str) -> str:
    """Return the letters and digits of a text, without case and accents."""
    return "".join(sign for sign in strip_marks(text) if sign.isalnum()).casefold()


def fill_layout(layout: str, digits: str) -> str:
    """Write digits into the places of a text's digits, keeping all other signs.

    Digits that find no place are added behind the last place; places that find no
    digit go.
    """
    places = [at for at, sign in enumerate(layout) if sign.isdigit()]
    if not places:
        return digits
    written = list(layout)
    for number, at in enumerate(places):
        written[at] = digits[number] if number < len(digits) else ""
    written[places[-1]] += digits[len(places) :]
    return "".join(written)


def match_case(written: str, replacement: str) -> str:
    """Write a replacement in capitals, lower case or as it is, like what was written."""
    if written.isupper() and len(written) > 1:
        return replacement.upper()
    return replacement.lower() if written.islower() else replacement
