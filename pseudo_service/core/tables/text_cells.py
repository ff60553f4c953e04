"""Free text of a batch: each text goes to the redactor with what is known of its row.

Texts are read one by one, as a person would have to: redacting them costs a thousand
times more than the loops here.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.redaction import (
    NOTHING_KNOWN,
    TEXT_CODES,
    KnownIdentifiers,
    KnownKind,
    RedactTexts,
    TextAnswer,
    TextCode,
    TextRow,
    TextStyle,
    redact_fail_closed,
)
from pseudo_service.core.tables.identifier_columns import Identifiers
from pseudo_service.core.tables.patient_table import PatientTable, write_known

FOUND: Final = " [identifiers found]"
"""Behind a column's name: its counts of what was found in its texts, by label."""
_SURROGATE: Final = b"pseudo/v1/surrogate\x1f"
_MISSING: Final = TEXT_CODES.index(TextCode.MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One identifier column of a batch, as the texts of its rows need it.

    Attributes:
        places: One a row: an index into the lists, or -1 for none.
        canonical: The distinct identifiers.
        pseudonyms: What stands for them in the answer; None where nothing does.
        surrogate_macs: (n, 16), where the column may name the patient; else None.
        known: What the patient table says of them; None where it says nothing.
        former: By index, the numbers that an identifier has superseded: a text may
            still have one of them.
    """

    places: list[int] = field(repr=False)
    canonical: list[str] = field(repr=False)
    pseudonyms: list[str] | None = field(repr=False)
    surrogate_macs: npt.NDArray[np.uint8] | None = field(repr=False)
    known: Sequence[KnownIdentifiers] | None = field(repr=False)
    former: Mapping[int, tuple[str, ...]] = field(repr=False, default_factory=dict)

    def list_numbers(self, place: int) -> tuple[str, ...]:
        """Return an identifier and those that it has superseded."""
        return (self.canonical[place], *self.former.get(place, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCells:
    """A redacted column: texts, an index into TEXT_CODES each, what was found."""

    values: pa.StringArray = field(repr=False)
    codes: npt.NDArray[np.uint8]
    found: Mapping[str, int]


def describe_person(
    identifiers: Identifiers,
    *,
    pseudonyms: pa.StringArray | None,
    surrogate_macs: npt.NDArray[np.uint8] | None,
    blind: npt.NDArray[np.uint8] | None,
    table: PatientTable | None,
    former: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
) -> Person:
    """Return an identifier column in the form that rows are put together from.

    Args:
        identifiers: The column, of the rows that stay.
        pseudonyms: Of its distinct identifiers, where the column is answered.
        surrogate_macs: Of its distinct identifiers, where it may name the patient.
        blind: Of its distinct identifiers, where the patient table is asked.
        table: The patient table.
        former: By index of a distinct identifier, the numbers that it superseded.
    """
    asked = table is not None and blind is not None
    return Person(
        places=identifiers.places.tolist(),
        canonical=identifiers.canonical.to_pylist(),
        pseudonyms=pseudonyms.to_pylist() if pseudonyms is not None else None,
        surrogate_macs=surrogate_macs,
        known=table.find(blind) if asked and table and blind is not None else None,
        former=former,
    )


def redact_column(
    values: pa.Array,
    *,
    known: Sequence[tuple[KnownKind, pa.Array]],
    people: Sequence[Person],
    shift_days: Sequence[int | None] | None,
    style: TextStyle,
    redact: RedactTexts,
) -> TextCells:
    """Redact a column of text; whatever cannot be redacted becomes null.

    Args:
        values: The texts of the rows that stay.
        known: Columns of the same rows that hold known identifiers, one a row or
            lists of them.
        people: Identifier columns of the same rows, the patient's in order first.
        shift_days: Each row's date offset; None where no date is shifted.
        style: How.
        redact: Redacts texts; it may fail.
    """
    texts: list[str | None] = values.to_pylist()
    columns = [(kind, _list_known(column)) for kind, column in known]
    present = [row for row, text in enumerate(texts) if text is not None]
    rows = [
        TextRow(
            text=texts[row] or "",
            known=_gather_known(columns, people, row),
            shift_days=shift_days[row] if shift_days is not None else None,
            pseudonyms=_gather_pseudonyms(people, row),
            surrogate_key=_find_surrogate_key(people, row),
        )
        for row in present
    ]
    answers = redact_fail_closed(redact, rows, style) if rows else []
    return _collect(len(texts), present, answers)


def make_surrogate_key(mac: bytes) -> bytes:
    """Return the 32 bytes from which a patient's surrogates in a project are drawn."""
    return hashlib.sha256(_SURROGATE + mac).digest()


def merge_known(parts: Sequence[KnownIdentifiers]) -> KnownIdentifiers:
    """Return everything that is known, each value once."""
    if len(parts) == 1:
        return parts[0]
    merged: dict[KnownKind, dict[str, None]] = {}
    for part in parts:
        for kind, values in part.items():
            merged.setdefault(kind, {}).update(dict.fromkeys(values))
    return {kind: tuple(values) for kind, values in merged.items()}


def _list_known(column: pa.Array) -> list[tuple[str, ...]]:
    """Return the known identifiers of each row; those of a list are taken as given."""
    if pa.types.is_list(column.type):
        return [tuple(values) for values in column.to_pylist()]
    written = write_known(column)
    return [() if value is None else (value,) for value in written]


def _gather_known(
    columns: Sequence[tuple[KnownKind, list[tuple[str, ...]]]],
    people: Sequence[Person],
    row: int,
) -> KnownIdentifiers:
    parts: list[KnownIdentifiers] = [
        {kind: values[row]} for kind, values in columns if values[row]
    ]
    for person, place in _find_present(people, row):
        parts.append({KnownKind.NUMBERS: person.list_numbers(place)})
        if person.known is not None and person.known[place]:
            parts.append(person.known[place])
    return merge_known(parts) if parts else NOTHING_KNOWN


def _gather_pseudonyms(people: Sequence[Person], row: int) -> Mapping[str, str]:
    return {
        number: person.pseudonyms[place]
        for person, place in _find_present(people, row)
        if person.pseudonyms is not None
        for number in person.list_numbers(place)
    }


def _find_surrogate_key(people: Sequence[Person], row: int) -> bytes | None:
    for person, place in _find_present(people, row):
        if person.surrogate_macs is not None:
            return make_surrogate_key(person.surrogate_macs[place].tobytes())
    return None


def _find_present(people: Sequence[Person], row: int) -> Iterator[tuple[Person, int]]:
    for person in people:
        place = person.places[row]
        if place >= 0:
            yield person, place


def _collect(
    count: int, present: Sequence[int], answers: Sequence[TextAnswer]
) -> TextCells:
    texts: list[str | None] = [None] * count
    codes = np.full(count, _MISSING, dtype=np.uint8)
    found: Counter[str] = Counter()
    for row, answer in zip(present, answers, strict=True):
        codes[row] = TEXT_CODES.index(answer.code)
        if answer.code is TextCode.OK:
            texts[row] = answer.text
            found.update(answer.found)
    return TextCells(values=pa.array(texts, pa.string()), codes=codes, found=found)
