"""The notes that a search is held against, from JSON lines or from the corpus's files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.document.spans import Label
from nlp_redaction.evaluation.annotated_notes import GoldSpan, Note, read_notes
from nlp_redaction.jsonl import BrokenInput, read_known, read_object

INLINE: Final = ".txt"
_STYLES: Final = ("tidy", "messy")
_STYLE_BY_LETTER: Final = {"a": "tidy", "b": "messy"}
_LABELS: Final = frozenset(Label)


class GoldRefused(Exception):
    """A file of marked notes is not what it should be."""


@dataclass(frozen=True, slots=True)
class Case:
    """A marked note and what is known of its patient.

    Attributes:
        note: The note.
        known: The fields of its patient, where the row gives them.
    """

    note: Note
    known: KnownIdentifiers = NOTHING_KNOWN


def read_cases(paths: Iterable[Path]) -> list[Case]:
    """Read marked notes from files, inline ones by their ending ``.txt``.

    Raises:
        BrokenInput: A line is no marked note.
        GoldRefused: An inline file is not UTF-8, or one of its marks is broken.
    """
    cases: list[Case] = []
    for path in paths:
        if path.suffix == INLINE:
            cases += _read_inline(path)
        else:
            cases += _read_lines(path)
    return cases


def _read_inline(path: Path) -> list[Case]:
    try:
        return [Case(note) for note in read_notes(path.read_text("utf-8"))]
    except ValueError as error:  # its cause names a note or a label, no text
        message = f"The marked notes in {path.name} cannot be read: {error}"
        raise GoldRefused(message) from error


def _read_lines(path: Path) -> Iterable[Case]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield read_case(number, read_object(number, line))


def read_case(number: int, content: dict[str, object]) -> Case:
    """Make a case of one line's object.

    Raises:
        BrokenInput: It lacks ``id``, ``text`` or ``spans``, or a span is impossible.
    """
    text, spans = content.get("text"), content.get("spans")
    if "id" not in content or not isinstance(text, str) or not isinstance(spans, list):
        raise BrokenInput(number, 'is no marked note: {"id", "text", "spans"}')
    name = str(content["id"])
    marks = sorted(
        (_read_mark(number, span, len(text)) for span in spans),
        key=lambda mark: (mark.start, mark.end),
    )
    kind = str(content.get("kind") or "")
    style = infer_style(name, str(content.get("style") or ""))
    note = Note(name, kind, style, text, tuple(marks))
    return Case(note, read_known(number, content.get("known")))


def _read_mark(number: int, span: object, length: int) -> GoldSpan:
    if isinstance(span, dict):
        start, end, label = (span.get(key) for key in ("start", "end", "label"))
        if (
            isinstance(start, int)
            and isinstance(end, int)
            and 0 <= start < end <= length
            and label in _LABELS
        ):
            return GoldSpan(start, end, str(label))
    raise BrokenInput(number, "has a span with an impossible place or label")


def infer_style(name: str, style: str) -> str:
    """Return ``tidy`` or ``messy``, from the row or from an ``id`` like a001 or b001."""
    if style in _STYLES:
        return style
    if name[1:2].isdigit():
        return _STYLE_BY_LETTER.get(name[:1], "")
    return ""
