"""Chooses the thresholds of a model on notes that it has not learnt from.

One threshold a class of word. Each is lowered from the strictest as long as the
identifiers it saves are worth the words it takes: the exchange rate is the only knob,
so that a threshold is a price and not a guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nlp_redaction.gold import Note
from nlp_redaction.models.features import CLASS_COUNT, classify_words
from nlp_redaction.models.labels import Probabilities
from nlp_redaction.text import Document

GRID: Final = (
    0.02,
    0.03,
    0.05,
    0.07,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.8,
    0.9,
)


@dataclass(frozen=True)
class Judged:
    """A note, its document, the model's answer, and what rules take or hint already."""

    note: Note
    document: Document
    probabilities: Probabilities
    taken: np.ndarray
    hinted: np.ndarray


@dataclass(frozen=True)
class _Words:
    """All words of all notes, in one row each."""

    classes: np.ndarray
    probable: np.ndarray
    is_marked: np.ndarray
    is_judged: np.ndarray


def _flatten(judged: Sequence[Judged]) -> _Words:
    classes, probable, marked, open_ = [], [], [], []
    for item in judged:
        document = item.document
        inside = np.zeros(len(item.note.text) + 1, bool)
        for span in item.note.spans:
            inside[span.start : span.end] = True
        starts = np.asarray(document.starts, int)
        classes.append(np.asarray(classify_words(document), int))
        probable.append(1 - np.minimum(item.probabilities[:, 0], 1))
        marked.append(inside[starts] if len(starts) else np.zeros(0, bool))
        is_word = np.asarray([word[0].isalnum() for word in document.words], bool)
        open_.append(is_word & ~item.taken)
    return _Words(
        *(np.concatenate(part) for part in (classes, probable, marked, open_))
    )


def choose_thresholds(judged: Sequence[Judged], price: float) -> list[float]:
    """Return a threshold a class of word.

    Args:
        judged: Notes that the model has not learnt from.
        price: How many needless words one saved word of an identifier is worth.
    """
    words = _flatten(judged)
    chosen = []
    for number in range(CLASS_COUNT):
        mine = (words.classes == number) & words.is_judged
        chosen.append(_choose(words.probable[mine], words.is_marked[mine], price))
    return chosen


def _choose(probable: np.ndarray, marked: np.ndarray, price: float) -> float:
    # A class with few examples keeps to the middle: the sum has a prior of its own.
    best, best_gain = 0.5, -np.inf
    for threshold in GRID:
        taken = probable >= threshold
        gain = price * float((taken & marked).sum()) - float((taken & ~marked).sum())
        gain -= 0.5 * abs(np.log(threshold / 0.3))
        if gain > best_gain:
            best, best_gain = threshold, gain
    return best
