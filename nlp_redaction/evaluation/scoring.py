"""Scores one note: what was fully covered, what was missed, what was needlessly taken.

A marked identifier counts as found when every letter and digit of it is covered,
whatever label it was given (i2b2 2014 calls the strict form "entity", the lenient
"token"; half a name left behind is a name left behind). A needless token is a run of
letters or of digits that is covered and belongs to no mark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nlp_redaction.document.spans import Span
from nlp_redaction.document.text import Document
from nlp_redaction.evaluation.annotated_notes import GoldSpan, Note


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteScore:
    """What became of one note.

    Attributes:
        note: The note.
        words: Its words, split at white space.
        found: The marked identifiers that are fully covered.
        missed: Those of which a letter or digit is left.
        needless: Start and end of tokens covered without a mark.
    """

    note: Note
    words: int
    found: tuple[GoldSpan, ...]
    missed: tuple[GoldSpan, ...]
    needless: tuple[tuple[int, int], ...]


def cover(length: int, stretches: Iterable[tuple[int, int]]) -> bytearray:
    """Mark the code points of stretches with 1 in a text of the given length."""
    covered = bytearray(length)
    for start, end in stretches:
        covered[start:end] = b"\x01" * (end - start)
    return covered


def score_note(note: Note, spans: Sequence[Span]) -> NoteScore:
    """Hold what was found in a note against what a person marked in it."""
    text = note.text
    covered = cover(len(text), ((span.start, span.end) for span in spans))
    marked = cover(len(text), ((gold.start, gold.end) for gold in note.spans))
    found: list[GoldSpan] = []
    missed: list[GoldSpan] = []
    for gold in note.spans:
        whole = all(
            covered[at] for at in range(gold.start, gold.end) if text[at].isalnum()
        )
        (found if whole else missed).append(gold)
    document = Document.read(text)
    needless = tuple(
        (start, end)
        for word, start, end in zip(
            document.words, document.starts, document.ends, strict=True
        )
        if word[0].isalnum() and any(covered[start:end]) and not any(marked[start:end])
    )
    return NoteScore(
        note=note,
        words=len(text.split()),
        found=tuple(found),
        missed=tuple(missed),
        needless=needless,
    )
