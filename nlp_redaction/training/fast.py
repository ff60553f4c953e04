"""Teaches the compact CNN of ``fast``: by gold where there is gold, by ``thorough`` too.

The teacher's probabilities say more of a word than the one right answer does, and they
are there for every variant of a note and for text that nobody has annotated.
"""

import json
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Adam, set_dropout_rate

from nlp_redaction.document.text import Document
from nlp_redaction.evaluation.annotated_notes import Note
from nlp_redaction.models.encoder import Encoder
from nlp_redaction.models.labels import CLASS_NAMES, Probabilities
from nlp_redaction.models.tagged_words import write_doc
from nlp_redaction.training.examples import IGNORED, name_targets

_BATCH_WORDS: Final = 3000
_TINY: Final = 1e-8


@dataclass(frozen=True, kw_only=True)
class FastRecipe:
    """Everything that decides the outcome."""

    seed: int = 20
    width: int = 96
    depth: int = 3
    rows: tuple[int, ...] = (8000, 2000, 4000, 2000, 64)
    learning_rate: float = 2e-3
    dropout: float = 0.15
    teacher_share: float = 0.6
    none_weight: float = 0.7


@dataclass(frozen=True)
class TaggedPassage:
    """A document of the pipeline and the probability of each class of each word."""

    doc: Doc
    targets: Probabilities
    weights: np.ndarray


def build_pipeline(recipe: FastRecipe) -> Language:
    """Make the untaught pipeline: one tagger over an embedding that reads classes."""
    tok2vec: dict[str, Any] = {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": recipe.width,
            "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE", "LEMMA"],
            "rows": list(recipe.rows),
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": recipe.width,
            "depth": recipe.depth,
            "window_size": 1,
            "maxout_pieces": 3,
        },
    }
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe(
        "tagger",
        config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}},
    )
    for name in CLASS_NAMES:
        tagger.add_label(name)  # type: ignore[attr-defined]
    nlp.initialize()
    return nlp


def write_exercises(
    notes: Sequence[Note], nlp: Language, teacher: Encoder, recipe: FastRecipe
) -> Iterator[TaggedPassage]:
    """Ask the teacher about every note, and mix its answer with the gold."""
    for at in range(0, len(notes), 64):
        some = notes[at : at + 64]
        documents = [Document.read(note.text) for note in some]
        for note, document, judged in zip(
            some, documents, teacher.predict(documents), strict=True
        ):
            if len(document.words):
                yield _write_exercise(note, document, judged, nlp, recipe)


def _write_exercise(
    note: Note,
    document: Document,
    judged: Probabilities,
    nlp: Language,
    recipe: FastRecipe,
) -> TaggedPassage:
    doc, places = write_doc(nlp.vocab, document)
    gold = np.asarray(name_targets(note, document))
    teacher = judged / np.maximum(judged.sum(axis=1, keepdims=True), 1e-6)
    mixed = teacher.copy()
    certain = gold != IGNORED
    one_hot = np.eye(len(CLASS_NAMES), dtype=np.float32)[np.where(certain, gold, 0)]
    share = recipe.teacher_share
    mixed[certain] = share * teacher[certain] + (1 - share) * one_hot[certain]
    targets = np.zeros((len(places), len(CLASS_NAMES)), np.float32)
    at = np.asarray(places)
    targets[at >= 0] = mixed[at[at >= 0]]
    targets[at < 0, 0] = 1
    weights = np.where(targets[:, 0] > 0.5, recipe.none_weight, 1.0)  # noqa: PLR2004
    return TaggedPassage(doc, targets, weights.astype(np.float32)[:, None])


def _make_batches(
    exercises: Sequence[TaggedPassage], generator: random.Random
) -> Iterator[list[TaggedPassage]]:
    order = list(exercises)
    generator.shuffle(order)
    batch: list[TaggedPassage] = []
    words = 0
    for exercise in order:
        batch.append(exercise)
        words += len(exercise.doc)
        if words >= _BATCH_WORDS:
            yield batch
            batch, words = [], 0
    if batch:
        yield batch


def train_fast(
    nlp: Language,
    epochs: Iterable[Sequence[TaggedPassage]],
    count: int,
    recipe: FastRecipe,
) -> None:
    """Run the exercises of each epoch through the tagger; the rate falls linearly."""
    tagger: Any = nlp.get_pipe("tagger")
    model = tagger.model
    optimiser = Adam(
        recipe.learning_rate, L2=1e-4, grad_clip=1.0, L2_is_weight_decay=True
    )
    generator = random.Random(recipe.seed)
    set_dropout_rate(model, recipe.dropout)
    order = [tagger.labels.index(name) for name in CLASS_NAMES]
    for number, exercises in enumerate(epochs):
        began, words, loss = time.monotonic(), 0, 0.0
        for batch in _make_batches(exercises, generator):
            # In teaching, thinc's softmax gives probabilities; in use, plain scores.
            answers, back = model.begin_update([exercise.doc for exercise in batch])
            gradients = []
            for exercise, odds in zip(batch, answers, strict=True):
                targets = np.empty_like(exercise.targets)
                targets[:, order] = exercise.targets
                gradients.append((odds - targets) * exercise.weights)
                loss -= float((targets * np.log(odds + _TINY)).sum())
                words += len(exercise.doc)
            back(gradients)
            model.finish_update(optimiser)
        optimiser.learn_rate = recipe.learning_rate * max(
            0.05, 1 - (number + 1) / count
        )
        took = time.monotonic() - began
        print(
            json.dumps(
                {
                    "epoch": number,
                    "loss": loss / words,
                    "words_per_second": words / took,
                }
            ),
            flush=True,
        )
    set_dropout_rate(model, 0.0)
