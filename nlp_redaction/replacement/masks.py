"""Masks: the layout of what was written, without what was written."""

from typing import Final

_LETTER: Final = "X"
_DIGIT: Final = "0"
_PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def mask(written: str) -> str:
    """Write X for every letter, 0 for every digit; spaces and plain signs stay.

    Anything else, accents and pictures too, becomes an X, so that the length stays.
    """
    return "".join(map(_mask_sign, written))


def _mask_sign(sign: str) -> str:
    if sign.isspace() or sign in _PUNCTUATION:
        return sign
    return _DIGIT if sign.isdigit() else _LETTER
