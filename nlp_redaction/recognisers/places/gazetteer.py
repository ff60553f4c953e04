"""Hospitals and firms that people call by a short name, looked up in lists."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon, word_set
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    NAMES,
    ORDINARY,
    is_known_otherwise,
)
from nlp_redaction.recognisers.names.reading import is_line_start
from nlp_redaction.recognisers.places.place import SURE_PLACES

_SURE: Final = 0.65
_CUED: Final = 0.6
_LETTERS: Final = 0.4
_HINT: Final = 0.35
_SHORT: Final = 4
_DOUBTFUL: Final = read_lexicon("doubtful_organisations")
_NEVER_DOUBTFUL: Final = frozenset({"addenbrooke's", "addenbrookes", "nandos"})
_ARTICLE: Final = "the"
_TOWARDS: Final = word_set("at to from in via @ under by")
_WORK: Final = word_set("works working worked work job employed employer shift shifts")
_WORK_LINKS: Final = word_set("at for by with in")
_AFTER_LETTERS: Final = word_set("ed ward wards clinic letter letters")
_OTHER_MEANING: Final = (["solution"], ["mix"], ["wort"], ["pouch"], ["cognitive"])
_ENDS: Final = frozenset({".", ":", "!", "?"})


class Entry(NamedTuple):
    """A listed name, in words as a document has them."""

    words: tuple[str, ...]
    is_doubtful: bool
    is_plain: bool
    """All of its words are ordinary ones, so that it counts only in capitals."""
    needs_article: bool


class Found(NamedTuple):
    """Where a listed name stands, by word, and how sure that is."""

    start: int
    end: int
    score: float


Index = dict[str, list[Entry]]


def _split(entry: str) -> tuple[str, ...]:
    return tuple(Document.read(entry).folded)


def _classify(entry: str) -> Entry:
    words = _split(entry)
    named = [word for word in words if word[0].isalpha() and word != "s"]
    bare = [word for word in named if word != _ARTICLE]
    is_plain = all(
        word in ORDINARY or is_known_otherwise(word) or len(word) < _SHORT
        for word in named
    )
    needs_article = words[0] == _ARTICLE
    is_doubtful = entry in _DOUBTFUL or (
        len(bare) == 1
        and (
            (is_plain and (not needs_article or bare[0] in ORDINARY))
            or (not needs_article and bare[0] in NAMES | SURE_PLACES | ABBREVIATIONS)
        )
    )
    if entry in _NEVER_DOUBTFUL:
        is_doubtful = is_plain = False
    return Entry(
        words[needs_article:],
        is_doubtful,
        is_plain and not needs_article,
        needs_article,
    )


def index_names(name: str) -> Index:
    """Return a list's entries by their first word, the longest first."""
    index: Index = {}
    for entry in sorted(read_lexicon(name)):
        judged = _classify(entry)
        index.setdefault(judged.words[0], []).append(judged)
    for listed in index.values():
        listed.sort(key=lambda entry: -len(entry.words))
    return index


def index_letters(name: str) -> dict[str, list[tuple[str, ...]]]:
    """Return abbreviations by their first word, the longest first."""
    index: dict[str, list[tuple[str, ...]]] = {}
    for words in sorted(map(_split, read_lexicon(name)), key=lambda words: -len(words)):
        index.setdefault(words[0], []).append(words)
    return index


def find_names(document: Document, index: Index) -> Iterator[Found]:
    """Yield listed names; doubtful ones need a capital, and a cue to stand alone."""
    behind = 0
    for at, word in enumerate(document.folded):
        if word not in index or at < behind:
            continue
        for entry in index[word]:
            if entry.needs_article and not (at and document.folded[at - 1] == _ARTICLE):
                continue
            end = _match(document, at, entry.words)
            if end and document.folded[end : end + 1] in _OTHER_MEANING:
                continue
            if end and (score := _score(document, at, end, entry)):
                behind = end
                yield Found(at, end, score)
                break


def find_letters(
    document: Document, index: dict[str, list[tuple[str, ...]]]
) -> Iterator[Found]:
    """Yield listed abbreviations in capitals."""
    for at, word in enumerate(document.folded):
        if word not in index or not document.words[at].isupper():
            continue
        for words in index[word]:
            end = _match(document, at, words)
            if end and all(
                part.isupper() or part == "&" for part in _get(document, at, end)
            ):
                is_cued = _has_link(document, at) or _is_followed(document, end)
                yield Found(at, end, _CUED if is_cued else _LETTERS)
                break


def _get(document: Document, at: int, end: int) -> list[str]:
    return list(document.words[at:end])


def _match(document: Document, at: int, words: tuple[str, ...]) -> int:
    """Return the index behind the words if they stand here; 0 otherwise."""
    folded, end = document.folded, at
    for word in words:
        if end < len(folded) and folded[end] == "." and folded[end - 1] == "st":
            end += 1
        if end >= len(folded) or folded[end] != word:
            return 0
        if end > at and document.starts[end] > document.ends[end - 1] + 1:
            return 0
        end += 1
    return end


def _score(document: Document, at: int, end: int, entry: Entry) -> float:
    words = _get(document, at, end)
    bare = [word for word in words if word[0].isalpha() and word not in {"s", _ARTICLE}]
    is_capital = bool(bare) and bare[0][0].isupper()
    if not entry.is_doubtful:
        return _SURE if is_capital or not entry.is_plain else _HINT
    if not is_capital:
        return 0
    if _is_cued(document, at, bare):
        return _CUED
    is_start = is_line_start(document, at) or document.folded[at - 1] in _ENDS
    return 0 if is_start else _HINT


def _is_cued(document: Document, at: int, bare: list[str]) -> bool:
    if (
        at > 1
        and document.folded[at - 1] in _WORK_LINKS
        and document.folded[at - 2] in _WORK
    ):
        return True
    is_letters = len(bare) == 1 and bare[0].isupper() and len(bare[0]) <= _SHORT
    return not is_letters and (
        _has_link(document, at) or (at > 0 and document.folded[at - 1] == "(")
    )


def _has_link(document: Document, at: int) -> bool:
    return (
        at > 0
        and not is_line_start(document, at)
        and document.folded[at - 1] in _TOWARDS
    )


def _is_followed(document: Document, end: int) -> bool:
    return document.folded[end : end + 3] == ["a", "&", "e"] or (
        end < len(document.folded)
        and not is_line_start(document, end)
        and document.folded[end] in _AFTER_LETTERS
    )
