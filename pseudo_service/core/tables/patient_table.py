"""Known identifiers of many patients, held in Arrow and found by a keyed hash.

The table of a stream stays as long as the stream. Its patients' numbers do not: of
each row 64 bits of the number's keyed hash are kept, sorted, and the row's place.
Two patients who share those bits (one chance in three million for 2.5 million
patients) would only lend each other their names to be removed.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.arrow.column_types import can_be_identifier, can_be_known
from pseudo_service.core.errors import (
    ColumnMissing,
    ColumnTypeUnsuitable,
    ColumnUnlisted,
    PatientTableRefused,
    name_field,
    name_fields,
)
from pseudo_service.core.identifiers.canonical import canonicalise
from pseudo_service.core.identifiers.kinds import IdentifierRules
from pseudo_service.core.identifiers.missing import is_missing, normalise_text
from pseudo_service.core.identifiers.superseded import (
    NOTHING_SUPERSEDED,
    ProjectSupersededNumbers,
)
from pseudo_service.core.policies.text_rules import PatientTableRule
from pseudo_service.core.pseudonyms.keyed_hash import HashesColumns
from pseudo_service.core.redaction import NOTHING_KNOWN, KnownIdentifiers, KnownKind
from pseudo_service.core.transforms.date_shift import read_wall_clock

_MOST_OF_PLAIN_TEXT: Final = 1 << 30
MOST_ROWS_OF_ONE: Final = 32
"""Rows of one patient that are used; a table of patients has one or a few."""


class PatientTable:
    """Takes batches, then answers what is known of patients.

    Not for several threads while it grows; ``seal`` it before the first question.
    """

    def __init__(
        self,
        rule: PatientTableRule,
        schema: pa.Schema,
        *,
        hashing: HashesColumns,
        rules: IdentifierRules,
        superseded: ProjectSupersededNumbers = NOTHING_SUPERSEDED,
    ) -> None:
        """Check the schema.

        Raises:
            ColumnMissing, ColumnUnlisted, ColumnTypeUnsuitable: It is not what the
                policy's ``patient_table`` describes.
        """
        check_schema(rule, schema)
        self._rule = rule
        self._hashing = hashing
        self._rules = rules
        self._superseded = superseded
        self._kinds = {
            name: kind for kind, names in rule.known.items() for name in names
        }
        self._parts: dict[str, list[pa.Array]] = {name: [] for name in self._kinds}
        self._hashes: list[npt.NDArray[np.uint64]] = []
        self._known: dict[str, pa.Array] = {}
        self._index = np.empty(0, np.uint64)
        self._places = np.empty(0, np.int32)
        self.rows = 0

    def __repr__(self) -> str:
        return "PatientTable(...)"

    @property
    def kind_text(self) -> str:
        """Return the kind of the numbers that it is asked for."""
        return self._rule.kind.text

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch of the schema; rows without a usable number are left out."""
        numbers = batch.column(self._rule.column)
        kind = self._rule.kind
        found = canonicalise(numbers, kind, self._rules)
        is_usable = found.accepted.copy()
        given = found.values.filter(pa.array(is_usable))
        is_usable[is_usable] = ~self._superseded.find_reissued(given, kind)
        usable = pa.array(is_usable)
        people = self._superseded.resolve(found.values.filter(usable), kind)
        self._hashes.append(_cut_hashes(self._hashing.mac(people)))
        for name, parts in self._parts.items():
            parts.append(_read_text(batch.column(name)).filter(usable))
        self.rows += batch.num_rows

    def seal(self) -> None:
        """Sort the index; after it nothing is added."""
        hashes = np.concatenate(self._hashes) if self._hashes else self._index
        order = np.argsort(hashes, kind="stable")
        self._places = order.astype(np.int32)
        self._index = hashes[order]
        self._hashes = []
        for name in self._kinds:  # one by one, so that only one is there twice
            parts = self._parts.pop(name)
            if parts:
                self._known[name] = _join(parts)

    def find(self, macs: npt.NDArray[np.uint8]) -> Sequence[KnownIdentifiers]:
        """Return what is known of each patient.

        Args:
            macs: (n, 16), of patients' numbers under the hash of the table.
        """
        wanted = _cut_hashes(macs)
        first = np.searchsorted(self._index, wanted, "left")
        last = np.searchsorted(self._index, wanted, "right")
        counts = np.minimum(last - first, MOST_ROWS_OF_ONE)
        starts = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) - np.repeat(starts, counts)
        rows = pa.array(self._places[np.repeat(first, counts) + within])
        taken = {
            name: write_known(values.take(rows)) for name, values in self._known.items()
        }
        spans = zip(starts.tolist(), counts.tolist(), strict=True)
        return [self._gather(taken, start, count) for start, count in spans]

    def _gather(
        self, taken: Mapping[str, Sequence[str | None]], start: int, count: int
    ) -> KnownIdentifiers:
        if not count:
            return NOTHING_KNOWN
        known: dict[KnownKind, tuple[str, ...]] = {}
        for name, values in taken.items():
            kind = self._kinds[name]
            present = [each for each in values[start : start + count] if each]
            known[kind] = tuple(dict.fromkeys([*known.get(kind, ()), *present]))
        return known


def check_schema(rule: PatientTableRule, schema: pa.Schema) -> None:
    """Refuse a table that has not exactly the columns of the rule, in any order."""
    unlisted = [
        (i, name) for i, name in enumerate(schema.names) if name not in rule.columns
    ]
    if unlisted:
        msg = (
            f"the patient table has column {name_fields(unlisted)}, which the policy's "
            "patient_table does not name: leave it out"
        )
        raise ColumnUnlisted(msg)
    missing = [
        (i, name) for i, name in enumerate(rule.columns) if name not in schema.names
    ]
    if missing:
        msg = (
            f"the patient table lacks column {name_fields(missing)}, which the policy's "
            "patient_table names: send it"
        )
        raise ColumnMissing(msg)
    if len(set(schema.names)) < len(schema.names):
        msg = "two columns of the patient table have one name: send each once"
        raise PatientTableRefused(msg)
    for position, field in enumerate(schema):
        suits = can_be_identifier if field.name == rule.column else can_be_known
        if not suits(field.type):
            shown = name_field(field.name, position)
            msg = (
                f"column {shown} of the patient table has a type that cannot be used: "
                "send text, whole numbers or dates"
            )
            raise ColumnTypeUnsuitable(msg)


def write_known(values: pa.Array) -> list[str | None]:
    """Return values as a note could write them; None where nothing was recorded."""
    kind = values.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        if pa.types.is_timestamp(kind) and kind.tz:
            values = read_wall_clock(values)
        values = pc.strftime(values.cast(pa.timestamp("s"), safe=False), "%Y-%m-%d")
    elif pa.types.is_float64(kind):
        whole = pc.equal(values, pc.floor(values))
        values = pc.if_else(whole, values, pa.scalar(None, kind))
        values = values.cast(pa.int64(), safe=False)
    texts: list[str | None] = values.cast(pa.large_string()).to_pylist()
    return [
        None if each is None or is_missing(normalise_text(each)) else each
        for each in texts
    ]


def _cut_hashes(macs: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    halves = np.ascontiguousarray(macs).view(">u8")
    return halves[:, 0].astype(np.uint64)


def _read_text(values: pa.Array) -> pa.Array:
    """Return a view of text as plain text, for Arrow does not filter views."""
    is_view = pa.types.is_string_view(values.type)
    return values.cast(pa.string()) if is_view else values


def _join(parts: list[pa.Array]) -> pa.Array:
    """Join the parts of a column; text of which there is very much, as large text."""
    kind = parts[0].type
    if pa.types.is_string(kind):
        size = sum(part.nbytes for part in parts)
        wide = pa.large_string() if size > _MOST_OF_PLAIN_TEXT else pa.string()
        parts = [part.cast(wide) for part in parts]
    return pa.concat_arrays(parts)
