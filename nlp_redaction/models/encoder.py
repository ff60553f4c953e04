"""The model of ``thorough``: a small encoder run by ONNX Runtime, on one thread."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from nlp_redaction.errors import ModelMissing
from nlp_redaction.models.labels import CLASS_NAMES, NONE, Probabilities
from nlp_redaction.models.windows import Window, WindowCutter
from nlp_redaction.text import Document

_BATCH_PIECES: Final = 2048


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

    def judge(self, documents: Sequence[Document]) -> list[Probabilities]:
        """Return the probabilities of every token of every document.

        A word of several pieces takes, for each kind, the highest probability of any
        of its pieces, and the lowest of being no identifier: one doubtful piece is
        enough to doubt the word.
        """
        answers = [_start_answer(document) for document in documents]
        queue = [
            (number, window)
            for number, document in enumerate(documents)
            for window in self._cutter.cut(document)
        ]
        queue.sort(key=lambda item: len(item[1].pieces))
        at = 0
        while at < len(queue):
            longest = len(queue[at][1].pieces)
            size = max(1, _BATCH_PIECES // longest)
            batch = queue[at : at + size]
            while size > 1 and size * len(batch[-1][1].pieces) > _BATCH_PIECES:
                size = max(1, _BATCH_PIECES // len(batch[-1][1].pieces))
                batch = queue[at : at + size]
            self._judge_batch(batch, answers)
            at += len(batch)
        for answer in answers:
            answer[:, NONE] = np.minimum(answer[:, NONE], 1.0)
        return answers

    def _judge_batch(
        self, batch: list[tuple[int, Window]], answers: list[Probabilities]
    ) -> None:
        shape = (len(batch), max(len(window.pieces) for _, window in batch))
        pieces, classes, mask = (np.zeros(shape, np.int64) for _ in range(3))
        for row, (_, window) in enumerate(batch):
            size = len(window.pieces)
            pieces[row, :size] = window.pieces
            classes[row, :size] = window.classes
            mask[row, :size] = 1
        feed = {"input_ids": pieces, "token_type_ids": classes, "attention_mask": mask}
        logits = self._session.run(None, feed)[0]
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        odds /= odds.sum(axis=-1, keepdims=True)
        for row, (number, window) in enumerate(batch):
            tokens = np.asarray(window.tokens)
            judged = tokens >= 0
            found = odds[row, : len(tokens)][judged]
            answer = answers[number]
            np.maximum.at(answer[:, 1:], tokens[judged], found[:, 1:])
            np.minimum.at(answer[:, NONE], tokens[judged], found[:, NONE])


def _start_answer(document: Document) -> Probabilities:
    """Nothing is an identifier until a piece says so; 2 marks what no piece touched."""
    answer = np.zeros((len(document.words), len(CLASS_NAMES)), np.float32)
    answer[:, NONE] = 2.0
    return answer
