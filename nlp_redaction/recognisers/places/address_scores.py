"""How sure a name before a street's last word is, with a house number or without."""

from functools import cached_property
from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.recognisers.places.address_join import Piece
from nlp_redaction.recognisers.places.address_parts import is_followed_by_name
from nlp_redaction.recognisers.places.address_words import (
    BARE_STREETS,
    LOWER_HOUSES,
    NEVER_NAMES,
    NUMBER_WORDS,
    SIGNS,
    SURE_HOUSES,
    Sign,
)
from nlp_redaction.recognisers.rules import Rule, always, score_by

_SHORT: Final = frozenset(("dr", "ct", "str", "pl", "ter", "gr", "av"))
_MOST_LOWER_WORDS: Final = 2
_ORDINARY: Final = read_lexicon("clinical_words")


class _Street:
    """A name and the street's last word that it ends with.

    Attributes:
        written: The last word as it is written.
        word: The same, folded.
        sign: What kind of last word it is.
        name: The words of the name, without the last.
    """

    def __init__(self, document: Document, first: int, last: int) -> None:
        self.document = document
        self.first = first
        self.last = last
        self.written = document.words[last]
        self.word = document.folded[last]
        self.sign = SIGNS[self.word]
        self.name = [word for word in document.words[first:last] if word[0].isalpha()]

    @cached_property
    def is_ordinary(self) -> bool:
        """Whether the name is made of ordinary words alone: "New Drive"."""
        return all(word.lower() in _ORDINARY for word in self.name)

    @property
    def is_upper(self) -> bool:
        """Whether the last word is in capitals."""
        return self.written.isupper() and len(self.written) > 1

    def is_sure_house(self) -> bool:
        """Tell whether a house's name stands behind "at", or fills its part of a list."""
        return (
            self.sign is Sign.HOUSE
            and not self.is_ordinary
            and self.written.istitle()
            and self.word in SURE_HOUSES
            and (
                self.document.folded[self.first - 1 : self.first] == ["at"]
                or self._stands_apart()
            )
        )

    def _stands_apart(self) -> bool:
        """Tell whether a name fills its part of a list or line."""
        plain = self.document.plain
        start, end = self.document.starts[self.first], self.document.ends[self.last]
        before = plain[max(0, start - 2) : start].strip(" ")
        return before[-1:] in ("", ",", "(", "|", "\n") and (
            plain[end : end + 1] in ("", ",", ".", ")", "|", "\n", "\r")
        )


_CAPITALISED: Final[tuple[Rule[_Street], ...]] = (
    Rule(lambda s: s.word in _SHORT, 0.2, "short street word"),
    Rule(_Street.is_sure_house, 0.55, "name of a house, apart"),
    Rule(lambda s: s.sign is Sign.HOUSE, 0.2, "name of a house"),
    Rule(lambda s: s.is_upper and s.is_ordinary, 0.2, "ordinary words in capitals"),
    Rule(
        lambda s: not s.written[0].isupper() and s.word not in BARE_STREETS,
        0.0,
        "a street word in small letters",
    ),
    Rule(
        lambda s: s.sign is Sign.STREET and (s.is_ordinary or s.is_upper),
        0.55,
        "street by an ordinary word",
    ),
    Rule(lambda s: s.sign is Sign.STREET, 0.8, "street"),
    Rule(lambda s: s.is_ordinary or s.is_upper, 0.2, "street word"),
    Rule(always, 0.55, "street by name"),
)


def score_capitalised(document: Document, first: int, last: int) -> Piece | None:
    """Score a capitalised name before a street's last word, without a number."""
    score, reason = score_by(_CAPITALISED, _Street(document, first, last))
    return Piece(first, last, score, reason) if score else None


class _NumberedStreet(_Street):
    """A number, a name and the street's last word."""

    def __init__(self, document: Document, first: int, last: int) -> None:
        super().__init__(document, first, last)
        self.name = [
            word
            for word in document.words[first:last]
            if len(word) > 1 and word.isalpha() and word.lower() not in NUMBER_WORDS
        ]

    def is_doctor(self) -> bool:
        """Tell whether "dr" is a title: "4 seen dr Jones"."""
        return self.word == "dr" and is_followed_by_name(self.document, self.last)

    def is_capitalised(self) -> bool:
        """Tell whether the name and the last word have capitals."""
        return self.name[0][0].isupper() and self.written[0].isupper()

    def is_believable(self) -> bool:
        """Tell whether a lower-case name and a doubtful street word go together."""
        return (
            (self.sign is Sign.PLACE or self.word in LOWER_HOUSES)
            and len(self.name) <= _MOST_LOWER_WORDS
            and not any(word.lower() in NEVER_NAMES for word in self.name)
            and any(word.islower() and word not in _ORDINARY for word in self.name)
        )


_NUMBERED: Final[tuple[Rule[_NumberedStreet], ...]] = (
    Rule(lambda s: not s.name, 0.0, "no name"),
    Rule(_NumberedStreet.is_doctor, 0.0, "a doctor"),
    Rule(
        lambda s: s.sign is Sign.STREET and s.name[0][0].isupper(),
        0.9,
        "number and street",
    ),
    Rule(lambda s: s.sign is Sign.STREET, 0.75, "number and street, uncapitalised"),
    Rule(
        lambda s: s.is_capitalised() and s.is_ordinary and s.written.isupper(),
        0.3,
        "number and ordinary words in capitals",
    ),
    Rule(_NumberedStreet.is_capitalised, 0.8, "numbered name"),
    Rule(
        lambda s: s.is_ordinary or not s.is_believable(), 0.2, "number and street word"
    ),
    Rule(always, 0.6, "numbered name, uncapitalised"),
)


def score_numbered(document: Document, first: int, last: int) -> Piece | None:
    """Score a number, a name and a street's last word."""
    score, reason = score_by(_NUMBERED, _NumberedStreet(document, first, last))
    return Piece(first, last, score, reason) if score else None
