"""Any other spaCy pipeline in the place of ours, named by its folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import spacy
from spacy.tokens import Span as SpacySpan

from nlp_redaction.document.spans import Label
from nlp_redaction.document.text import Document
from nlp_redaction.errors import ModelMissing
from nlp_redaction.models.labels import CLASS_NAMES, NONE, Probabilities

# The names that the pipelines of spaCy and of the shared tasks give to what we look for.
_LABELS: Final[dict[str, Label]] = {
    "PERSON": Label.NAME,
    "PER": Label.NAME,
    "PATIENT": Label.NAME,
    "STAFF": Label.NAME,
    "GPE": Label.LOCATION,
    "LOC": Label.LOCATION,
    "FAC": Label.LOCATION,
    "HOSP": Label.LOCATION,
    "ORG": Label.ORG,
    "DATE": Label.DATE,
    **{label.value: label for label in Label},
}
# An entity of a pipeline that gives no probability counts as fairly probable.
_PROBABLE: Final = 0.8
# Kinds that such pipelines overdo in clinical prose ("two weeks" is a DATE to them).
_DOUBTFUL: Final = frozenset({"DATE", "ORG"})
_DOUBT: Final = 0.3


class PlugIn:
    """Judges words by the named entities of a spaCy pipeline."""

    def __init__(self, folder: Path) -> None:
        """Load the pipeline.

        Raises:
            ModelMissing: It cannot be loaded or finds no named entities.
        """
        try:
            self._nlp = spacy.load(folder)
        except Exception as error:
            message = (
                f"The folder {folder.name} holds no spaCy pipeline that loads here."
            )
            raise ModelMissing(message) from error
        labels = {label for found in self._nlp.pipe_labels.values() for label in found}
        if _LABELS.keys().isdisjoint(labels):
            message = (
                f"The pipeline in {folder.name} finds no named entities of a kind that "
                "is known here, such as PERSON."
            )
            raise ModelMissing(message)

    def predict(self, documents: Sequence[Document]) -> list[Probabilities]:
        """Return the probabilities of every token of every document."""
        return [self._predict(document) for document in documents]

    def _predict(self, document: Document) -> Probabilities:
        answer = np.zeros((len(document.words), len(CLASS_NAMES)), np.float32)
        answer[:, NONE] = 1
        with self._nlp.memory_zone():
            for entity in self._nlp(document.plain).ents:
                self._mark(answer, document, entity)
        return answer

    def _mark(
        self, answer: Probabilities, document: Document, entity: SpacySpan
    ) -> None:
        label = _LABELS.get(entity.label_)
        if label is None:
            return
        probability = _DOUBT if entity.label_ in _DOUBTFUL else _PROBABLE
        column = CLASS_NAMES.index(label.value)
        token = max(document.token_at(entity.start_char), 0)
        while token < len(document.starts) and document.starts[token] < entity.end_char:
            if document.ends[token] > entity.start_char:
                answer[token, column] = probability
                answer[token, NONE] = 1 - probability
            token += 1
