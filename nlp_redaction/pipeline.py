"""The search from end to end: rules, known identifiers, model, one decision."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from nlp_redaction.decision.propagation import propagate
from nlp_redaction.decision.protected_terms import find_protected
from nlp_redaction.decision.resolve import decide, merge
from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.document.phrases import Phrases
from nlp_redaction.document.spans import Span
from nlp_redaction.document.text import Document
from nlp_redaction.document.zero_width import drop_invisible, map_back
from nlp_redaction.errors import TextRefused
from nlp_redaction.known_identifiers import find_known
from nlp_redaction.models.labels import Probabilities
from nlp_redaction.models.load import LoadedModel, load_model
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.registry import list_recognisers
from nlp_redaction.search import Query, Searched, SearchedText
from nlp_redaction.settings import Settings

_BATCH: Final = 32


class Finder:
    """Finds identifiers in texts, one text or many.

    A finder is made once and used for ever: it keeps no text and does not grow.
    """

    def __init__(
        self, mode: str = "thorough", settings: Settings | None = None
    ) -> None:
        """Load what the mode needs.

        Args:
            mode: ``thorough``, ``fast``, ``rules`` (no model), or the folder of a
                spaCy pipeline with named entities or a word tagger.
            settings: What the deployment sets.

        Raises:
            ModelMissing: The mode's model cannot be loaded.
        """
        self.settings = settings or Settings()
        self._keep_words = Phrases(self.settings.keep_words)
        self._recognisers: Sequence[Recogniser] = list_recognisers(self.settings)
        self._model: LoadedModel = load_model(mode)

    def find(self, text: str, known: KnownIdentifiers = NOTHING_KNOWN) -> SearchedText:
        """Return what hides in one text; its spans are ordered and do not overlap.

        Raises:
            TextRefused: The text cannot be searched; it must be withheld.
        """
        return next(self.find_all([(text, known)]))

    def find_all(
        self, texts: Iterable[tuple[str, KnownIdentifiers]]
    ) -> Iterator[SearchedText]:
        """Search many texts, some at a time, in order.

        Raises:
            TextRefused: One of them cannot be searched.
        """
        batch: list[tuple[str, KnownIdentifiers]] = []
        for pair in texts:
            batch.append(pair)
            if len(batch) == _BATCH:
                yield from self._find_batch(batch)
                batch.clear()
        yield from self._find_batch(batch)

    def try_all(self, texts: Iterable[Query]) -> list[Searched]:
        """Search many texts; a refused one is answered by its refusal, in its place."""
        read = [(self._try_read(text), known) for text, known in texts]
        readable = [
            (document, known)
            for document, known in read
            if isinstance(document, Document)
        ]
        found = self._search(
            [document for document, _ in readable], [known for _, known in readable]
        )
        return [
            document if isinstance(document, TextRefused) else next(found)
            for document, _ in read
        ]

    def list_evidence(
        self, document: Document, known: KnownIdentifiers = NOTHING_KNOWN
    ) -> list[Span]:
        """Return every span of the rules before the decision, in no order."""
        spans: list[Span] = []
        for recogniser in self._recognisers:
            if recogniser.may_find(document):
                spans += recogniser.find(document)
        if known:
            spans += find_known(document, known)
        return spans

    def _read(self, text: object) -> Document:
        return Document.read(text, longest=self.settings.longest_text)

    def _try_read(self, text: object) -> Document | TextRefused:
        try:
            return self._read(text)
        except TextRefused as refusal:
            return refusal

    def _find_batch(
        self, batch: Sequence[tuple[str, KnownIdentifiers]]
    ) -> Iterator[SearchedText]:
        documents = [self._read(text) for text, _ in batch]
        yield from self._search(documents, [known for _, known in batch])

    def _search(
        self, documents: Sequence[Document], knowns: Sequence[KnownIdentifiers]
    ) -> Iterator[SearchedText]:
        if not documents:
            return
        predicted = self._model.predict(documents)
        for document, known, probabilities in zip(
            documents, knowns, predicted, strict=True
        ):
            yield self._decide(document, known, probabilities)

    def _decide(
        self,
        document: Document,
        known: KnownIdentifiers,
        probabilities: Probabilities | None,
    ) -> SearchedText:
        protected = find_protected(document)
        bounds = [term.bounds for term in protected]
        found = decide(
            document,
            self.list_evidence(document, known),
            bounds,
            probabilities,
            self._model,
            kept=self._keep_words.find(document),
        )
        found = propagate(document, found, bounds)
        found = merge(document, found)
        hidden = self._search_visible(document, known)
        return SearchedText(document, merge(document, [*found, *hidden]), protected)

    def _search_visible(
        self, document: Document, known: KnownIdentifiers
    ) -> Iterator[Span]:
        """Search once more without the signs that nobody sees, if there are any."""
        visible = drop_invisible(document.text)
        if visible is None:
            return
        text, kept = visible
        for searched in self._search([self._read(text)], [known]):
            for span in searched.spans:
                yield map_back(span, kept)
