"""What all recognisers share; ``nlp_redaction.presidio`` makes Presidio's of them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document


class Recogniser(ABC):
    """Finds one kind of identifier in a document, without a model.

    Attributes:
        labels: What it may find.
        needs_digit: Whether a text without a digit can be skipped.
        needs_sign: Signs of which the text must hold one, or it is skipped.
    """

    labels: ClassVar[tuple[Label, ...]]
    needs_digit: ClassVar[bool] = False
    needs_sign: ClassVar[str] = ""
    name: str

    def __init__(self) -> None:
        self.name = type(self).__name__

    @abstractmethod
    def find(self, document: Document) -> Iterator[Span]:
        """Yield what is found, in any order; spans may overlap."""

    def may_find(self, document: Document) -> bool:
        """Tell cheaply whether looking is worth while."""
        if self.needs_digit and not document.has_digit:
            return False
        return not self.needs_sign or any(
            sign in document.plain for sign in self.needs_sign
        )

    def span(
        self, start: int, end: int, label: Label, score: float, reason: str
    ) -> Span:
        """Make a span in this recogniser's name."""
        return Span(start, end, label, score, self.name, reason)
