"""A name found once is found everywhere in the text."""

from collections.abc import Sequence
from typing import Final

from nlp_redaction.document.spans import Label, Span, Stretch
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    KEPT_CAPITALS,
    KIN,
    ORDINARY,
    ROLES,
    SURE_NAMES,
    is_known_otherwise,
)
from nlp_redaction.recognisers.names.reading import is_line_start

STRONG: Final = 0.7
"""The score from which a find is carried on."""

_SHORTEST: Final = 3
_SHORTEST_LOWER: Final = 4
_SHORTEST_PLACE: Final = 5
_NAMED: Final = frozenset({Label.NAME})
_PLACED: Final = frozenset({Label.LOCATION, Label.ORG})
_NO_NAMES: Final = ROLES | KIN | KEPT_CAPITALS
_STOPS: Final = frozenset('.!?:;*|>"')


Sources = tuple[dict[str, Span], dict[str, Span], dict[str, Span]]
"""Words to find anywhere, words to find with care, and words of places."""


def propagate(
    document: Document, spans: list[Span], protected: Sequence[Stretch]
) -> list[Span]:
    """Return the spans, and with them every other mention of what they found.

    A word of a name is carried on when it has three letters or more. One that is also
    an ordinary word counts only with a capital inside a sentence; protected words
    ("Paget's disease" beside "Mr Paget") not at all. Places and organisations are
    carried on as a whole.

    Args:
        document: The text.
        spans: What was found in it.
        protected: The stretches that hold medicine, not people.
    """
    sources = _collect(document, spans)
    if not any(sources):
        return spans
    covered = document.collect_tokens((span.start, span.end) for span in spans)
    mentions = [
        (at, source)
        for at, word in enumerate(document.folded)
        if (source := _find_source(word, sources))
        and at not in covered
        and _is_mention(document, at, careful=word in sources[1])
    ]
    if not mentions:
        return spans
    guarded = document.collect_tokens(protected)
    found = [
        Span(
            document.starts[at],
            document.ends[at],
            source.label,
            source.score,
            source.recogniser,
            "named elsewhere in the text",
        )
        for at, source in mentions
        if at not in guarded
    ]
    return sorted([*spans, *found], key=lambda span: span.start)


def _find_source(word: str, sources: Sources) -> Span | None:
    """Return the span that first held a word, or the word less a possessive s."""
    names, careful, places = sources
    found = names.get(word) or careful.get(word) or places.get(word)
    return found or (names.get(word[:-1]) if word.endswith("s") else None)


def _is_mention(document: Document, at: int, *, careful: bool) -> bool:
    if careful:
        return _is_capital_in_sentence(document, at)
    word = document.words[at]
    return not word.islower() or len(word) >= _SHORTEST_LOWER


def _collect(document: Document, spans: list[Span]) -> Sources:
    names: dict[str, Span] = {}
    careful: dict[str, Span] = {}
    places: dict[str, Span] = {}
    for span in spans:
        if span.score < STRONG:
            continue
        for at in document.list_tokens(span.start, span.end):
            word = document.folded[at]
            if not word[0].isalpha() or len(word) < _SHORTEST:
                continue
            if span.label in _PLACED and _is_distinct(word):
                places.setdefault(word, span)
            elif span.label in _NAMED and word not in _NO_NAMES:
                (careful if _is_doubtful(word) else names).setdefault(word, span)
    return names, careful, places


def _is_doubtful(word: str) -> bool:
    """Tell whether a word of a name is also something else."""
    return (
        is_known_otherwise(word)
        or word in ABBREVIATIONS
        or (len(word) == _SHORTEST and word not in SURE_NAMES)
    )


def _is_distinct(word: str) -> bool:
    """Tell whether a word of a place is long and nothing else."""
    return len(word) >= _SHORTEST_PLACE and not is_known_otherwise(word)


def _is_capital_in_sentence(document: Document, at: int) -> bool:
    word = document.words[at]
    if not word[0].isupper() or (word.isupper() and len(word) > 1):
        return False
    if document.folded[at] not in ORDINARY:
        return True
    return not is_line_start(document, at) and document.words[at - 1] not in _STOPS
