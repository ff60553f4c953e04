"""Misses and false flags as a person looks through them: one by one, in context."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nlp_redaction.evaluation.annotated_notes import Note
from nlp_redaction.evaluation.evaluate import EvaluatedNote
from nlp_redaction.evaluation.scoring import cover

_AROUND: Final = 70


class Fault(StrEnum):
    """What went wrong."""

    MISS = "missed"
    FALSE_FLAG = "false flag"
    LEFT = "known, left behind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of the context.

    Attributes:
        text: What stands there.
        inside: Whether it belongs to the miss or false flag itself.
        covered: Whether the search covered it.
    """

    text: str
    inside: bool
    covered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One miss or false flag.

    Attributes:
        fault: Which of them.
        kind: The label that it has, or was given.
        note: The note's name.
        document: What kind of document it is.
        style: ``tidy``, ``messy`` or empty.
        pieces: The context, cut where anything changes.
        because: Who flagged it and why; empty for a miss.
    """

    fault: Fault
    kind: str
    note: str
    document: str
    style: str
    pieces: tuple[Piece, ...]
    because: str = ""


def list_findings(evaluated: Iterable[EvaluatedNote]) -> list[Finding]:
    """Return every miss and false flag, grouped by what it is and by kind."""
    found = [finding for one in evaluated for finding in _list_findings(one)]
    order = list(Fault)
    return sorted(found, key=lambda finding: (order.index(finding.fault), finding.kind))


def _list_findings(one: EvaluatedNote) -> Iterator[Finding]:
    note = one.case.note
    covered = cover(len(note.text), ((s.start, s.end) for s in one.spans))
    for mark in one.score.missed:
        place = (mark.start, mark.end)
        yield _make(Fault.MISS, mark.label, note, place, covered=covered)
    for span in one.spans:
        needless = [
            (start, end)
            for start, end in one.score.needless
            if span.start < end and start < span.end
        ]
        if needless:
            place = (needless[0][0], needless[-1][1])
            because = f"{span.recogniser}, {span.score:.2f}"
            if span.reason:
                because += f": {span.reason}"
            yield _make(
                Fault.FALSE_FLAG,
                span.label.value,
                note,
                place,
                covered=covered,
                because=because,
            )
    told = cover(len(note.text), ((s.start, s.end) for s in one.told))
    for place in one.left:
        yield _make(Fault.LEFT, "KNOWN", note, place, covered=told)


def _make(
    fault: Fault,
    kind: str,
    note: Note,
    place: tuple[int, int],
    *,
    covered: Sequence[int],
    because: str = "",
) -> Finding:
    return Finding(
        fault=fault,
        kind=kind,
        note=note.name,
        document=note.kind,
        style=note.style,
        pieces=tuple(cut_context(note.text, place, covered)),
        because=because,
    )


def cut_context(
    text: str, place: tuple[int, int], covered: Sequence[int]
) -> Iterator[Piece]:
    """Yield the text around a place, cut where coverage or the place begins or ends."""
    first = max(0, place[0] - _AROUND)
    last = min(len(text), place[1] + _AROUND)

    def describe(at: int) -> tuple[bool, bool]:
        return place[0] <= at < place[1], bool(covered[at])

    start = first
    for at in range(first + 1, last + 1):
        if at == last or describe(at) != describe(start):
            inside, hidden = describe(start)
            yield Piece(text=text[start:at], inside=inside, covered=hidden)
            start = at
