"""Takes known addresses apart into the phrases that may stand for them in a text."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from nlp_redaction.document.spans import Label
from nlp_redaction.known_identifiers.ordinary import list_ordinary
from nlp_redaction.known_identifiers.spelling import (
    look_at,
    spell_plainly,
    split_list,
    split_words,
)
from nlp_redaction.lexicons import read_lexicon

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
    look_at(form): look_at(forms.split()[0])
    for forms in _SHORT_FORMS
    for form in forms.split()
}
_FORMS: Final = {
    look_at(forms.split()[0]): tuple(map(look_at, forms.split()))
    for forms in _SHORT_FORMS
}
_STREETS: Final = frozenset(
    look_at(word)
    for word in split_list(
        "road street avenue lane drive close court crescent gardens place terrace"
        " square grove park mount green walk parade way hill rise row mews view"
        " villas mansions heights estate vale end gate passage yard wharf quay"
        " common croft dene fold meadow meadows ridge bank brow hey path"
    )
)
_FLATS: Final = frozenset(look_at(word) for word in split_list("flat unit room block"))
_SEGMENTS: Final = re.compile(r"[,;\n|]+")
_POSTCODE: Final = re.compile(r"\b[a-z]{1,2}\d[a-z\d]?[ ]*\d[a-z]{2}\b")
_SHORTEST_ALONE: Final = 3


@dataclass(frozen=True, slots=True, repr=False)
class Phrase:
    """Words in a row that stand for a known address.

    Attributes:
        looks: Their looks, each in its long form.
        label: A street is an address, a town a location.
        variant: What makes it a variant, in words.
        is_weak: Whether ordinary words might say the same in lower case.
        number: A number that must stand before it, if not empty.
    """

    looks: tuple[str, ...]
    label: Label
    variant: str
    is_weak: bool = False
    number: str = ""


@cache
def _list_places() -> frozenset[str]:
    return frozenset(map(spell_plainly, read_lexicon("places")))


def list_written_forms(looks: Iterable[str]) -> dict[str, str]:
    """Return every look in which words of an address are written, with the long form."""
    forms: dict[str, str] = {}
    for long in looks:
        forms[long] = long
        for look in _FORMS.get(long, ()):
            forms[look] = long
        if "m" in long:
            forms[long.replace("m", "rn")] = long
    return forms


def lengthen(look: str) -> str:
    """Return the long form of an abbreviation of addresses."""
    return _CANON.get(look, look)


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
    looks = [lengthen(look_at(word)) for word in words]
    while looks and looks[0] in _FLATS and len(words) > 1 and _has_digit(words[1]):
        yield Phrase((looks[0], look_at(words[1])), Label.ADDRESS, "flat")
        words, looks = words[2:], looks[2:]
    number = ""
    while words and _has_digit(words[0]):
        number = look_at(words[0])
        words, looks = words[1:], looks[1:]
    if len(words) > 1 and words[0] == "the":
        yield from _list_named(words, tuple(looks), number)
        words, looks, number = words[1:], looks[1:], ""
    if words:
        yield from _list_named(words, tuple(looks), number)


def _list_named(
    words: list[str], looks: tuple[str, ...], number: str
) -> Iterator[Phrase]:
    is_street = looks[-1] in _STREETS and len(looks) > 1
    is_town = not number and not is_street and " ".join(words) in _list_places()
    label = Label.LOCATION if is_town else Label.ADDRESS
    variant = "street" if is_street else "town" if is_town else "line of an address"
    ordinary = list_ordinary()
    is_weak = all(word in ordinary or len(word) <= 2 for word in words)  # noqa: PLR2004
    if sum(map(len, words)) >= _SHORTEST_ALONE:
        yield Phrase(looks, label, variant, is_weak=is_weak and not is_street)
    core = looks[:-1]
    if is_street and number:
        yield Phrase(core, label, "number and street", number=number)
    elif number:
        yield Phrase(looks, label, "number and house", number=number)


def _has_digit(word: str) -> bool:
    return word[0].isdigit()
