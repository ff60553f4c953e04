"""Numbers of the same shape that belong to nobody: NHS numbers, postcodes, other ids."""

import re
import string
from typing import Final

from nlp_redaction.document.text import make_plain
from nlp_redaction.replacement.keyed_choice import Draws, canonical_word, fill_layout

NHS_DIGITS: Final = 10
_TEST_RANGE: Final = "999"
_INVALID: Final = 10
_DIGITS: Final = re.compile(r"\d+")
_CODE_WORD: Final = re.compile(r"[^\W_]+(?:[-/.][^\W_]+)*")
_LONG_RUN: Final = 4
# Outward codes that Royal Mail has given to nobody, in areas that exist.
_FREE_OUTWARD: Final = tuple(
    f"{area}{district}"
    for area in ("BA", "BL", "CA", "CB", "EX", "HD", "HU", "HX", "LA", "LN", "SK", "WN")
    for district in (41, 43, 46, 47)
)
# Letters that an inward code never has.
_FREE_INWARD: Final = "CKMV"
_POSTCODE: Final = re.compile(
    r"\b([A-Z]{1,2}[0-9OI][0-9A-Z]?)([ -]*)([0-9OI][A-Z]{2})\b", re.IGNORECASE
)
_OUTWARD: Final = re.compile(r"\b([A-Z]{1,2}[0-9OI][0-9A-Z]?)()()\b", re.IGNORECASE)
_REGISTRATION: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z]{3}")
_INSURANCE: Final = re.compile(r"[A-Z]{2}[0-9]{6}[A-D]")


def check_nhs_number(digits: str) -> bool:
    """Tell whether ten digits pass the NHS check (modulus 11, NHS Data Dictionary)."""
    if len(digits) != NHS_DIGITS or not (digits.isascii() and digits.isdigit()):
        return False
    return _find_check_digit(digits[:9]) == int(digits[9])


def _find_check_digit(nine: str) -> int:
    total = sum(int(digit) * (10 - at) for at, digit in enumerate(nine))
    return (11 - total % 11) % 11


class NumberSurrogates:
    """The surrogates for numbers and codes around one patient."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def replace_nhs_number(self, written: str) -> str:
        """Return a number of the test range, valid, in the same layout."""
        plain = make_plain(written)
        digits = "".join(filter(str.isdigit, plain))
        draws = Draws(self._key, "nhs_number", digits)
        while True:
            nine = _TEST_RANGE + draws.digits(6)
            check = _find_check_digit(nine)
            if check < _INVALID and nine + str(check) != digits:
                return fill_layout(plain, nine + str(check))

    def replace_id(self, written: str) -> str:
        """Return a code of the same shape; digits become digits, letters letters."""
        plain = make_plain(written)
        canonical = canonical_word(plain).upper()
        if _INSURANCE.fullmatch(canonical):
            # No number begins with QQ (HM Revenue and Customs, NIM39110).
            return "QQ" + self._replace_code(plain)[2:]
        if _REGISTRATION.fullmatch(canonical):
            # No registration mark of this form has a Q at its end.
            return self._replace_code(plain)[:-1] + "Q"
        return _CODE_WORD.sub(lambda match: self._replace_code(match.group()), plain)

    def _replace_code(self, code: str) -> str:
        canonical = canonical_word(code)
        draws = Draws(self._key, "id", canonical)
        drawn = "".join(_draw_like(sign, draws) for sign in code)
        longest = max(_DIGITS.finditer(drawn), key=_length, default=None)
        if longest and _length(longest) >= _LONG_RUN:
            # Numbers are given out from below: those that begin with 99 are free.
            at = longest.start()
            drawn = drawn[:at] + "99" + drawn[at + 2 :]
        return drawn if canonical_word(drawn) != canonical else _turn(drawn)

    def replace_postcode(self, written: str) -> str:
        """Return a postcode that nobody has; an outward code alone stays alone."""
        plain = make_plain(written)
        match = _POSTCODE.search(plain) or _OUTWARD.search(plain)
        if not match:
            return self.replace_id(written)
        outward, gap, inward = match.groups()
        drawn = Draws(self._key, "outward", outward.upper()).choose(_FREE_OUTWARD)
        if inward:
            draws = Draws(self._key, "postcode", (outward + inward).upper())
            letters = draws.choose(_FREE_INWARD) + draws.choose(_FREE_INWARD)
            drawn += f"{gap}{draws.below(10)}{letters}"
        drawn = drawn.lower() if outward.islower() else drawn
        return (
            plain[: match.start()] + drawn + gap * (not inward) + plain[match.end() :]
        )


def _length(run: re.Match[str]) -> int:
    return len(run.group())


def _draw_like(sign: str, draws: Draws) -> str:
    if sign.isdigit():
        return draws.digits(1)
    if not sign.isalpha():
        return sign
    letter = draws.choose(string.ascii_uppercase)
    return letter.lower() if sign.islower() else letter


def _turn(drawn: str) -> str:
    """Change the last letter or digit, so that the code is another."""
    last = max(at for at, sign in enumerate(drawn) if sign.isalnum())
    follower = {"9": "8", "z": "y", "Z": "Y"}.get(drawn[last], "")
    return drawn[:last] + (follower or chr(ord(drawn[last]) + 1)) + drawn[last + 1 :]
