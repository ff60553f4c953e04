"""Keeps eponyms, instruments, brands and abbreviations from being taken for people.

"Paget's disease" is no person, "Dr Paget" is. A protected word is removed only where a
rule that knows better says so (a title, a signature, a known identifier).
"""

from collections.abc import Iterator
from typing import Final

from nlp_redaction.decision.animal_names import PET_KINDS, find_pets
from nlp_redaction.document.spans import Stretch
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.lexicons.vocabulary import (
    ABBREVIATIONS,
    BRANDS,
    EPONYMS,
    FORENAMES,
    NAMES,
    ORDINARY,
    SURE_FORENAMES,
    WORD_NAMES,
    split_words,
)
from nlp_redaction.recognisers.names.reading import is_adjacent, is_titled
from nlp_redaction.recognisers.names.triggers import DOUBTFUL_TITLES, TITLES

_HEADS: Final = read_lexicon("eponym_heads")
_PLACES: Final = read_lexicon("places") | read_lexicon("places_more")
_PURE_EPONYMS: Final = (
    read_lexicon("eponyms_pure")
    | {word for word in EPONYMS if word not in NAMES and word not in _PLACES}
    | {word + "s" for word in read_lexicon("eponyms_pure")}
)
NEVER_NAMES: Final = _PURE_EPONYMS | (
    BRANDS
    - NAMES
    - _PLACES
    - WORD_NAMES
    - read_lexicon("everyday_words")
    - read_lexicon("place_beginnings")
    - split_words("atlas bravo legacy parkland medway stella")
)
"""Eponyms and brands that are on no list of names or places."""
_STRONG_HEADS: Final = split_words(
    "syndrome sign palsy phenomenon manoeuvre maneuver classification osteotomy "
    "fracture tumour tumor sarcoma lymphoma reflex forceps retractor clamp catheter "
    "algorithm criteria stain agar bodies nodules contracture thyroiditis operation "
    "score scale index staging grading triad law repair procedure incision ligament "
    "fascia space pouch canal formula equation"
)
"""Heads that make an eponym of any capitalised word before them."""

_REACH: Final = 3
_MOST_TOKENS: Final = 12
_SHORTEST_ABBREVIATION: Final = 2


def _index_phrases() -> dict[str, list[list[str]]]:
    phrases: dict[str, list[list[str]]] = {}
    for phrase in sorted(read_lexicon("kept_phrases"), key=len, reverse=True):
        words = Document.read(phrase).folded
        phrases.setdefault(words[0], []).append(words)
    return phrases


_PHRASES: Final = _index_phrases()


def find_protected(document: Document) -> tuple[Stretch, ...]:
    """Return the stretches that hold medicine, not people; ordered.

    A word behind a title is never among them, nor one beside a sure forename.
    """
    found: list[tuple[int, int]] = []
    words, folded = document.words, document.folded
    for at, word in enumerate(folded):
        if word in EPONYMS:
            is_kept = _is_eponym(document, at)
        elif word in BRANDS:
            is_kept = not _is_titled_person(document, at)
        elif word in ABBREVIATIONS:
            is_kept = (
                len(word) >= _SHORTEST_ABBREVIATION
                and words[at].isupper()
                and not _is_titled_person(document, at)
            )
        elif word in _STRONG_HEADS and at:
            _protect_before(document, at, found)
            is_kept = False
        else:
            is_kept = False
        if is_kept:
            found.append((document.starts[at], document.ends[at]))
        if word in _PHRASES or word in PET_KINDS:
            found.extend(_find_mentions(document, at))
    return tuple(sorted(found))


def _find_mentions(document: Document, at: int) -> Iterator[tuple[int, int]]:
    """Yield the kept phrase, and the names of animals, that begin at a word."""
    word = document.folded[at]
    if word in _PHRASES and not _is_titled_person(document, at):
        end = _match_phrase(document.folded, at)
        if end:
            yield document.starts[at], document.ends[end - 1]
    if word in PET_KINDS:
        yield from find_pets(document, at)


def _match_phrase(folded: list[str], at: int) -> int:
    for phrase in _PHRASES[folded[at]]:
        stretch = folded[at : at + len(phrase)]
        if len(stretch) == len(phrase) and all(
            word == met or (word == "#" and met.isdigit())
            for word, met in zip(phrase, stretch, strict=True)
        ):
            return at + len(phrase)
    return 0


def _is_titled_person(document: Document, at: int) -> bool:
    """Tell whether a title, an initial or a sure forename stands before a word."""
    before = at - 1
    if before >= 0 and document.words[before] == ".":
        before -= 1
    if before < 0:
        return False
    word = document.folded[before]
    if word in TITLES or (word in DOUBTFUL_TITLES and is_titled(document.words[at])):
        return document.words[before] != "MR" or document.words[at].isupper()
    return (
        is_adjacent(document, at)
        and before == at - 1
        and word in SURE_FORENAMES
        and document.words[before][0].isupper()
    )


def _is_eponym(document: Document, at: int) -> bool:
    word = document.folded[at]
    if _is_titled_person(document, at):
        return False
    if word in _PURE_EPONYMS or (word in ORDINARY and document.words[at] == word):
        return True
    return _has_head(document, at)


def _has_head(document: Document, at: int) -> bool:
    """Tell whether a head noun follows within a few words, or "'s" and no forename."""
    folded = document.folded
    after = at + 1
    possessive = (
        after + 1 < len(folded)
        and document.words[after] == "'"
        and folded[after + 1] == "s"
    )
    if possessive:
        after += 2
    elif after < len(folded) and document.words[after] == "'":
        after += 1
    if after < len(folded) and (
        document.words[after].isdigit() or _is_code(document, after)
    ):
        return True
    seen = 0
    furthest = min(len(folded), after + _MOST_TOKENS)
    while after < furthest and seen < _REACH:
        word = folded[after]
        if word in _HEADS:
            return True
        if document.words[after] in ".,;:()" or word in {
            "and",
            "has",
            "is",
            "was",
            "said",
        }:
            break
        if word != "-" and word not in EPONYMS:
            seen += 1
        after += 1
    hyphened = (
        at > 0 and document.words[at - 1] == "-" and folded[at - 2] in EPONYMS
    ) or (
        at + 2 < len(folded)
        and document.words[at + 1] == "-"
        and folded[at + 2] in EPONYMS
        and document.starts[at + 2] == document.ends[at + 1]
    )
    return hyphened or (possessive and folded[at] not in FORENAMES)


def _is_code(document: Document, at: int) -> bool:
    """Tell whether a grade like "A2" or "C4M6" stands at a token."""
    word = document.words[at]
    return (
        len(word) == 1
        and word.isupper()
        and at + 1 < len(document.words)
        and document.words[at + 1].isdigit()
        and document.starts[at + 1] == document.ends[at]
    )


def _protect_before(
    document: Document, head: int, found: list[tuple[int, int]]
) -> None:
    """Protect the capitalised words right before a head that makes an eponym."""
    at = head - 1
    if at > 0 and document.folded[at] == "s" and document.words[at - 1] == "'":
        at -= 2
    elif document.words[at] == "'":
        at -= 1
    while at >= 0 and is_titled(document.words[at]) and document.words[at][0].isalpha():
        if _is_titled_person(document, at) or document.folded[at] in SURE_FORENAMES:
            return
        found.append((document.starts[at], document.ends[at]))
        if at > 1 and document.words[at - 1] == "-":
            at -= 2
        else:
            return


_CERTAIN_HEADS: Final = split_words(
    "palsy disease syndrome sign phenomenon fracture contracture tumour tumor lymphoma "
    "sarcoma oesophagus esophagus manoeuvre maneuver criteria classification thyroiditis "
    "gangrene chorea ataxia arthropathy dementia hernia cyst nodes node abscess"
)


def is_certain_eponym(document: Document, at: int) -> bool:
    """Tell whether a protected word stands right before a head that no person has.

    "Bell's palsy", "Colles' fracture", "Baker cyst": whatever a model says of them. The
    word has been found protected, so no title stands before it.
    """
    folded, after = document.folded, at + 1
    if after < len(folded) and folded[after] == "'":
        after += 1
        if after < len(folded) and folded[after] == "s":
            after += 1
    return after < len(folded) and folded[after] in _CERTAIN_HEADS
