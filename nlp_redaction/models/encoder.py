"""The model of ``thorough``: a small encoder run by ONNX Runtime, on one thread."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from nlp_redaction.document.text import Document
from nlp_redaction.errors import ModelMissing
from nlp_redaction.models.labels import CLASS_NAMES, NONE, Probabilities
from nlp_redaction.models.windows import Window, WindowCutter

_UNTOUCHED: Final = 2.0


class Encoder:
    """Judges every word of a document in its context."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load the model.

        Raises:
            ModelMissing: A file is missing or cannot be read.
        """
        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            options = ort.SessionOptions()
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
            options.log_severity_level = 3
            self._session = ort.InferenceSession(
                str(folder / "model.onnx"), options, ["CPUExecutionProvider"]
            )
        except Exception as error:
            message = (
                f"The model of the mode thorough cannot be loaded from {folder.name}; "
                "install the package again."
            )
            raise ModelMissing(message) from error
        self._cutter = WindowCutter(tokenizer)

    def predict(self, documents: Sequence[Document]) -> list[Probabilities]:
        """Return the probabilities of every token of every document.

        A word of several pieces takes, for each kind, the highest probability of any
        of its pieces, and the lowest of being no identifier: one doubtful piece is
        enough to doubt the word.
        """
        answers = [_start_answer(document) for document in documents]
        passages: dict[bytes, _Passage] = {}
        for number, document in enumerate(documents):
            for window in self._cutter.cut(document):
                key = array("i", (*window.pieces, *window.classes)).tobytes()
                passage = passages.setdefault(key, _Passage(window, []))
                passage.places.append((number, window.tokens))
        for passage in passages.values():
            odds = self._read(passage.window)
            for number, places in passage.places:
                _keep_highest(answers[number], odds, np.asarray(places))
        for document, answer in zip(documents, answers, strict=True):
            _fill_gaps(document, answer)
        return answers

    def _read(self, window: Window) -> Probabilities:
        """Return the probabilities of each piece of a window.

        Windows are read one by one: the int8 kernels scale a whole batch at once, so
        that a text's answer would depend on the texts beside it; and there is no
        padding to read for nothing.
        """
        pieces = np.asarray([window.pieces], np.int64)
        classes = np.asarray([window.classes], np.int64)
        feed = {
            "input_ids": pieces,
            "token_type_ids": classes,
            "attention_mask": np.ones_like(pieces),
        }
        logits = self._session.run(None, feed)[0][0]
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        answer: Probabilities = odds / odds.sum(axis=-1, keepdims=True)
        return answer


@dataclass(slots=True, repr=False)
class _Passage:
    """A window that is read once, and every place in the texts where it stands."""

    window: Window
    places: list[tuple[int, list[int]]]


def _keep_highest(
    answer: Probabilities, odds: Probabilities, places: np.ndarray
) -> None:
    judged = places >= 0
    found, tokens = odds[: len(places)][judged], places[judged]
    np.maximum.at(answer[:, 1:], tokens, found[:, 1:])
    np.minimum.at(answer[:, NONE], tokens, found[:, NONE])


def _fill_gaps(document: Document, answer: Probabilities) -> None:
    """Let a token that shares its piece with the one before ("30th") share its answer."""
    for token in np.flatnonzero(answer[:, NONE] == _UNTOUCHED).tolist():
        if token and document.starts[token] == document.ends[token - 1]:
            answer[token] = answer[token - 1]
        else:
            answer[token, NONE] = 1


def _start_answer(document: Document) -> Probabilities:
    """Nothing is an identifier until a piece says so."""
    answer = np.zeros((len(document.words), len(CLASS_NAMES)), np.float32)
    answer[:, NONE] = _UNTOUCHED
    return answer
