"""The model of ``fast``: a compact spaCy CNN that tags words, read without threads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import spacy
from spacy.pipeline import Tagger as SpacyTagger
from thinc.api import NumpyOps

from nlp_redaction.document.text import Document
from nlp_redaction.errors import ModelMissing
from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.models.labels import CLASS_NAMES, NONE, Probabilities
from nlp_redaction.models.passages import find_passages
from nlp_redaction.models.tagged_words import write_doc

_BATCH: Final = 256


class _Arithmetic(NumpyOps):  # type: ignore[misc] # thinc is compiled, untyped
    """Thinc's arithmetic with numpy's own matrix product.

    Measured on one core, it is about twice as fast as the one that thinc brings along.
    """

    def gemm(
        self,
        x: np.ndarray,
        y: np.ndarray,
        out: np.ndarray | None = None,
        trans1: bool = False,  # noqa: FBT001, FBT002 - thinc's signature
        trans2: bool = False,  # noqa: FBT001, FBT002
    ) -> np.ndarray:
        """Multiply two matrices; see ``thinc.api.Ops.gemm``."""
        return np.dot(x.T if trans1 else x, y.T if trans2 else y, out=out)


class Tagger:
    """Judges every word of a document by its neighbours on both sides."""

    def __init__(self, folder: Path) -> None:
        """Load the pipeline.

        Raises:
            ModelMissing: It is not there or holds other tags.
        """
        try:
            self._nlp = spacy.load(folder / "pipeline")
            component = self._nlp.get_pipe("tagger")
        except Exception as error:
            message = (
                f"The model of the mode fast cannot be loaded from {folder.name}; "
                "install the package again."
            )
            raise ModelMissing(message) from error
        if not isinstance(component, SpacyTagger) or set(component.labels) != set(
            CLASS_NAMES
        ):
            message = "The model of the mode fast does not fit this version."
            raise ModelMissing(message)
        self._model = component.model
        # Words of a list may stay in the vocabulary; words of texts leave it again.
        for word in sorted(
            read_lexicon("clinical_words") | read_lexicon("plain_words")
        ):
            self._nlp.vocab[word]
            self._nlp.vocab[word.capitalize()]
        arithmetic = _Arithmetic()
        for layer in self._model.walk():
            layer.ops = arithmetic
        self._columns = [component.labels.index(name) for name in CLASS_NAMES]

    def predict(self, documents: Sequence[Document]) -> list[Probabilities]:
        """Return the probabilities of every token of every document.

        Passages where nothing can hide are not read: their words are no identifiers
        as far as the model is concerned.
        """
        answers = [_start_answer(document) for document in documents]
        passages = [
            (number, tokens)
            for number, document in enumerate(documents)
            for tokens in find_passages(document)
        ]
        for at in range(0, len(passages), _BATCH):
            self._predict_batch(documents, passages[at : at + _BATCH], answers)
        return answers

    def _predict_batch(
        self,
        documents: Sequence[Document],
        passages: Sequence[tuple[int, range]],
        answers: list[Probabilities],
    ) -> None:
        # What a document adds to the string store leaves with the zone: without it
        # the vocabulary would grow with every text.
        with self._nlp.memory_zone():
            written = [
                write_doc(self._nlp.vocab, documents[number], tokens)
                for number, tokens in passages
            ]
            scores = self._model.predict([doc for doc, _ in written])
            for (number, _), (_, places), score in zip(
                passages, written, scores, strict=True
            ):
                self._keep_scores(answers[number], places, np.asarray(score))

    def _keep_scores(
        self, answer: Probabilities, places: list[int], scores: np.ndarray
    ) -> None:
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        at = np.asarray(places)
        answer[at[at >= 0]] = odds[at >= 0][:, self._columns]


def _start_answer(document: Document) -> Probabilities:
    answer = np.zeros((len(document.words), len(CLASS_NAMES)), np.float32)
    answer[:, NONE] = 1
    return answer
