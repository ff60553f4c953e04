"""Towns, counties and cities abroad; countries are no identifiers."""

from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon, word_set
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    BRANDS,
    KEPT_CAPITALS,
    KIN,
    NAMES,
    ORDINARY,
    ROLES,
    WORD_NAMES,
)
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.names.reading import is_titled

_SHORT: Final = 3
_PAIR: Final = 2
_ENTRIES: Final = frozenset(
    entry.replace("-", " ").replace("'", " ' ")
    for name in ("places", "places_more")
    for entry in read_lexicon(name)
)
_SINGLE: Final = frozenset(entry for entry in _ENTRIES if " " not in entry)
_OTHERWISE: Final = ORDINARY | KEPT_CAPITALS | BRANDS | ROLES | KIN | ABBREVIATIONS
SURE_PLACES: Final = frozenset(
    place for place in _SINGLE - _OTHERWISE if len(place) > _SHORT
)
"""Places of one word that are nothing else, unless a person is called like them."""

_DOUBTFUL: Final = (_SINGLE & (ORDINARY | WORD_NAMES)) - KEPT_CAPITALS - BRANDS
_BEFORE_PLACE: Final = word_set("in at from near to of via outside around for")
_SIGN_WORDS: Final = frozenset({"'", "-"})
_WHOLE: Final = 0.75
_SINGLE_SCORE: Final = 0.7
_NAMESAKE: Final = 0.55
_LOWER: Final = 0.55
_HINT: Final = 0.35
_SURE_LOWER_LENGTH: Final = 6


def _index_phrases() -> dict[str, list[tuple[str, ...]]]:
    phrases: dict[str, list[tuple[str, ...]]] = {}
    for entry in _ENTRIES - _SINGLE:
        words = tuple(entry.split())
        if not all(word in ORDINARY for word in words) or len(words) > _PAIR:
            phrases.setdefault(words[0], []).append(words)
    for listed in phrases.values():
        listed.sort(key=len, reverse=True)
    return phrases


_PHRASES: Final = _index_phrases()


class PlaceName(Recogniser):
    """Towns and counties of the gazetteer, and well-known cities abroad."""

    labels = (Label.LOCATION,)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield places of several words and of one; hints for words and namesakes."""
        for at, word in enumerate(document.folded):
            if word in _PHRASES and (end := _match(document, at)):
                yield self._make(document, at, end, _WHOLE, "a place of several words")
            elif word in SURE_PLACES:
                yield self._make(document, at, at + 1, _score(document, at), "a place")
            elif (
                word in _DOUBTFUL
                and at
                and is_titled(document.words[at])
                and document.folded[at - 1] in _BEFORE_PLACE
            ):
                yield self._make(document, at, at + 1, _HINT, "a word and a place")

    def _make(
        self, document: Document, at: int, end: int, score: float, reason: str
    ) -> Span:
        return self.span(
            document.starts[at], document.ends[end - 1], Label.LOCATION, score, reason
        )


def _score(document: Document, at: int) -> float:
    word = document.words[at]
    if word.islower():
        is_sure = len(word) >= _SURE_LOWER_LENGTH and word not in NAMES
        return _LOWER if is_sure else _HINT
    return _NAMESAKE if document.folded[at] in NAMES else _SINGLE_SCORE


def _match(document: Document, at: int) -> int:
    """Return the index behind the longest entry that begins here; 0 if none does.

    Hyphens between its words are optional. Small letters count only where a word of it
    is no ordinary one.
    """
    folded = document.folded
    for phrase in _PHRASES[folded[at]]:
        end = at
        for word in phrase:
            if (
                end > at
                and end < len(folded)
                and folded[end] in _SIGN_WORDS
                and word != "'"
            ):
                end += 1
            if end >= len(folded) or folded[end] != word:
                break
            end += 1
        else:
            written = document.words[at:end]
            if written[0][0].isupper() or any(
                word not in ORDINARY and word.isalpha() and len(word) > _SHORT
                for word in phrase
            ):
                return end
    return 0
