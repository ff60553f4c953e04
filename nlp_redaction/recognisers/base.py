"""What all recognisers share: a way in from our pipeline and one from Presidio."""

from abc import abstractmethod
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from presidio_analyzer import AnalysisExplanation, LocalRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from nlp_redaction.spans import Label, Span
from nlp_redaction.text import Document


@lru_cache(maxsize=1)
def _read_once(text: str) -> Document:
    """Share one document between the recognisers that a Presidio engine calls."""
    return Document.read(text)


class Recogniser(LocalRecognizer):
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
        super().__init__(
            supported_entities=[label.value for label in self.labels],
            name=type(self).__name__,
        )

    def load(self) -> None:
        """Nothing to load: patterns are compiled with the module."""

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

    def analyze(
        self,
        text: str,
        entities: list[str],
        nlp_artifacts: NlpArtifacts | None = None,  # noqa: ARG002 - Presidio's signature
    ) -> list[RecognizerResult]:
        """Answer a Presidio engine; see ``presidio_analyzer.EntityRecognizer``."""
        document = _read_once(text)
        if not self.may_find(document):
            return []
        return [
            RecognizerResult(
                span.label.value,
                span.start,
                span.end,
                span.score,
                AnalysisExplanation(
                    recognizer=span.recogniser,
                    original_score=span.score,
                    textual_explanation=span.reason,
                ),
                {
                    RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                    RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
                },
            )
            for span in self.find(document)
            if not entities or span.label.value in entities
        ]
