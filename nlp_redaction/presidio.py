"""Our recognisers as Presidio's, for those who run its engine.

Apart from the recognisers, because importing Presidio takes the time and memory of spaCy,
and of PyTorch where that is installed: none of it is needed to redact.
"""

from weakref import WeakKeyDictionary

from presidio_analyzer import (
    AnalysisExplanation,
    LocalRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.nlp_engine import NlpArtifacts

from nlp_redaction.document.spans import Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.registry import list_recognisers
from nlp_redaction.settings import Settings

# An engine hands the same artefacts to all recognisers of a call, and drops them then:
# the document goes with them, so that no text stays behind.
_DOCUMENTS: WeakKeyDictionary[NlpArtifacts, Document] = WeakKeyDictionary()


def _read_once(text: str, artifacts: NlpArtifacts | None) -> Document:
    """Share one document between the recognisers that an engine calls."""
    if artifacts is None:
        return Document.read(text)
    document = _DOCUMENTS.get(artifacts)
    if document is None or document.text != text:
        document = _DOCUMENTS[artifacts] = Document.read(text)
    return document


class PresidioRecogniser(LocalRecognizer):
    """One of our recognisers, usable in any Presidio registry."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        super().__init__(
            supported_entities=[label.value for label in recogniser.labels],
            name=recogniser.name,
        )

    def load(self) -> None:
        """Nothing to load: patterns are compiled with their module."""

    def analyze(
        self,
        text: str,
        entities: list[str],
        nlp_artifacts: NlpArtifacts | None = None,
    ) -> list[RecognizerResult]:
        """Answer an engine; see ``presidio_analyzer.EntityRecognizer``."""
        document = _read_once(text, nlp_artifacts)
        if not self._recogniser.may_find(document):
            return []
        return [
            self._translate(span)
            for span in self._recogniser.find(document)
            if not entities or span.label.value in entities
        ]

    def _translate(self, span: Span) -> RecognizerResult:
        return RecognizerResult(
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
                RecognizerResult.RECOGNIZER_NAME_KEY: self._recogniser.name,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
            },
        )


def make_registry(settings: Settings | None = None) -> RecognizerRegistry:
    """Return a registry for Presidio's own engine, without its default recognisers."""
    ours = [PresidioRecogniser(each) for each in list_recognisers(settings)]
    return RecognizerRegistry(recognizers=ours)
