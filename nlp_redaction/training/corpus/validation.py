"""Checks the corpus as a whole: marks, numbers, repeats; and writes it as JSON lines."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nlp_redaction.evaluation.annotated_notes import Note

# Numbers that Ofcom keeps for drama: https://www.ofcom.org.uk (telephone numbers for
# use in TV and radio drama programmes).
_DRAMA: Final = re.compile(
    r"(?:44)?0?(?:1632960\d{3}|11[3-8]4960\d{3}|1[2-6]14960\d{3}|2079460\d{3}|"
    r"1914980\d{3}|2896496\d{3}|2920180\d{3}|7700900\d{3}|3069990\d{3}|8081570\d{3})"
)
_EXTENSION: Final = re.compile(r"(?i)\s*(?:ext|x|extn)\D*\d+\s*$")
_TITLED: Final = re.compile(r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sr|Sister|Nurse)\b")
_FULL_NUMBER: Final = 9
_NHS_NUMBER_DIGITS: Final = 10
_GRAM: Final = 8
_SHARED_GRAMS: Final = 12
LEAST_NOTES: Final = 800
LEAST_WORDS: Final = 150_000


@dataclass
class CorpusReport:
    """What the corpus is, and what is wrong with it.

    Attributes:
        notes: How many notes.
        words: How many words, split at white space.
        by_style: Notes that are tidy, and messy.
        by_label: Marks of each kind.
        by_writer: Words of each writer.
        errors: What must be mended, naming notes and never quoting them.
    """

    notes: int = 0
    words: int = 0
    by_style: Counter[str] = field(default_factory=Counter)
    by_label: Counter[str] = field(default_factory=Counter)
    by_writer: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)


def validate_corpus(notes: Sequence[Note]) -> CorpusReport:
    """Count the corpus and list what breaks its rules."""
    report = CorpusReport()
    for note in notes:
        size = len(note.text.split())
        report.notes += 1
        report.words += size
        report.by_style[note.style] += 1
        report.by_writer[note.writer] += size
        report.by_label.update(span.label for span in note.spans)
        report.errors += [f"{note.name}: {fault}" for fault in _check_note(note)]
    twice = [name for name, n in Counter(note.name for note in notes).items() if n > 1]
    report.errors += [f"{name}: the name is used twice" for name in twice]
    report.errors += _find_repeats(notes)
    if report.notes < LEAST_NOTES or report.words < LEAST_WORDS:
        report.errors.append(
            f"the corpus has fewer than {LEAST_NOTES} notes or {LEAST_WORDS} words"
        )
    return report


def _check_note(note: Note) -> Iterator[str]:
    for number, span in enumerate(note.spans):
        marked = note.text[span.start : span.end]
        place = f"mark {number} ({span.label})"
        if marked != marked.strip():
            yield f"{place} has white space at its edge"
        if span.label == "NAME" and _TITLED.match(marked) and " " in marked:
            yield f"{place} begins with a title"
        if span.label == "NAME" and re.search("['\u2019]s$", marked):
            yield f"{place} ends with a possessive"
        if span.label == "PHONE" and not _is_drama_number(marked):
            yield f"{place} is not in a drama range"
        if span.label == "NHS_NUMBER" and not _is_unissued(marked):
            yield f"{place} might be somebody's number"


def _is_drama_number(marked: str) -> bool:
    """Short, scanned (letters for digits) and deliberately broken ones are passed."""
    digits = re.sub(r"\D", "", _EXTENSION.sub("", marked).replace("(0)", ""))
    is_whole = len(digits) > _FULL_NUMBER and not re.search(r"[A-Za-z]", marked)
    return not is_whole or _DRAMA.fullmatch(digits) is not None


def _is_unissued(marked: str) -> bool:
    """In the test range, or of a wrong length or check digit."""
    digits = re.sub(r"\D", "", marked)
    if len(digits) != _NHS_NUMBER_DIGITS or digits.startswith("999"):
        return True
    total = sum(
        int(d) * weight for d, weight in zip(digits, range(10, 1, -1), strict=False)
    )
    return (11 - total % 11) % 11 != int(digits[9])


def _find_repeats(notes: Iterable[Note]) -> Iterator[str]:
    """Notes that share many runs of words were not composed each by itself."""
    seen: dict[tuple[str, ...], str] = {}
    for note in notes:
        words = re.findall(r"\w+", note.text.lower())
        grams = set(zip(*(words[at:] for at in range(_GRAM)), strict=False))
        shared = Counter(seen[gram] for gram in grams if gram in seen)
        for other, count in shared.items():
            if count > _SHARED_GRAMS:
                yield f"{note.name}: shares {count} runs of {_GRAM} words with {other}"
        seen.update(dict.fromkeys(grams, note.name))


def write_json_lines(notes: Iterable[Note], path: Path) -> None:
    """Write notes in the form that ``evaluate`` reads."""
    with path.open("w", encoding="utf-8") as file:
        for note in notes:
            spans = [
                {"start": span.start, "end": span.end, "label": span.label}
                for span in note.spans
            ]
            row = {"id": note.name, "kind": note.kind, "style": note.style}
            file.write(
                json.dumps(
                    row | {"text": note.text, "spans": spans}, ensure_ascii=False
                )
                + "\n"
            )
