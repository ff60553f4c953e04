"""Makes more notes of one: other names, places, numbers and dates, case and slips.

Each call draws anew from its generator, so that every pass over the corpus reads other
people in the same situations. The spans move along.
"""

import hashlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from nlp_redaction.evaluation.annotated_notes import GoldSpan, Note
from nlp_redaction.lexicons import read_lexicon

_TRAINING_SHARE: Final = 7
_WORD: Final = re.compile(r"[^\W\d_]+")
_NUMBER: Final = re.compile(r"\d+")
_LONGEST_INITIALS: Final = 3
_OCR: Final = {
    "o": "0",
    "O": "0",
    "l": "1",
    "I": "l",
    "i": "l",
    "m": "rn",
    "S": "5",
    "B": "8",
    "0": "O",
    "1": "l",
}


def is_for_training(word: str) -> bool:
    """Tell whether a listed word belongs to training; the others are for tuning."""
    return hashlib.sha256(word.lower().encode()).digest()[0] % 10 < _TRAINING_SHARE


@cache
def _list_words(lexicon: str, *, training: bool) -> tuple[str, ...]:
    words = sorted(read_lexicon(lexicon))
    return tuple(word for word in words if is_for_training(word) == training)


@cache
def _list_common_word_names() -> tuple[str, ...]:
    return tuple(sorted(read_lexicon("common_word_names")))


@dataclass
class Rates:
    """How often each change is made; a note, a word or a sign at a time as named."""

    swap_names_of_note: float = 0.75
    swap_name: float = 0.85
    common_word_name: float = 0.12
    swap_places_of_note: float = 0.6
    renumber_note: float = 0.8
    lower_note: float = 0.10
    upper_note: float = 0.06
    lower_names: float = 0.08
    upper_names: float = 0.06
    typing_note: float = 0.15
    typing_sign: float = 0.012
    ocr_note: float = 0.05
    ocr_sign: float = 0.04


@dataclass
class Augmenter:
    """Draws variants of notes.

    Attributes:
        generator: The source of chance; the same seed gives the same variants.
        training: Whether to draw from the lists of training or of tuning.
        rates: How often each change is made.
    """

    generator: random.Random
    training: bool = True
    rates: Rates = field(default_factory=Rates)

    def augment(self, note: Note) -> Note:
        """Return one variant of a note."""
        note = self._swap(note)
        note = self._change_case(note)
        return self._make_slips(note)

    def _happens(self, rate: float) -> bool:
        return self.generator.random() < rate

    # --- other people, places and numbers

    def _swap(self, note: Note) -> Note:
        names: dict[str, str] = {}
        swaps: dict[str, Callable[[str], str]] = {}
        if self._happens(self.rates.swap_names_of_note):
            swaps["NAME"] = lambda text: self._rename(text, names)
        if self._happens(self.rates.swap_places_of_note):
            swaps["LOCATION"] = lambda text: self._move(text, names)
            swaps["ADDRESS"] = lambda text: self._renumber(self._move(text, names))
        if self._happens(self.rates.renumber_note):
            for label in ("ID", "PHONE", "NHS_NUMBER", "POSTCODE"):
                swaps[label] = self._renumber
            swaps["DATE"] = self._redate
        return _rewrite_spans(note, swaps)

    def _rename(self, text: str, names: dict[str, str]) -> str:
        words = list(_WORD.finditer(text))
        last = len(words) - 1
        count = iter(range(len(words)))

        def replace(match: re.Match[str]) -> str:
            at = next(count)
            word = match.group()
            key = word.lower()
            if key not in names:
                names[key] = self._draw_name(word, is_last=at == last and last > 0)
            return _copy_case(word, names[key])

        return _WORD.sub(replace, text)

    def _draw_name(self, word: str, *, is_last: bool) -> str:
        if len(word) == 1:
            return self.generator.choice("abcdefghijklmnoprstwyz")
        if word.isupper() and len(word) <= _LONGEST_INITIALS:
            return "".join(self.generator.choice("abcdefghjklmnoprstw") for _ in word)
        if not self._happens(self.rates.swap_name) or len(word) <= 2:  # noqa: PLR2004 - "Mc", "de", "Al"
            return word.lower()
        if self._happens(self.rates.common_word_name):
            return self.generator.choice(_list_common_word_names())
        lexicon = "surnames" if is_last else "forenames"
        return self.generator.choice(_list_words(lexicon, training=self.training))

    def _move(self, text: str, names: dict[str, str]) -> str:
        lower = text.lower()
        if lower in read_lexicon("places"):
            if lower not in names:
                names[lower] = self.generator.choice(
                    _list_words("places", training=self.training)
                )
            return _copy_case(text, names[lower])
        words = [w for w in _WORD.findall(text) if w.lower() in _place_words()]
        for word in words:
            drawn = self.generator.choice(_list_words("places", training=self.training))
            drawn = names.setdefault(word.lower(), drawn)
            text = text.replace(word, _copy_case(word, drawn), 1)
        return text

    def _renumber(self, text: str) -> str:
        def replace(match: re.Match[str]) -> str:
            return "".join(self.generator.choice("0123456789") for _ in match.group())

        return _NUMBER.sub(replace, text)

    def _redate(self, text: str) -> str:
        def replace(match: re.Match[str]) -> str:
            number = match.group()
            if len(number) == 4:  # noqa: PLR2004 - a year
                return str(self.generator.randint(1925, 2025))
            if len(number) <= 2:  # noqa: PLR2004 - a day, a month or a short year
                drawn = str(self.generator.randint(1, 12))
                return drawn.zfill(2) if number.startswith("0") else drawn
            return number

        return _NUMBER.sub(replace, text)

    # --- case

    def _change_case(self, note: Note) -> Note:
        draw = self.generator.random()
        rates = self.rates
        if draw < rates.lower_note:
            return _map_text(note, str.lower)
        draw -= rates.lower_note
        if draw < rates.upper_note:
            return _map_text(note, str.upper)
        draw -= rates.upper_note
        labels = ("NAME", "LOCATION", "ORG", "ADDRESS", "POSTCODE", "DATE")
        if draw < rates.lower_names:
            return _rewrite_spans(note, dict.fromkeys(labels, str.lower))
        draw -= rates.lower_names
        if draw < rates.upper_names:
            return _rewrite_spans(note, dict.fromkeys(labels[:3], str.upper))
        return note

    # --- slips of typing and of scanning

    def _make_slips(self, note: Note) -> Note:
        draw = self.generator.random()
        if draw < self.rates.typing_note:
            return self._edit_signs(note, self._mistype, self.rates.typing_sign)
        if draw < self.rates.typing_note + self.rates.ocr_note:
            return self._edit_signs(note, lambda s: _OCR.get(s, s), self.rates.ocr_sign)
        return note

    def _mistype(self, sign: str) -> str:
        if not sign.isalpha():
            return "" if sign == " " and self._happens(0.3) else sign
        return self.generator.choice(
            ("", sign * 2, self.generator.choice("abcdefghijklmnopqrstuvwxyz"))
        )

    def _edit_signs(self, note: Note, edit: Callable[[str], str], rate: float) -> Note:
        signs = [edit(s) if self._happens(rate) else s for s in note.text]
        offsets = [0]
        for sign in signs:
            offsets.append(offsets[-1] + len(sign))
        spans = tuple(
            GoldSpan(offsets[s.start], offsets[s.end], s.label)
            for s in note.spans
            if offsets[s.start] < offsets[s.end]
        )
        return Note(note.name, note.kind, note.style, "".join(signs), spans)


@cache
def _place_words() -> frozenset[str]:
    return frozenset(place for place in read_lexicon("places") if " " not in place)


def _copy_case(pattern: str, word: str) -> str:
    if pattern.isupper() and len(pattern) > 1:
        return word.upper()
    if pattern[:1].isupper():
        return " ".join(part[:1].upper() + part[1:] for part in word.split(" "))
    return word.lower()


def _map_text(note: Note, change: Callable[[str], str]) -> Note:
    """Change sign by sign, where a change keeps the length."""
    text = "".join(
        changed if len(changed := change(sign)) == 1 else sign for sign in note.text
    )
    return Note(note.name, note.kind, note.style, text, note.spans)


def _rewrite_spans(note: Note, changes: dict[str, Callable[[str], str]]) -> Note:
    pieces: list[str] = []
    spans: list[GoldSpan] = []
    at = length = 0
    for span in note.spans:
        before, inside = note.text[at : span.start], note.text[span.start : span.end]
        change = changes.get(span.label)
        inside = (change(inside) if change else inside) or inside
        pieces += (before, inside)
        length += len(before)
        spans.append(GoldSpan(length, length + len(inside), span.label))
        length += len(inside)
        at = span.end
    pieces.append(note.text[at:])
    return Note(note.name, note.kind, note.style, "".join(pieces), tuple(spans))
