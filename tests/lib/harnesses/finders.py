"""A finder without models: it finds the words that the test names."""

import re
from collections.abc import Iterable

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.document.spans import Label, ProtectedTerm, Span
from nlp_redaction.document.text import Document
from nlp_redaction.errors import TextRefused
from nlp_redaction.search import Query, Searched, SearchedText


class WordFinder:
    """Finds given words, hints at others, and breaks over a text with ``BREAK``."""

    def __init__(
        self,
        words: Iterable[str] = ("Smith", "Ada"),
        *,
        hints: Iterable[str] = (),
        label: Label = Label.NAME,
    ) -> None:
        self.words = tuple(words)
        self.hints = tuple(hints)
        self.label = label
        self.sizes: list[int] = []

    def find(self, text: str, known: KnownIdentifiers = NOTHING_KNOWN) -> SearchedText:
        document = Document.read(text, longest=1000)
        if "BREAK" in text:
            raise RuntimeError("secret " + text)
        spans = self._mark(text, (*self.words, *known.names), 0.9)
        protected = [
            ProtectedTerm(*found.span(), "an eponym")
            for found in re.finditer("Paget", text)
        ]
        return SearchedText(document, spans, protected)

    def list_evidence(
        self, document: Document, known: KnownIdentifiers = NOTHING_KNOWN
    ) -> list[Span]:
        strong = self._mark(document.text, (*self.words, *known.names), 0.9)
        return [*strong, *self._mark(document.text, self.hints, 0.3)]

    def try_all(self, texts: Iterable[Query]) -> list[Searched]:
        answers: list[Searched] = []
        for text, known in texts:
            try:
                answers.append(self.find(text, known))  # type: ignore[arg-type]
            except TextRefused as refusal:
                answers.append(refusal)
        self.sizes.append(len(answers))
        return answers

    def _mark(self, text: str, words: Iterable[str], score: float) -> list[Span]:
        found = [
            Span(*match.span(), self.label, score, "WordFinder", "a listed word")
            for word in words
            for match in re.finditer(rf"\b{re.escape(word)}\b", text)
        ]
        return sorted(found, key=lambda span: span.start)
