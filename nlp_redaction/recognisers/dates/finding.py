"""What the readers of dates hand back."""

from collections.abc import Callable
from dataclasses import dataclass

from nlp_redaction.document.text import Document


@dataclass(frozen=True, slots=True)
class Finding:
    """A date, or what may be one; ``month`` is set where other dates may decide."""

    start: int
    end: int
    score: float
    reason: str
    month: int = 0
    form: str = ""


Reader = Callable[[Document, int], Finding | None]
"""Tries to read a date that begins with the token of an index."""
