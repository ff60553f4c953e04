"""Redaction of free text. Until a redactor answers, a text is withheld."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedTexts:
    """One answer a text, in order: redacted, or None with a code when withheld."""

    texts: Sequence[str | None]
    codes: Sequence[str | None]


class TextRedactor(Protocol):
    """Finds and replaces identifiers in texts; never returns what it cannot check."""

    def redact(self, texts: Sequence[str | None]) -> RedactedTexts:
        """Return as many answers as texts; a null text stays null, without code."""
        ...
