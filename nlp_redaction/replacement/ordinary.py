"""Tells ordinary words, which give nobody away, from others."""

import re
from functools import cache
from typing import Final

from nlp_redaction.lexicons import read_lexicon

_WORD: Final = re.compile(r"[^\W_]+")
_LETTERS: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


@cache
def list_ordinary_words() -> frozenset[str]:
    """Return the words of clinical prose, of kinds of places, of the calendar."""
    return (
        read_lexicon("clinical_words")
        | read_lexicon("common_word_names")
        | read_lexicon("kinds_of_places")
        | read_lexicon("calendar_words")
        | read_lexicon("words_of_reach")
    )


def is_ordinary(text: str) -> bool:
    """Tell whether every word of a text, in lower case, is an ordinary one."""
    words = list_ordinary_words()
    return all(word in words for word in _WORD.findall(text))


def is_only_date(text: str) -> bool:
    """Tell whether nothing but digits, signs and words of the calendar is there."""
    letters = _LETTERS.findall(text.casefold().replace("\u2019", "'"))
    return read_lexicon("calendar_words").issuperset(letters)
