"""Annotated notes: the inline form they are written in, and the form they are used in."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nlp_redaction.document.spans import Label

_TAG: Final = re.compile(r"\[\[([A-Z0-9_]+)\|([^\[\]|\n]+)\]\]")
_HEADER: Final = re.compile(
    r"^===\s*(\S+)\s*\|\s*(.+?)\s*\|\s*(tidy|messy)\s*$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """One identifier that a person marked."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Note:
    """A text with what a person marked in it.

    Attributes:
        name: Its identity, the writer's name first.
        kind: What kind of document it is.
        style: ``tidy`` or ``messy``; empty when unknown.
        text: The text without marks.
        spans: What was marked, in order, not overlapping.
    """

    name: str
    kind: str
    style: str
    text: str
    spans: tuple[GoldSpan, ...]

    @property
    def writer(self) -> str:
        """The hand that wrote it."""
        return self.name.partition("-")[0]


def read_inline(name: str, kind: str, style: str, marked: str) -> Note:
    """Turn ``[[LABEL|text]]`` marks into spans.

    Raises:
        ValueError: A mark is broken or names an unknown label.
    """
    pieces: list[str] = []
    spans: list[GoldSpan] = []
    at = length = 0
    for tag in _TAG.finditer(marked):
        before = marked[at : tag.start()]
        pieces += (before, tag.group(2))
        length += len(before)
        label = Label(tag.group(1))
        spans.append(GoldSpan(length, length + len(tag.group(2)), label.value))
        length += len(tag.group(2))
        at = tag.end()
    pieces.append(marked[at:])
    text = "".join(pieces)
    if "[[" in text or "]]" in text:
        message = f"The note {name} holds a broken mark."
        raise ValueError(message)
    return Note(name, kind, style, text, tuple(spans))


def read_notes(content: str) -> Iterator[Note]:
    """Read the notes of one file of the corpus."""
    headers = list(_HEADER.finditer(content))
    for header, following in zip(headers, [*headers[1:], None], strict=True):
        body = content[header.end() : following.start() if following else len(content)]
        name, kind, style = header.groups()
        yield read_inline(name, kind, style, body.strip("\n"))


def read_gold(path: Path) -> list[Note]:
    """Read notes from JSON lines: ``{"id", "text", "spans": [{"start", ...}]}``."""
    notes = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            spans = (
                sorted(
                    (GoldSpan(s["start"], s["end"], s["label"]) for s in row["spans"]),
                    key=lambda span: span.start,
                )
                if "spans" in row
                else []
            )
            notes.append(
                Note(
                    str(row["id"]),
                    row.get("kind", ""),
                    row.get("style", ""),
                    row["text"],
                    tuple(spans),
                )
            )
    return notes
