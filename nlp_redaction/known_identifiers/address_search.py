"""Finds known addresses in a text: streets, houses and towns, abbreviated or not."""

import re
from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Span
from nlp_redaction.known_identifiers.addresses import Phrase, lengthen
from nlp_redaction.known_identifiers.compiled import Patient
from nlp_redaction.known_identifiers.number_search import NAME
from nlp_redaction.known_identifiers.ordinary import list_clinical, list_ordinary_looks
from nlp_redaction.known_identifiers.sentence_position import starts_sentence
from nlp_redaction.known_identifiers.spelling import Words, normalise_ocr
from nlp_redaction.lexicons import word_set

_SURE: Final = 0.95
_GAP_SIGNS: Final = frozenset(" ,.-'\r\n_")
_WIDEST_GAP: Final = 3
_FLATS: Final = frozenset(
    normalise_ocr(word) for word in word_set("flat unit room block no number plot")
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
    read = [meant.get(ocr_form, "") for ocr_form in words.ocr_forms]
    for at, ocr_form in enumerate(read):
        for phrase in patient.phrases.get(ocr_form, ()):
            last = _follow(words, read, at, phrase)
            if last is not None and _is_meant(words, at, last, phrase):
                yield _make_span(words, at, last, phrase)


def _read_looks(words: Words, patient: Patient) -> dict[str, str]:
    """Return the OCR forms that mean a word of the address, in the long form of it."""
    ordinary, meant = list_ordinary_looks(), dict[str, str]()
    for ocr_form in words.distinct:
        long = patient.address_ocr_forms.get(ocr_form)
        if long is not None:
            meant[ocr_form] = long
        elif ocr_form not in ordinary and (
            found := patient.fuzzy_places.find(ocr_form, 1)
        ):
            meant[ocr_form] = found.ocr_form
    return meant


def _follow(words: Words, read: list[str], at: int, phrase: Phrase) -> int | None:
    """Return the last word of a phrase that begins at a word; None if it does not."""
    last = at + len(phrase.ocr_forms) - 1
    if last >= len(read) or tuple(read[at : last + 1]) != phrase.ocr_forms:
        return None
    return last if all(_is_near(words, word) for word in range(at, last)) else None


def _is_near(words: Words, at: int) -> bool:
    gap = words.gap(at)
    return len(gap) <= _WIDEST_GAP and _GAP_SIGNS.issuperset(gap)


def _is_meant(words: Words, at: int, last: int, phrase: Phrase) -> bool:
    if phrase.number:
        return (
            at > 0
            and words.ocr_forms[at - 1] == phrase.number
            and _is_near(words, at - 1)
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
    if phrase.number or phrase.variant in ("street", "flat"):
        first = _grow_left(words, at, phrase)
    if phrase.variant == "flat":
        last += words.gap(last) == "/" and words.written(last + 1).isdigit()
    return Span(
        words.starts[first],
        words.ends[last],
        phrase.label,
        _SURE,
        NAME,
        f"known address, {phrase.variant}",
    )


def _grow_left(words: Words, first: int, phrase: Phrase) -> int:
    """Take in the house number, and the flat before it."""
    at = first
    if _is_number(words, at - 1, phrase):
        at -= 1
        if _is_number(words, at - 1, phrase) and words.gap(at - 1) in ("-", "/"):
            at -= 1
        elif _is_number(words, at - 1, phrase) and words.gap(at - 2) == "/":
            # A Scottish flat: "1/2, 88 Bersham Road".
            at -= 2
    if at > 1 and _is_flat(words, at - 2) and _is_number(words, at - 1, phrase):
        at -= 1
    is_number = words.written(at)[:1].isdigit()
    return at - 1 if is_number and at > 0 and _is_flat(words, at - 1) else at


def _is_number(words: Words, at: int, phrase: Phrase) -> bool:
    if at < 0 or words.gap(at) not in _NUMBER_GAPS:
        return False
    is_known = words.ocr_forms[at] == phrase.number
    return is_known or _HOUSE_NUMBER.fullmatch(words.written(at)) is not None


def _is_flat(words: Words, at: int) -> bool:
    return words.gap(at) in _NUMBER_GAPS and lengthen(words.ocr_forms[at]) in _FLATS
