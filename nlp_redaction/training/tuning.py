"""Chooses the thresholds of a model on notes that it has not learnt from.

One threshold a class of word. Each is lowered from the strictest as long as the
identifiers it saves are worth the words it takes: the exchange rate is the only knob,
so that a threshold is a price and not a guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nlp_redaction.decision.non_identifying_numbers import find_figures
from nlp_redaction.decision.propagation import propagate
from nlp_redaction.decision.protected_terms import find_protected
from nlp_redaction.decision.resolve import decide
from nlp_redaction.document.spans import STANDS_ALONE, Span
from nlp_redaction.document.text import Document
from nlp_redaction.evaluation.annotated_notes import Note
from nlp_redaction.models.features import CLASS_COUNT, classify_words
from nlp_redaction.models.labels import Probabilities
from nlp_redaction.models.load import RULES_ONLY, WordModel
from nlp_redaction.pipeline import Finder

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
    0.95,
)
_MIDDLE: Final = 0.3
_PROTECTED: Final = 0.97


@dataclass(frozen=True)
class Prediction:
    """A note, its document, the model's answer, and what is settled or hinted at.

    ``taken`` marks what rules take and what guards protect: no threshold decides it.
    """

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
    is_open: np.ndarray


def _flatten(predictions: Sequence[Prediction]) -> _Words:
    classes, probable, marked, open_ = [], [], [], []
    for item in predictions:
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


def choose_thresholds(
    predictions: Sequence[Prediction], price: float
) -> tuple[list[float], list[float]]:
    """Return a threshold a class of word, without a hint and with one.

    Args:
        predictions: Notes that the model has not learnt from.
        price: How many needless words one saved word of an identifier is worth.
    """
    words = _flatten(predictions)
    hinted = np.concatenate([item.hinted for item in predictions])
    by_class: list[float] = []
    with_hint: list[float] = []
    for number in range(CLASS_COUNT):
        mine = (words.classes == number) & words.is_open
        for rows, chosen in ((mine & ~hinted, by_class), (mine & hinted, with_hint)):
            chosen.append(_choose(words.probable[rows], words.is_marked[rows], price))
    return by_class, with_hint


def _choose(probable: np.ndarray, marked: np.ndarray, price: float) -> float:
    """The threshold of most gain; few examples leave it near the middle."""
    best, best_gain = 0.5, -np.inf
    for threshold in GRID:
        taken = probable >= threshold
        gain = price * float((taken & marked).sum()) - float((taken & ~marked).sum())
        gain -= abs(np.log(threshold / _MIDDLE))
        if gain > best_gain:
            best, best_gain = threshold, gain
    return best


def predict_notes(model: WordModel, notes: Sequence[Note]) -> list[Prediction]:
    """Ask the model and the rules about notes, without deciding anything."""
    rules = Finder("rules")
    documents = [Document.read(note.text) for note in notes]
    answers = model.predict(documents)
    predictions = []
    for note, document, probabilities in zip(notes, documents, answers, strict=True):
        spans = rules.list_evidence(document)
        guarded = [term.bounds for term in find_protected(document)]
        taken = decide(document, spans, guarded, None, RULES_ONLY)
        hints = [span for span in spans if span.score < STANDS_ALONE]
        closed = _mark_tokens(document, propagate(document, taken, guarded))
        for start, end in (*guarded, *find_figures(document)):
            closed[list(document.list_tokens(start, end))] = True
        predictions.append(
            Prediction(
                note,
                document,
                probabilities,
                taken=closed,
                hinted=_mark_tokens(document, hints),
            )
        )
    return predictions


def _mark_tokens(document: Document, spans: Sequence[Span]) -> np.ndarray:
    marked = np.zeros(len(document.words), bool)
    for span in spans:
        marked[list(document.list_tokens(span.start, span.end))] = True
    return marked


def choose_for_model(
    model: WordModel, notes: Sequence[Note], price: float
) -> dict[str, object]:
    """Return the thresholds of a model, as ``thresholds.json`` holds them."""
    by_class, hinted = choose_thresholds(predict_notes(model, notes), price)
    return {"by_class": by_class, "hinted": hinted, "protected": _PROTECTED}
