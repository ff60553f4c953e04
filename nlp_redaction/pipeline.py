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
from nlp_redaction.document.zero_width import drop_invisible, put_back
from nlp_redaction.errors import TextRefused
from nlp_redaction.known_identifiers import find_known
from nlp_redaction.models.load import LoadedModel, load_model
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.registry import list_recognisers
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

    def find(self, text: str, known: KnownIdentifiers = NOTHING_KNOWN) -> list[Span]:
        """Return what hides in one text: ordered, not overlapping.

        Raises:
            TextRefused: The text cannot be searched; it must be withheld.
        """
        return next(self.find_all([(text, known)]))

    def find_all(
        self, texts: Iterable[tuple[str, KnownIdentifiers]]
    ) -> Iterator[list[Span]]:
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

    def try_all(
        self, texts: Iterable[tuple[object, KnownIdentifiers]]
    ) -> list[list[Span] | TextRefused]:
        """Search many texts; a refused one is answered by its refusal, in its place."""
        pairs = list(texts)
        answers: list[list[Span] | TextRefused] = []
        documents: list[Document] = []
        readable: list[int] = []
        for at, (text, _) in enumerate(pairs):
            try:
                documents.append(self._read(text))
            except TextRefused as refusal:
                answers.append(refusal)
            else:
                readable.append(at)
                answers.append([])
        knowns = [pairs[at][1] for at in readable]
        for at, found in zip(readable, self._search(documents, knowns), strict=True):
            answers[at] = found
        return answers

    def look(self, text: str, known: KnownIdentifiers = NOTHING_KNOWN) -> list[Span]:
        """Return everything that was said of a text before the decision, for explain."""
        document = self._read(text)
        return self._ask_rules(document, known)

    def _read(self, text: object) -> Document:
        return Document.read(text, longest=self.settings.longest_text)

    def _find_batch(
        self, batch: Sequence[tuple[str, KnownIdentifiers]]
    ) -> Iterator[list[Span]]:
        documents = [self._read(text) for text, _ in batch]
        yield from self._search(documents, [known for _, known in batch])

    def _search(
        self, documents: Sequence[Document], knowns: Sequence[KnownIdentifiers]
    ) -> Iterator[list[Span]]:
        if not documents:
            return
        judged = self._model.judge(documents)
        for document, known, probabilities in zip(
            documents, knowns, judged, strict=True
        ):
            spans = self._ask_rules(document, known)
            found = decide(
                document,
                spans,
                find_protected(document),
                probabilities,
                self._model,
                kept=self._keep_words.find(document),
            )
            found = merge(document, propagate(document, found))
            yield merge(document, [*found, *self._look_through(document, known)])

    def _look_through(
        self, document: Document, known: KnownIdentifiers
    ) -> Iterator[Span]:
        """Search once more without the signs that nobody sees, if there are any."""
        seen = drop_invisible(document.text)
        if seen is None:
            return
        text, kept = seen
        for spans in self._search([self._read(text)], [known]):
            for span in spans:
                yield put_back(span, kept)

    def _ask_rules(self, document: Document, known: KnownIdentifiers) -> list[Span]:
        spans: list[Span] = []
        for recogniser in self._recognisers:
            if recogniser.may_find(document):
                spans += recogniser.find(document)
        if known:
            spans += find_known(document, known)
        return spans
