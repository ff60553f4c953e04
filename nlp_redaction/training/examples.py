"""What a note teaches: the right class of every word, in windows for the encoder."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nlp_redaction.document.text import Document
from nlp_redaction.evaluation.annotated_notes import Note
from nlp_redaction.models.labels import CLASS_NAMES, NONE
from nlp_redaction.models.windows import Window, WindowCutter

IGNORED: Final = -100
"""The target of a word that teaches nothing, as torch's cross-entropy knows it."""

# The public corpora call a person PER, and draw the lines of places and organisations
# elsewhere than we do: countries and national bodies count there, not here.
_SAME: Final = {"PER": "NAME"}
_DRAWN_ELSEWHERE: Final = frozenset({"LOC", "ORG", "MISC"})


@dataclass(frozen=True)
class Example:
    """A window and the class of each of its pieces; ``IGNORED`` teaches nothing."""

    window: Window
    targets: list[int]


def _name_target(label: str, style: str) -> int:
    if not style and label in _DRAWN_ELSEWHERE:
        return IGNORED
    label = _SAME.get(label, label)
    return CLASS_NAMES.index(label) if label in CLASS_NAMES else IGNORED


def name_targets(note: Note, document: Document) -> list[int]:
    """Return the class of every token of a note; ``IGNORED`` where it does not say."""
    targets = [NONE] * len(document.words)
    for span in note.spans:
        target = _name_target(span.label, note.style)
        token = max(document.token_at(span.start), 0)
        while token < len(targets) and document.starts[token] < span.end:
            if document.ends[token] > span.start:
                targets[token] = target
            token += 1
    return targets


def make_examples(note: Note, cutter: WindowCutter) -> Iterator[Example]:
    """Cut one note into examples."""
    document = Document.read(note.text)
    targets = name_targets(note, document)
    for window in cutter.cut(document):
        yield Example(
            window,
            [IGNORED if token < 0 else targets[token] for token in window.tokens],
        )
