"""A digest of a table's logical values, whatever its batches or its file format.

The server computes it over the batches that it answers; anyone who holds the
Parquet part computes it again and must find the same. So it may depend on names,
types, values and row order, and on nothing else: not on how rows were cut into
batches, on offsets, on buffers, or on what lies in the slot of a null.
"""

import hashlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.errors import (
    ColumnTypeUnsuitable,
    SchemaChanged,
    name_field,
)

DIGEST_FORMAT = "pseudo/logical-digest/v1"
_MILLISECONDS_PER_DAY = 86_400_000


class LogicalDigest:
    """Takes a table's batches in row order and digests its logical values.

    Types that Parquet cannot hold are digested as what Parquet makes of them:
    date64 as date32, seconds as milliseconds, dictionaries decoded; the wide and
    the view forms of text and binary count as the plain ones.

    Raises:
        ColumnTypeUnsuitable: The schema has a nested or an unknown type.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema.remove_metadata()
        self._columns = [
            _ColumnDigest(field.name, _choose_logical_type(field, position))
            for position, field in enumerate(schema)
        ]
        self._rows = 0

    @property
    def rows(self) -> int:
        """The number of rows taken so far."""
        return self._rows

    def update(self, batch: pa.RecordBatch) -> None:
        """Take the next rows.

        Raises:
            SchemaChanged: The batch has other names or types than the schema.
        """
        if not batch.schema.equals(self._schema, check_metadata=False):
            msg = "a batch does not have the schema of its table"
            raise SchemaChanged(msg)
        for digest, values in zip(self._columns, batch.columns, strict=True):
            digest.update(values, first_row=self._rows)
        self._rows += batch.num_rows

    def columns(self) -> list[dict[str, str]]:
        """Return name, logical type and digest of each column, in order."""
        return [column.describe(self._rows) for column in self._columns]

    def digest(self) -> bytes:
        """Return the SHA-256 over all columns and the row count."""
        return digest_columns(self.columns(), self._rows)


def digest_columns(columns: list[dict[str, str]], rows: int) -> bytes:
    """Return a table's digest from what ``LogicalDigest.columns()`` gave."""
    statement = {"format": DIGEST_FORMAT, "rows": rows, "columns": columns}
    return hashlib.sha256(_encode(statement)).digest()


class _ColumnDigest:
    """Three running hashes: fixed-width slots, the bytes of texts, null rows."""

    def __init__(self, name: str, logical: pa.DataType) -> None:
        self._name = name
        self._type = logical
        self._slots = hashlib.sha256()
        self._bytes = hashlib.sha256()
        self._nulls = hashlib.sha256()

    def update(self, values: pa.Array, *, first_row: int) -> None:
        plain = _normalise(values, self._type)
        null_rows = _find_null_rows(plain)
        self._nulls.update((null_rows + np.uint64(first_row)).astype("<u8").data)
        if pa.types.is_null(self._type):
            return
        if _is_variable(self._type):
            self._add_variable(plain, null_rows)
        else:
            self._slots.update(_read_slots(plain, null_rows).data)

    def _add_variable(
        self, values: pa.Array, null_rows: npt.NDArray[np.uint64]
    ) -> None:
        """Hash int32 lengths, and the bytes of what is not null."""
        if not len(values):
            return
        offsets = _read_offsets(values)
        lengths = np.diff(offsets).astype("<i4")
        lengths[null_rows] = 0
        self._slots.update(lengths.data)
        first, last = int(offsets[0]), int(offsets[-1])
        data = values.buffers()[2]
        if int(lengths.sum(dtype=np.int64)) != last - first:
            self._add_bytes(values.drop_null())
        elif data is not None:
            self._bytes.update(data.slice(first, last - first))

    def _add_bytes(self, values: pa.Array) -> None:
        """Hash the bytes of values whose nulls, which had bytes, were dropped."""
        if not len(values):
            return
        offsets = _read_offsets(values)
        first, last = int(offsets[0]), int(offsets[-1])
        data = values.buffers()[2]
        if data is not None:
            self._bytes.update(data.slice(first, last - first))

    def describe(self, rows: int) -> dict[str, str]:
        statement = {
            "name": self._name,
            "type": str(self._type),
            "rows": rows,
            "slots": self._slots.hexdigest(),
            "bytes": self._bytes.hexdigest(),
            "nulls": self._nulls.hexdigest(),
        }
        digest = hashlib.sha256(_encode(statement)).hexdigest()
        return {"name": self._name, "type": str(self._type), "digest": digest}


def _encode(statement: dict[str, Any]) -> bytes:
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def _choose_logical_type(field: pa.Field, position: int) -> pa.DataType:
    kind = field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    simple = (
        _choose_text_type(kind)
        or _choose_time_type(kind)
        or (kind if _is_fixed(kind) or pa.types.is_null(kind) else None)
    )
    if simple is None:
        msg = (
            f"column {name_field(field.name, position)} has a type that cannot be "
            f"digested; send text, numbers, booleans, dates or times"
        )
        raise ColumnTypeUnsuitable(msg)
    return simple


def _choose_text_type(kind: pa.DataType) -> pa.DataType | None:
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.binary()
    return pa.binary() if pa.types.is_binary_view(kind) else None


def _choose_time_type(kind: pa.DataType) -> pa.DataType | None:
    if pa.types.is_date64(kind):
        return pa.date32()
    if pa.types.is_timestamp(kind) and kind.unit == "s":
        return pa.timestamp("ms", kind.tz)
    if pa.types.is_time32(kind) and kind.unit == "s":
        return pa.time32("ms")
    return None


def _is_fixed(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_primitive(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _is_variable(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


def _is_wide(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_large_binary(kind))


def _normalise(values: pa.Array, logical: pa.DataType) -> pa.Array:
    """Bring an array to its logical type; wide texts stay wide, only read so."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_boolean(values.type):
        return values.cast(pa.uint8())
    if pa.types.is_string_view(values.type):
        return values.cast(pa.large_string())
    if pa.types.is_binary_view(values.type):
        return values.cast(pa.large_binary())
    if _choose_time_type(values.type) is not None:
        return _rescale(values, logical)
    return values


def _rescale(values: pa.Array, logical: pa.DataType) -> pa.Array:
    """Turn days of date64 to date32, and seconds to milliseconds.

    Done on the integers, because a cast of what does not fit quotes the value.
    """
    if pa.types.is_date64(values.type):
        days = pc.divide(values.view(pa.int64()), _MILLISECONDS_PER_DAY)
        return days.cast(pa.int32(), safe=False)
    if pa.types.is_time32(logical):
        return pc.multiply(values.view(pa.int32()), pa.scalar(1000, pa.int32()))
    return pc.multiply(values.view(pa.int64()), 1000)


def _find_null_rows(values: pa.Array) -> npt.NDArray[np.uint64]:
    if values.null_count == 0:
        return np.empty(0, dtype=np.uint64)
    nulls = values.is_null().to_numpy(zero_copy_only=False)
    return np.flatnonzero(nulls).astype(np.uint64)


def _read_offsets(values: pa.Array) -> npt.NDArray[np.generic]:
    width = np.int64 if _is_wide(values.type) else np.int32
    ends = values.offset + len(values) + 1  # a buffer may have any bytes after them
    return np.frombuffer(values.buffers()[1], width, ends)[values.offset :]


def _read_slots(
    values: pa.Array, null_rows: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint8]:
    """Return the bytes of fixed-width slots, those of nulls zeroed."""
    width = values.type.bit_width // 8
    data = values.buffers()[1]
    raw = np.frombuffer(data if data is not None else b"", dtype=np.uint8)
    start = values.offset * width
    slots = raw[start : start + len(values) * width].reshape(len(values), width)
    if null_rows.size:
        slots = slots.copy()
        slots[null_rows] = 0
    return np.ascontiguousarray(slots)
