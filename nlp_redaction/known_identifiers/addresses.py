"""Takes known addresses apart into the phrases that may stand for them in a text."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from nlp_redaction.document.spans import Label
from nlp_redaction.known_identifiers.ordinary import list_ordinary
from nlp_redaction.known_identifiers.spelling import (
    normalise_ocr,
    spell_plainly,
    split_words,
)
from nlp_redaction.lexicons import read_lexicon, word_set

_SHORT_FORMS: Final = (
    "road rd", "street st str saint", "avenue ave av aven", "lane ln la",
    "drive dr drv", "close cl clo", "court ct crt", "crescent cres cresc cr crsc",
    "gardens gdns gdn garden gdens", "place pl", "terrace terr ter tce", "square sq",
    "grove gr grv", "park pk", "house hse ho", "cottage cott ctg cottages",
    "flat apt apartment flt fl", "mount mt", "green grn", "walk wlk",
    "parade pde", "buildings bldgs building bldg", "lodge ldg", "farm fm", "and",
    "upper upr", "lower lwr", "great gt", "little lt",
    "mansions mans", "villas vlls villa", "heights hts",
    "estate est", "bridge br brg",
)  # fmt: skip
_CANON: Final = {
    normalise_ocr(form): normalise_ocr(forms.split()[0])
    for forms in _SHORT_FORMS
    for form in forms.split()
}
_FORMS: Final = {
    normalise_ocr(forms.split()[0]): tuple(map(normalise_ocr, forms.split()))
    for forms in _SHORT_FORMS
}
_STREETS: Final = frozenset(
    normalise_ocr(word)
    for word in word_set(
        "road street avenue lane drive close court crescent gardens place terrace"
        " square grove park mount green walk parade way hill rise row mews view"
        " villas mansions heights estate vale end gate passage yard wharf quay"
        " common croft dene fold meadow meadows ridge bank brow hey path"
    )
)
_FLATS: Final = frozenset(
    normalise_ocr(word) for word in word_set("flat unit room block")
)
_SEGMENTS: Final = re.compile(r"[,;\n|]+")
_POSTCODE: Final = re.compile(r"\b[a-z]{1,2}\d[a-z\d]?[ ]*\d[a-z]{2}\b")
_SHORTEST_ALONE: Final = 3


@dataclass(frozen=True, slots=True, repr=False)
class Phrase:
    """Words in a row that stand for a known address.

    Attributes:
        ocr_forms: The OCR forms of its words, each in its long form.
        label: A street is an address, a town a location.
        variant: What makes it a variant, in words.
        is_weak: Whether ordinary words might say the same in lower case.
        number: A number that must stand before it, if not empty.
    """

    ocr_forms: tuple[str, ...]
    label: Label
    variant: str
    is_weak: bool = False
    number: str = ""


@cache
def _list_places() -> frozenset[str]:
    return frozenset(map(spell_plainly, read_lexicon("places")))


def list_written_forms(ocr_forms: Iterable[str]) -> dict[str, str]:
    """Return every OCR form in which words of an address are written, with the long form."""
    forms: dict[str, str] = {}
    for long in ocr_forms:
        forms[long] = long
        for ocr_form in _FORMS.get(long, ()):
            forms[ocr_form] = long
        if "m" in long:
            forms[long.replace("m", "rn")] = long
    return forms


def lengthen(ocr_form: str) -> str:
    """Return the long form of an abbreviation of addresses."""
    return _CANON.get(ocr_form, ocr_form)


def list_phrases(addresses: Iterable[str]) -> Iterator[Phrase]:
    """Yield the phrases of known addresses."""
    seen: set[Phrase] = set()
    for address in addresses:
        plain = _POSTCODE.sub(" ", spell_plainly(address))
        segments = [part.strip() for part in _SEGMENTS.split(plain) if part.strip()]
        for segment in segments:
            for phrase in _list_of_segment(segment):
                if phrase not in seen:
                    seen.add(phrase)
                    yield phrase


def _list_of_segment(segment: str) -> Iterator[Phrase]:
    if "'s" in segment:
        yield from _list_of_segment(segment.replace("'", ""))
    words = split_words(segment)
    ocr_forms = [lengthen(normalise_ocr(word)) for word in words]
    while (
        ocr_forms and ocr_forms[0] in _FLATS and len(words) > 1 and _has_digit(words[1])
    ):
        yield Phrase((ocr_forms[0], normalise_ocr(words[1])), Label.ADDRESS, "flat")
        words, ocr_forms = words[2:], ocr_forms[2:]
    number = ""
    while words and _has_digit(words[0]):
        number = normalise_ocr(words[0])
        words, ocr_forms = words[1:], ocr_forms[1:]
    if len(words) > 1 and words[0] == "the":
        yield from _list_named(words, tuple(ocr_forms), number)
        words, ocr_forms, number = words[1:], ocr_forms[1:], ""
    if words:
        yield from _list_named(words, tuple(ocr_forms), number)


def _list_named(
    words: list[str], ocr_forms: tuple[str, ...], number: str
) -> Iterator[Phrase]:
    is_street = ocr_forms[-1] in _STREETS and len(ocr_forms) > 1
    is_town = not number and not is_street and " ".join(words) in _list_places()
    label = Label.LOCATION if is_town else Label.ADDRESS
    variant = "street" if is_street else "town" if is_town else "line of an address"
    ordinary = list_ordinary()
    is_weak = all(word in ordinary or len(word) <= 2 for word in words)  # noqa: PLR2004
    if sum(map(len, words)) >= _SHORTEST_ALONE:
        yield Phrase(ocr_forms, label, variant, is_weak=is_weak and not is_street)
    core = ocr_forms[:-1]
    if is_street and number:
        yield Phrase(core, label, "number and street", number=number)
    elif number:
        yield Phrase(ocr_forms, label, "number and house", number=number)


def _has_digit(word: str) -> bool:
    return word[0].isdigit()
