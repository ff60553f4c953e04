"""Finds known addresses in a text: streets, houses and towns, abbreviated or not."""

import re
from collections.abc import Iterator
from typing import Final

from nlp_redaction.known_identifiers.addresses import Phrase, lengthen
from nlp_redaction.known_identifiers.compiled import Patient
from nlp_redaction.known_identifiers.number_search import NAME
from nlp_redaction.known_identifiers.ordinary import list_clinical, list_ordinary_looks
from nlp_redaction.known_identifiers.places_in_line import starts_sentence
from nlp_redaction.known_identifiers.spelling import Words, look_at, split_list
from nlp_redaction.spans import Span

_SURE: Final = 0.95
_GAP_SIGNS: Final = frozenset(" ,.-'\r\n_")
_WIDEST_GAP: Final = 3
_BEFORE_NUMBERS: Final = frozenset(
    look_at(word) for word in split_list("flat unit room block no number plot")
)
_NUMBER_GAPS: Final = frozenset({" ", ", ", "-", ". ", "/", ",\n"})
_HOUSE_NUMBER: Final = re.compile(r"\d{1,3}[A-Za-z]?")


def find_addresses(words: Words, patient: Patient) -> Iterator[Span]:
    """Yield the places of the patient's addresses."""
    if not patient.phrases:
        return
    meant = _read_looks(words, patient)
    if patient.phrases.keys().isdisjoint(meant.values()):
        return
    read = [meant.get(look, "") for look in words.looks]
    for at, look in enumerate(read):
        for phrase in patient.phrases.get(look, ()):
            last = _follow(words, read, at, phrase)
            if last is not None and _is_meant(words, at, last, phrase):
                yield _make_span(words, at, last, phrase)


def _read_looks(words: Words, patient: Patient) -> dict[str, str]:
    """Return the looks that mean a word of the address, in the long form of it."""
    ordinary, meant = list_ordinary_looks(), dict[str, str]()
    for look in words.distinct:
        long = patient.address_looks.get(look)
        if long is not None:
            meant[look] = long
        elif look not in ordinary and (found := patient.fuzzy_places.find(look, 1)):
            meant[look] = found.look
    return meant


def _follow(words: Words, read: list[str], at: int, phrase: Phrase) -> int | None:
    """Return the last word of a phrase that begins at a word; None if it does not."""
    last = at + len(phrase.looks) - 1
    if last >= len(read) or tuple(read[at : last + 1]) != phrase.looks:
        return None
    return last if all(_is_near(words, word) for word in range(at, last)) else None


def _is_near(words: Words, at: int) -> bool:
    gap = words.gap(at)
    return len(gap) <= _WIDEST_GAP and _GAP_SIGNS.issuperset(gap)


def _is_meant(words: Words, at: int, last: int, phrase: Phrase) -> bool:
    if phrase.number:
        return (
            at > 0 and words.looks[at - 1] == phrase.number and _is_near(words, at - 1)
        )
    if not phrase.is_weak:
        return True
    written = [words.written(word) for word in range(at, last + 1)]
    if len(written) > 1 and not list_clinical().issuperset(map(str.lower, written)):
        return True
    if not all(word[0].isupper() or word[0].isdigit() for word in written):
        return False
    return len(written) > 1 or not starts_sentence(words, at)


def _make_span(words: Words, at: int, last: int, phrase: Phrase) -> Span:
    first = at
    if phrase.variant in ("street", "number and street", "flat"):
        while first > 0 and _leads(words, first - 1, phrase):
            first -= 1
    elif first > 0 and words.written(first - 1) in ("The", "THE"):
        first -= 1
        if first > 0 and words.looks[first - 1] == phrase.number:
            first -= 1
    return Span(
        words.starts[first],
        words.ends[last],
        phrase.label,
        _SURE,
        NAME,
        f"known address, {phrase.variant}",
    )


def _leads(words: Words, at: int, phrase: Phrase) -> bool:
    """Tell whether a word is a house number or what precedes one."""
    look, gap = words.looks[at], words.gap(at)
    if gap not in _NUMBER_GAPS:
        return False
    if look == phrase.number:
        return True
    if words.written(at + 1)[:1].isdigit():
        if lengthen(look) in _BEFORE_NUMBERS or look in _BEFORE_NUMBERS:
            return True
        if gap == " ":
            return False
    return _HOUSE_NUMBER.fullmatch(words.written(at)) is not None
