"""The texts that are timed: those of a file, else the corpus."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp_redaction.training.corpus import read_corpus

SEED = 11


@dataclass(frozen=True)
class Words:
    """Some texts and the number of their words, split at white space."""

    texts: Sequence[str]
    words: int


def read_texts(path: Path | None) -> list[str]:
    """Return the texts of a file, without one of the corpus, in a fixed, mixed order."""
    if path is None:
        texts = [note.text for note in read_corpus()]
    else:
        with path.open(encoding="utf-8") as file:
            texts = [json.loads(line)["text"] for line in file if line.strip()]
    random.Random(SEED).shuffle(texts)  # noqa: S311 - a fixed order
    return texts


def cut_rounds(texts: Sequence[str], rounds: int, words: int) -> list[Words]:
    """Deal texts out to rounds of about so many words, none of them twice.

    Raises:
        SystemExit: There are too few texts.
    """
    stream = iter(texts)
    dealt = [_take(stream, words) for _ in range(rounds)]
    if not dealt or min(part.words for part in dealt) < words:
        message = f"There are too few texts for {rounds} rounds of {words} words."
        raise SystemExit(message)
    return dealt


def _take(stream: Iterator[str], words: int) -> Words:
    taken: list[str] = []
    count = 0
    for text in stream:
        taken.append(text)
        count += len(text.split())
        if count >= words:
            break
    return Words(taken, count)
