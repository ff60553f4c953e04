"""Texts in JSON lines: read one at a time, answered one at a time.

No message quotes what a line holds: it names the line's number and what is wrong.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.jsonl import BrokenInput, read_known, read_object

STANDARD: Final = "-"
"""Stands for standard input or output where a file is asked for."""

_CHUNK_ROWS: Final = 256
_CHUNK_CHARACTERS: Final = 500_000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Row:
    """One text as it came.

    Attributes:
        identity: Its ``id``, of any type, which is answered as it is.
        text: The text, or whatever stood in its place.
        known: What is known of its patient.
        patient: Whose text it is, where the line says so.
        shift_days: By how many days the patient's dates move, where the line says so.
    """

    identity: object
    text: object
    known: KnownIdentifiers = NOTHING_KNOWN
    patient: str | None = None
    shift_days: int | None = None


def read_rows(file: BinaryIO) -> Iterator[Row]:
    """Read one row a line; lines of nothing but spaces are no rows.

    Raises:
        BrokenInput: A line is no JSON object with ``id`` and ``text``.
    """
    for number, line in enumerate(file, 1):
        if line.strip():
            yield read_row(number, read_object(number, line))


def read_row(number: int, content: Mapping[str, object]) -> Row:
    """Make a row of a line's object.

    Raises:
        BrokenInput: A key is missing or of the wrong type.
    """
    for key in ("id", "text"):
        if key not in content:
            raise BrokenInput(number, f'has no "{key}"')
    patient = content.get("patient")
    shift = content.get("shift_days")
    if shift is not None and (isinstance(shift, bool) or not isinstance(shift, int)):
        raise BrokenInput(number, 'has a "shift_days" that is no whole number')
    return Row(
        identity=content["id"],
        text=content["text"],
        known=read_known(number, content.get("known")),
        patient=None if patient is None else json.dumps(patient),
        shift_days=shift,
    )


def cut_chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Gather rows until there are many or they are long, so that memory stays flat."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += len(row.text) if isinstance(row.text, str) else 0
        if len(chunk) >= _CHUNK_ROWS or size >= _CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


@contextmanager
def open_input(name: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input for ``-``."""
    if name == STANDARD:
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield file


@contextmanager
def open_output(name: str) -> Iterator[BinaryIO]:
    """Open a file to be there whole or not at all, or standard output for ``-``.

    The file is written beside its place and renamed when the block ends well.
    """
    if name == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    place = Path(name).resolve()
    if place.exists() and not place.is_file():  # a device or a pipe
        with place.open("wb") as file:
            yield file
        return
    partial = place.with_name(f".{place.name}.{os.getpid()}.partial")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)


def write_row(file: BinaryIO, answer: Mapping[str, object]) -> None:
    """Write one line; ASCII, so that any reader takes it, whatever the ``id`` holds."""
    file.write(json.dumps(answer).encode("ascii") + b"\n")
