"""Takes a known name apart, and lists the words that may stand for it in a text."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from nlp_redaction.known_identifiers.fuzzy import allow_errors
from nlp_redaction.known_identifiers.nicknames import list_nicknames
from nlp_redaction.known_identifiers.ordinary import TITLES, list_ordinary
from nlp_redaction.known_identifiers.spelling import (
    normalise_ocr,
    spell_accents_out,
    spell_plainly,
    split_words,
)
from nlp_redaction.lexicons import word_set

_LETTERS: Final = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_TRAILING: Final = word_set(
    "jr snr jnr sr esq mbe obe cbe mb bs mbbs mbchb bsc msc md phd frcp frcs mrcp mrcgp"
    " mrcpsych frcpsych ba ma rn rgn rmn dec deceased"
)
PARTICLES: Final = word_set(
    "van der den de da di du la le el al bin bint ibn ap ab ferch von ter ten dos das do"
    " del della st san abu ben mac nic ni o y e"
)
_WHOLE_VARIANTS: Final = frozenset(
    {"a known name", "half of a double name", "a known name, joined", "other spelling"}
)
_SHORTEST_HALF: Final = 3
_SHORTEST_LOGIN: Final = 4


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """A word that stands for a known person.

    Attributes:
        plain: Its plain spelling.
        ocr_form: Its OCR form.
        variant: What makes it a variant of the known name, in words.
        errors: How many typing errors it bears.
        is_ordinary: Whether it may also be an ordinary word.
    """

    plain: str
    ocr_form: str
    variant: str
    errors: int
    is_ordinary: bool

    @property
    def may_break(self) -> bool:
        """Whether it is looked for in pieces."""
        return self.variant in _WHOLE_VARIANTS


@dataclass(frozen=True, slots=True, repr=False)
class KnownName:
    """One known name, in its parts, plainly spelt; a lone word is in both lists."""

    forenames: tuple[str, ...]
    surnames: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """All parts, forenames first, none twice."""
        return tuple(dict.fromkeys((*self.forenames, *self.surnames)))


def read_name(name: str) -> KnownName:
    """Take a name apart: ``Forename Surname`` or ``SURNAME, Forename (Title)``."""
    before, comma, after = name.partition(",")
    first, last = _list_words(before), _list_words(after)
    if comma and last:
        return KnownName(tuple(last), tuple(first))
    if len(first) <= 1:
        return KnownName(tuple(first), tuple(first))
    at = len(first) - 1
    while at > 1 and first[at - 1] in PARTICLES:
        at -= 1
    return KnownName(tuple(first[:at]), tuple(first[at:]))


def _list_words(part: str) -> list[str]:
    words = _LETTERS.findall(spell_plainly(part.replace(".", " ")))
    return [word for word in words if word not in TITLES and word not in _TRAILING]


def list_initials(names: Iterable[KnownName]) -> frozenset[str]:
    """Return the initials of a patient, two letters at least: ``js``, ``jps``."""
    known = list(names)
    if known and all(len(name.words) == 1 for name in known):
        parts = tuple(name.words[0] for name in known)
        known = [KnownName(parts[:-1], parts[-1:])] if len(parts) > 1 else []
    found: set[str] = set()
    for name in known:
        first = [word[0] for word in name.forenames]
        for last in _list_last_initials(name):
            found |= {"".join(first) + last, "".join(first[:1]) + last}
    return frozenset(letters for letters in found if len(letters) > 1)


def _list_last_initials(name: KnownName) -> set[str]:
    if not name.surnames or name.forenames == name.surnames:
        return set()
    halves = [half for word in name.surnames for half in word.split("-") if half]
    main = [half for half in halves if half not in PARTICLES] or halves
    letters = "".join(half[0] for half in main)
    return {letters, letters[0], letters[-1]}


def list_targets(names: Iterable[KnownName]) -> Iterator[Target]:
    """Yield the words that stand for people, exact ones before derived ones."""
    parts: dict[str, str] = {}
    first_names: set[str] = set()
    for name in names:
        first_names.update(name.forenames[:1])
        for plain, variant in _list_variants(name):
            parts.setdefault(plain, variant)
    ordinary = list_ordinary()
    for plain, variant in parts.items():
        is_particle = plain in PARTICLES and plain not in first_names
        if len(plain) > 1 and not is_particle:
            bears = allow_errors(plain) if variant in _WHOLE_VARIANTS else 0
            is_word = plain in ordinary or (
                variant.endswith("s added") and plain[:-1] in ordinary
            )
            yield Target(plain, normalise_ocr(plain), variant, bears, is_word)


def _list_variants(name: KnownName) -> Iterator[tuple[str, str]]:
    first = name.forenames[:1]
    words = [word for word in name.words if word not in PARTICLES or word in first]
    joined = [_join(word) for word in words]
    for word, whole in zip(words, joined, strict=True):
        if word == whole:
            yield whole, "a known name"
        else:
            yield whole, "a known name, joined"
            yield from _list_halves(word)
    for whole in joined:
        yield from _respell(whole)
    for word in name.forenames:
        yield from ((nick, "a short form") for nick in list_nicknames(_join(word)))
    yield from _glue(name)
    yield from ((whole + "s", "a known name, s added") for whole in joined)


def _join(word: str) -> str:
    return word.replace("-", "").replace("'", "")


def _list_halves(word: str) -> Iterator[tuple[str, str]]:
    for half in split_words(word):
        if len(half) >= _SHORTEST_HALF or ("-" in word and len(half) > 1):
            yield half, "half of a double name"


def _respell(whole: str) -> Iterator[tuple[str, str]]:
    if whole.startswith("mac") and len(whole) > 5:  # noqa: PLR2004 - "mac" + a name
        yield "mc" + whole[3:], "other spelling"
    elif whole.startswith("mc"):
        yield "mac" + whole[2:], "other spelling"


def _glue(name: KnownName) -> Iterator[tuple[str, str]]:
    forenames = [_join(word) for word in name.forenames if len(word) > 1]
    surnames = [_join(word) for word in name.surnames if len(word) > 1]
    for surname in surnames:
        for title in ("mr", "mrs", "dr"):
            yield title + surname, "title and name in one"
        if len(surname) >= _SHORTEST_LOGIN:
            for forename in forenames:
                if forename != surname:
                    yield forename + surname, "a known name, joined"
                    yield surname + forename, "a known name, joined"
                    yield forename[0] + surname, "initial and surname in one"
    for first, second in pairwise(forenames):
        yield first + second, "a known name, joined"


def read_names(names: Iterable[str]) -> list[KnownName]:
    """Take names apart, those with letters spelt in two ways twice."""
    found: list[KnownName] = []
    for name in names:
        found.append(read_name(name))
        if not name.isascii():
            found.append(read_name(spell_accents_out(name)))
    return [name for name in found if name.words]


def list_ocr_forms(target: Target) -> Iterator[str]:
    """Yield the OCR forms under which a word is found: its own, and ``rn`` for ``m``."""
    yield target.ocr_form
    if not target.may_break:
        return
    for sign, other in (("m", "rn"), ("rn", "m")):
        at = target.ocr_form.find(sign)
        if at >= 0:
            yield target.ocr_form.replace(sign, other)
        while at >= 0:
            yield target.ocr_form[:at] + other + target.ocr_form[at + len(sign) :]
            at = target.ocr_form.find(sign, at + 1)
