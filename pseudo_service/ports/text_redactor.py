"""Redaction of free text: where nothing redacts, every text is withheld."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pseudo_service.core.redaction import TextAnswer, TextRow, TextStyle


class TextRedactor(Protocol):
    """Finds and replaces identifiers in texts; never returns what it cannot check."""

    def redact(self, rows: Sequence[TextRow], style: TextStyle) -> Sequence[TextAnswer]:
        """Return as many answers as texts, in order.

        A text that cannot be redacted is answered None, with the code that says why.
        Called by several threads at once.
        """
        ...

    def describe(self) -> Mapping[str, str]:
        """Return names and versions of what decides the answers, for the pins."""
        ...

    def close(self) -> None:
        """Stop what was started; texts that come later are withheld."""
        ...
