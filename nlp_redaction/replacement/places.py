"""Other names for places, addresses and organisations, invented from syllables."""

import re
from functools import cache
from typing import Final

from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.replacement.keyed_choice import (
    Draws,
    canonical_word,
    fill_layout,
    match_case,
)

_WORD: Final = re.compile(
    "[^\\W\\d_](?:[^\\W\\d_]|[\u0300-\u036f]|['\u2019-](?=[^\\W\\d_]))*"
)
_NUMBER: Final = re.compile(r"\d+|(?<=\d)[^\W\d_](?![^\W_])")
"""Digits, or the letter of "12b"."""
_LETTERS_OF_HOUSES: Final = "abcdefgh"
_GAP_BETWEEN_NAMES: Final = re.compile(r"[ .&'\u2019-]*")


@cache
def list_places() -> tuple[str, ...]:
    """Return invented names of places, none of which is a town that we know of."""
    known = read_lexicon("places")
    endings = sorted(read_lexicon("place_endings"))
    beginnings = sorted(read_lexicon("place_beginnings"))
    names = (first + second for first in beginnings for second in endings)
    return tuple(name.capitalize() for name in names if name not in known)


class PlaceSurrogates:
    """The surrogates for places, addresses and organisations around one patient."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def replace(self, written: str) -> str:
        """Return the text with invented names and other numbers.

        What kind of place it is stays ("Royal ... Hospital"); every run of other words
        becomes one invented name.
        """
        pieces: list[str] = []
        done = 0
        for start, end in _list_proper(written):
            name = self._choose(written[start:end])
            pieces += [self._replace_numbers(written[done:start]), name]
            done = end
        pieces.append(self._replace_numbers(written[done:]))
        return "".join(pieces)

    def _choose(self, written: str) -> str:
        canonical = canonical_word(written)
        draws = Draws(self._key, "place", canonical)
        return match_case(written, draws.choose_other(list_places(), canonical))

    def _replace_numbers(self, written: str) -> str:
        return _NUMBER.sub(lambda match: self._draw_number(match.group()), written)

    def _draw_number(self, digits: str) -> str:
        draws = Draws(self._key, "house", digits)
        if not digits[0].isdigit():
            letter = draws.choose_other(_LETTERS_OF_HOUSES, digits.casefold())
            return letter.upper() if digits.isupper() else letter
        drawn = str(1 + draws.below(9)) + draws.digits(len(digits) - 1)
        if drawn == digits:
            drawn = str(int(drawn[0]) % 9 + 1) + drawn[1:]
        return fill_layout(digits, drawn)


def _list_proper(written: str) -> list[tuple[int, int]]:
    """Return the runs of words that are no types of places."""
    kinds = read_lexicon("kinds_of_places")
    runs: list[tuple[int, int]] = []
    for match in _WORD.finditer(written):
        start, end = match.span()
        is_letter_of_house = _NUMBER.fullmatch(written, start, end)
        if is_letter_of_house or match.group().casefold() in kinds:
            continue
        if runs and _GAP_BETWEEN_NAMES.fullmatch(written, runs[-1][1], start):
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs
