"""Joins the parts of an address, and takes in the name of the house before a street."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from nlp_redaction.document.spans import STANDS_ALONE
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.places.address_parts import on_one_line
from nlp_redaction.recognisers.places.address_words import (
    HOUSE_WORDS,
    LOWER_HOUSES,
    NEVER_NAMES,
)

_MOST_HOUSE_TOKENS: Final = 6
_JOINTS: Final = frozenset((",", '"', ";"))
_WIDEST_GAP: Final = 2
_LONGEST_NUMBER: Final = 4


@dataclass(slots=True)
class Piece:
    """A stretch of tokens that looks like part of an address.

    Attributes:
        first: Its first token.
        last: Its last token.
        score: How sure it is by itself.
        reason: Why.
    """

    first: int
    last: int
    score: float
    reason: str


def join_pieces(
    document: Document,
    pieces: list[Piece],
    is_house_name: Callable[[list[str]], bool],
) -> Iterator[Piece]:
    """Yield the addresses that the pieces make up, from left to right.

    Args:
        document: Where they were found.
        pieces: In any order; they may overlap.
        is_house_name: Judges words that end in no word for a house.
    """
    current: Piece | None = None
    for piece in sorted(pieces, key=lambda one: (one.first, -one.last)):
        if current and _touches(document, current, piece):
            apart = piece.first > current.last
            current.last = max(current.last, piece.last)
            current.score = max(current.score, piece.score, 0.55 if apart else 0)
            continue
        if current:
            yield _include_house(document, current, is_house_name)
        current = piece
    if current:
        yield _include_house(document, current, is_house_name)


def _touches(document: Document, left: Piece, right: Piece) -> bool:
    """Tell whether nothing but a comma, quotes and spaces part two pieces."""
    if right.first <= left.last:
        return True
    between = document.words[left.last + 1 : right.first]
    return (
        len(between) <= _WIDEST_GAP
        and _JOINTS.issuperset(between)
        and (
            on_one_line(document, left.last, right.first)
            or (right.score >= STANDS_ALONE and _fills_line(document, left))
        )
    )


def _fills_line(document: Document, piece: Piece) -> bool:
    """Tell whether a piece is all that its line holds."""
    start, end = document.starts[piece.first], document.ends[piece.last]
    first, last = document.line_at(start)
    return not document.plain[first:start].strip() and not document.plain[
        end:last
    ].strip(" ,")


def _include_house(
    document: Document, piece: Piece, is_house_name: Callable[[list[str]], bool]
) -> Piece:
    """Extend an address to the left over the name of its house, up to two parts."""
    if piece.score < STANDS_ALONE:
        return piece
    for _ in range(2):
        before = piece.first - 1
        if (
            before >= 0
            and document.folded[before] == "the"
            and (
                document.words[before] != "the"
                or "," in document.words[piece.first : piece.last]
            )
        ):
            piece.first = before
        first = _find_house(document, piece.first, is_house_name)
        if first is None:
            break
        piece.first = first
    return piece


def _find_house(
    document: Document, street: int, is_house_name: Callable[[list[str]], bool]
) -> int | None:
    """Return where the name of a house that ends before a street begins."""
    words = document.words
    comma = street - 1
    while comma >= 0 and words[comma] == '"':
        comma -= 1
    glued = comma == street - 1 and words[comma].isalpha()
    if comma < 1 or not (words[comma] == "," or glued):
        return None
    if not on_one_line(document, comma, street):
        return None
    last = comma if glued else comma - 1
    last -= words[last] == '"' and not glued
    first = _find_left_end(document, last)
    if first > last:
        return _find_stair(document, last)
    if words[last].islower() or _is_house_word(words[last]):
        return _cut_known_house(document, first, last)
    if glued:
        return None
    return _cut_unknown_house(document, first, last, is_house_name)


def _is_house_word(word: str) -> bool:
    """Tell whether a word is what the name of a house ends in."""
    return word.lower() in HOUSE_WORDS


def _find_stair(document: Document, last: int) -> int | None:
    """Return where a Scottish stair number ("1/2,") that ends here begins."""
    words = document.words
    slash = last - 1
    if slash < 1 or words[slash] != "/" or not words[last].isdigit():
        return None
    return slash - 1 if words[slash - 1].isdigit() else None


def _find_left_end(document: Document, last: int) -> int:
    """Return the first token of the part of an address that ends with a token."""
    first = last + 1
    while first > 0 and last - first + 1 < _MOST_HOUSE_TOKENS:
        at = first - 1
        gap = document.starts[first] - document.ends[at] if first <= last else 0
        if gap > _WIDEST_GAP or not on_one_line(document, at, at + 1):
            break
        if not _belongs(document.words[at]):
            break
        first = at
    if first == last and document.words[last].isdigit():
        return last + 1
    return first


def _belongs(word: str) -> bool:
    """Tell whether a token can stand within the name of a house."""
    if word[0].isalpha():
        return word.lower() in ("the", "of") or word.lower() not in NEVER_NAMES
    return word in ("'", "-") or (word.isdigit() and len(word) <= _LONGEST_NUMBER)


def _cut_known_house(document: Document, first: int, last: int) -> int | None:
    """Cut the part to a name that ends in House, Cottage ..."""
    words, folded = document.words, document.folded
    if words[last].islower() and folded[last] not in LOWER_HOUSES:
        return None
    for at in range(last - 1, first - 1, -1):
        if folded[at] == "the":
            return at
    start = last
    while start > first and (
        words[start - 1][0].isupper() == words[last][0].isupper()
        or words[start - 1] in ("'", "-", "s")
        or words[start - 1].isdigit()
    ):
        start -= 1
    return start if start < last else None


def _cut_unknown_house(
    document: Document,
    first: int,
    last: int,
    is_house_name: Callable[[list[str]], bool],
) -> int | None:
    """Cut the part to a number and name, or to a name that nobody bears."""
    words, folded = document.words, document.folded
    for at in range(last - 1, first - 1, -1):
        numbered = words[at].isdigit() and words[at + 1][0].isupper()
        if numbered or folded[at] == "the":
            return at
    capitalised = all(
        words[at][0].isupper()
        or words[at] in ("-", "'", "s")
        or (at > first and words[at - 1] == "-")
        for at in range(first, last + 1)
    )
    if capitalised and last - first < _MOST_HOUSE_TOKENS - 1:
        return first if is_house_name(words[first : last + 1]) else None
    return None
