"""Other names for people: the same person is the same surrogate in all of the notes.

Every part of a name is replaced for itself, so that "Mrs Agyemang" and "Comfort
Agyemang" agree. The patient's key moves every first letter to another one and chooses
the part among the names with that letter, so that initials agree with the names.
"""

import re
import string
from collections.abc import Iterable
from functools import cache, cached_property
from typing import Final

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.replacement.keyed_choice import (
    Draws,
    canonical_word,
    match_case,
    strip_marks,
)

_PART: Final = re.compile(
    "[^\\W\\d_](?:[^\\W\\d_]|[\u0300-\u036f]|['\u2019\u02bc](?=[^\\W\\d_]))*"
)
_POSSESSIVE: Final = re.compile("['\u2019\u02bc]s$", re.IGNORECASE)
_RARE: Final = "iouvqxyz"
_COMMON: Final = "".join(sorted(set(string.ascii_lowercase) - set(_RARE)))
_LONGEST_INITIALS: Final = 3
_FEWEST: Final = 8
_MISTYPED_FROM: Final = 5


@cache
def _read_pool(name: str) -> dict[str, tuple[str, ...]]:
    """Group the names of a list by first letter, less those that are also words."""
    words = read_lexicon("clinical_words")
    pool: dict[str, list[str]] = {letter: [] for letter in string.ascii_lowercase}
    for entry in sorted(read_lexicon(name) - words):
        pool[entry[0]].append(entry.capitalize())
    return {letter: tuple(names) for letter, names in pool.items()}


def split_parts(name: str) -> list[str]:
    """Return the parts of a name without titles, particles and possessives."""
    parts = (_POSSESSIVE.sub("", part) for part in _PART.findall(name))
    return [part for part in parts if not _is_kept(part)]


def _is_kept(part: str) -> bool:
    return part.casefold() in read_lexicon("name_particles")


def is_one_error_away(first: str, second: str) -> bool:
    """Tell whether one letter was changed, dropped, added or swapped with the next."""
    if abs(len(first) - len(second)) > 1 or first == second:
        return False
    shorter, longer = sorted((first, second), key=len)
    at = next((i for i, sign in enumerate(shorter) if sign != longer[i]), len(shorter))
    if len(shorter) < len(longer):
        return shorter[at:] == longer[at + 1 :]
    swapped = longer[:at] + longer[at : at + 2][::-1] + longer[at + 2 :]
    return shorter[at + 1 :] == longer[at + 1 :] or shorter == swapped


class NameSurrogates:
    """The surrogates for names around one patient."""

    def __init__(self, key: bytes, known: KnownIdentifiers) -> None:
        self._key = key
        self._known = known

    @cached_property
    def _known_parts(self) -> frozenset[str]:
        names = (*self._known.names, *self._known.people)
        parts = {canonical_word(part) for name in names for part in split_parts(name)}
        return frozenset(part for part in parts if part)

    @cached_property
    def _letters(self) -> dict[str, str]:
        """Every letter's other letter: a cycle through the common, one the rare."""
        draws = Draws(self._key, "letters", "")
        moved: dict[str, str] = {}
        for group in (_COMMON, _RARE):
            order = list(group)
            # Sattolo's algorithm: one cycle through all, so no letter stays.
            for last in range(len(order) - 1, 0, -1):
                other = draws.below(last)
                order[last], order[other] = order[other], order[last]
            moved |= dict(zip(group, order, strict=True))
        return moved

    def replace(self, written: str) -> str:
        """Return a name of as many parts, in the same layout and case."""
        return _PART.sub(lambda match: self._replace_part(match.group()), written)

    def _replace_part(self, part: str) -> str:
        possessive = _POSSESSIVE.search(part)
        tail = possessive.group() if possessive and len(part) > len("d's") else ""
        stem = part[: len(part) - len(tail)]
        if _is_kept(stem) and len(stem) > 1:
            return part
        canonical = canonical_word(stem)
        if self._is_initials(stem, canonical):
            return self._move_letters(stem) + tail
        return match_case(stem, self._choose(self._mend(canonical))) + tail

    def _is_initials(self, stem: str, canonical: str) -> bool:
        if len(canonical) <= 1:
            return True
        return (
            len(canonical) <= _LONGEST_INITIALS
            and canonical.isascii()
            and stem in (stem.upper(), stem.lower())
            and canonical not in self._known_parts
            and canonical not in read_lexicon("surnames")
            and canonical not in read_lexicon("forenames")
        )

    def _move_letters(self, written: str) -> str:
        plain = strip_marks(written)
        return "".join(
            match_case(f"{sign}{sign}", self._move(sign.lower()).upper())
            for sign in plain
        )

    def _move(self, letter: str) -> str:
        if letter in self._letters:
            return self._letters[letter]
        return Draws(self._key, "letter", letter).choose(_COMMON)

    def _mend(self, canonical: str) -> str:
        """Return the known part that was mistyped, if one was; else the part itself."""
        if len(canonical) < _MISTYPED_FROM or canonical in self._known_parts:
            return canonical
        near = (p for p in self._known_parts if is_one_error_away(p, canonical))
        return min(near, default=canonical)

    def _choose(self, canonical: str) -> str:
        names = _list_names(_choose_lists(canonical), self._move(canonical[0]))
        draws = Draws(self._key, "name", canonical)
        return _draw_other(draws, names, {canonical, *self._known_parts})


def _draw_other(draws: Draws, names: Iterable[str], avoided: set[str]) -> str:
    free = [name for name in names if name.casefold() not in avoided]
    return draws.choose(free)


def _choose_lists(canonical: str) -> tuple[str, ...]:
    """Name the lists for a part: by the part alone, so that all its places agree."""
    for name in ("female_forenames", "male_forenames"):
        if canonical in read_lexicon(name):
            return (name,)
    forename = canonical in read_lexicon("forenames")
    if forename and canonical not in read_lexicon("surnames"):
        return ("female_forenames", "male_forenames")
    return ("surrogate_surnames",)


def _list_names(lists: tuple[str, ...], letter: str) -> tuple[str, ...]:
    names = tuple(name for entry in lists for name in _read_pool(entry)[letter])
    if len(names) < _FEWEST:
        names += _read_pool("surrogate_surnames")[letter]
    return names
