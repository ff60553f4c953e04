"""What a word looks like and which lists know it: seventeen classes for the models.

The encoder's vocabulary is uncased, so the case of a word reaches it only through
this class, together with whether the lists know the word as medicine, as a name, as
both or not at all.
"""

from functools import cache
from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon

NO_LETTERS: Final = 0
CLASS_COUNT: Final = 17
_CASES: Final = 4
_LONG_PLACE_WORD: Final = 4


def _read_names() -> frozenset[str]:
    """Words of names and places: single entries, and the words of longer ones."""
    places = {
        word
        for place in read_lexicon("places")
        for word in place.replace("-", " ").split()
        if len(word) >= _LONG_PLACE_WORD
    }
    return read_lexicon("forenames") | read_lexicon("surnames") | frozenset(places)


@cache
def _read_lists() -> tuple[frozenset[str], frozenset[str]]:
    """Clinical words, and words of names; what is asked of them is not kept."""
    return read_lexicon("clinical_words"), _read_names()


def _classify_lexically(word: str) -> int:
    """0 a clinical word, 1 a name, 2 both, 3 neither."""
    clinical, names = _read_lists()
    is_clinical, is_name = word in clinical, word in names
    if is_clinical:
        return 2 if is_name else 0
    return 1 if is_name else 3


def _classify_case(word: str) -> int:
    """0 lower, 1 capitalised (or one capital), 2 capitals, 3 mixed."""
    if word.islower():
        return 0
    if word[0].isupper() and (len(word) == 1 or word[1:].islower()):
        return 1
    return 2 if word.isupper() else 3


@cache
def _read_clinical_classes() -> dict[str, int]:
    """The classes of clinical words in lower case: most words of a note, looked up."""
    clinical, names = _read_lists()
    return {word: 3 if word in names else 1 for word in clinical}


def classify_word(word: str) -> int:
    """Return the class of one token, from 0 to ``CLASS_COUNT - 1``."""
    known = _read_clinical_classes().get(word)
    if known is not None:
        return known
    if not word[0].isalpha():
        return NO_LETTERS
    return 1 + _CASES * _classify_case(word) + _classify_lexically(word.lower())


def classify_words(document: Document) -> list[int]:
    """Return the class of every token of a document."""
    return [classify_word(word) for word in document.words]
