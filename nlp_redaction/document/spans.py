"""What a recogniser says of a text: from here to there hides an identifier."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

Stretch = tuple[int, int]
"""Offsets of the first code point of a part of a text and behind its last."""


class ProtectedTerm(NamedTuple):
    """A stretch that holds medicine, not people: an eponym, a brand, an abbreviation.

    Attributes:
        start: Offset of the first code point.
        end: Offset behind the last code point.
        reason: Why it is protected, as ``explain`` shows it; never a word of the text.
    """

    start: int
    end: int
    reason: str

    @property
    def bounds(self) -> Stretch:
        """Where it begins and ends."""
        return self.start, self.end


STANDS_ALONE: Final = 0.5
"""A span of this score or more is removed; a lower one needs another's support."""


class Label(StrEnum):
    """The kinds of identifier, as the annotated notes name them."""

    NAME = "NAME"
    DATE = "DATE"
    NHS_NUMBER = "NHS_NUMBER"
    ID = "ID"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    URL = "URL"
    ADDRESS = "ADDRESS"
    POSTCODE = "POSTCODE"
    LOCATION = "LOCATION"
    ORG = "ORG"
    AGE_90_PLUS = "AGE_90_PLUS"


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of a text that may identify somebody.

    Attributes:
        start: Offset of the first code point.
        end: Offset behind the last code point.
        label: What it seems to be.
        score: Between 0 and 1; see ``STANDS_ALONE``.
        recogniser: Who says so, as ``explain`` shows it.
        reason: Why, in a few words that never quote the text.
    """

    start: int
    end: int
    label: Label
    score: float
    recogniser: str
    reason: str = ""

    def overlaps(self, other: "Span") -> bool:
        """Tell whether the two share a code point."""
        return self.start < other.end and other.start < self.end


def sort_spans(spans: Iterable[Span]) -> list[Span]:
    """Order by place; of those that begin together the longest comes first."""
    return sorted(spans, key=lambda span: (span.start, -span.end, -span.score))
