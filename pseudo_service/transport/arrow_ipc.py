"""Bytes to record batches and back, under limits, trusting nothing.

A batch arrives as one encapsulated IPC message (Arrow columnar format, "Encapsulated
message format"). Compressed bodies and dictionaries are refused before anything is
expanded: a few kilobytes of either can claim gigabytes.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

import flatbuffers.encode
import flatbuffers.number_types
import flatbuffers.packer
import flatbuffers.table
import pyarrow as pa

from pseudo_service.core.arrow.sound_batches import make_sound
from pseudo_service.core.errors import (
    BatchMalformed,
    BatchTooLarge,
    SchemaChanged,
)

# Slots of the tables Message and RecordBatch in Arrow's Message.fbs and Schema.fbs.
_MESSAGE_HEADER = 8
_BATCH_LENGTH = 4
_BATCH_NODES = 6
_BATCH_BUFFERS = 8
_BATCH_COMPRESSION = 10
_BATCH_VARIADIC_COUNTS = 12
LONGEST_SCHEMA = 4 << 20
"""Bytes of a schema: names and types need far less, and schemas are remembered."""
_NO_BATCH = "batch: send one Arrow record batch as one encapsulated IPC message"
_OTHER_SCHEMA = (
    "batch: its columns do not fit the schema of the header; send one table a stream"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrowLimits:
    """The most that one message may hold."""

    rows: int
    columns: int
    message_bytes: int


def decode_schema(data: bytes, limits: ArrowLimits) -> pa.Schema:
    """Return the schema of a header; the plan decides which types can be taken.

    Raises:
        BatchMalformed: The bytes are not one schema message.
        BatchTooLarge: It has too many columns, or says more than names and types.
    """
    if len(data) > LONGEST_SCHEMA:
        msg = f"schema: more than {LONGEST_SCHEMA} bytes; send it without metadata"
        raise BatchTooLarge(msg)
    try:
        schema = pa.ipc.read_schema(pa.py_buffer(data))
        names = schema.names
    except (pa.ArrowException, OSError, ValueError, UnicodeDecodeError):
        msg = "schema: send the Arrow schema as one encapsulated IPC message"
        raise BatchMalformed(msg) from None
    if len(names) > limits.columns:
        msg = f"schema: {len(names)} columns, at most {limits.columns} are taken"
        raise BatchTooLarge(msg)
    return schema


def decode_batch(
    data: bytes, *, schema: pa.Schema, row_count: int, limits: ArrowLimits
) -> pa.RecordBatch:
    """Return one fully validated batch of the schema.

    Raises:
        BatchMalformed: Truncated, corrupt, compressed, or not a record batch.
        BatchTooLarge: More rows or bytes than the limits allow.
        SchemaChanged: The columns do not fit the header's schema.
    """
    if len(data) > limits.message_bytes:
        msg = f"batch: more than {limits.message_bytes} bytes; cut it smaller"
        raise BatchTooLarge(msg)
    message = _read_message(data)
    try:
        _check_shape(message, schema, row_count=row_count, limits=limits)
    except (TypeError, IndexError, struct.error):  # flatbuffers that Arrow let pass
        raise BatchMalformed(_NO_BATCH) from None
    try:
        batch = pa.ipc.read_record_batch(message, schema)
    except (pa.ArrowException, OSError, ValueError):
        raise SchemaChanged(_OTHER_SCHEMA) from None
    return make_sound(batch, most_text_bytes=limits.message_bytes)


def encode_schema(schema: pa.Schema) -> bytes:
    """Return a schema as one encapsulated IPC message."""
    return bytes(schema.serialize())


def encode_batch(batch: pa.RecordBatch) -> bytes:
    """Return a batch as one encapsulated, uncompressed IPC message."""
    return batch.serialize().to_pybytes()  # type: ignore[no-any-return]


def _read_message(data: bytes) -> pa.Message:
    try:
        message = pa.ipc.read_message(pa.py_buffer(data))
    except (pa.ArrowException, OSError, EOFError, ValueError):
        raise BatchMalformed(_NO_BATCH) from None
    if message.type != "record batch":
        raise BatchMalformed(_NO_BATCH)
    return message


def _check_shape(
    message: pa.Message, schema: pa.Schema, *, row_count: int, limits: ArrowLimits
) -> None:
    """Read the facts that must be known before a body is touched."""
    body = _read_batch_table(message)
    if body.Offset(_BATCH_COMPRESSION):
        msg = "batch: IPC compression is not taken; use gRPC's, or none"
        raise BatchMalformed(msg)
    slot = body.Offset(_BATCH_LENGTH)
    rows = body.Get(flatbuffers.number_types.Int64Flags, slot + body.Pos) if slot else 0
    if rows != row_count:
        msg = f"batch: row_count is not that of the Arrow message, {rows}"
        raise BatchMalformed(msg)
    if rows > limits.rows:
        msg = f"batch: {rows} rows, at most {limits.rows} are taken; cut it smaller"
        raise BatchTooLarge(msg)
    # Arrow would ignore what a batch holds beyond its schema, and read one type's
    # buffers as another's.
    if _count_parts(body) != _expect_parts(schema):
        raise SchemaChanged(_OTHER_SCHEMA)


def _read_batch_table(message: pa.Message) -> flatbuffers.table.Table:
    metadata = message.metadata.to_pybytes()  # verified by Arrow when it was read
    start = flatbuffers.encode.Get(flatbuffers.packer.uoffset, metadata, 0)
    envelope = flatbuffers.table.Table(metadata, start)
    body = flatbuffers.table.Table(metadata, 0)
    envelope.Union(body, envelope.Offset(_MESSAGE_HEADER))
    return body


def _count_parts(body: flatbuffers.table.Table) -> tuple[int, int]:
    """Return how many columns and buffers a batch has, views' own ones aside."""

    def count(slot: int) -> int:
        offset = body.Offset(slot)
        return int(body.VectorLen(offset)) if offset else 0

    offset = body.Offset(_BATCH_VARIADIC_COUNTS)
    start = body.Vector(offset) if offset else 0
    variadic = (
        body.Get(flatbuffers.number_types.Int64Flags, start + 8 * place)
        for place in range(count(_BATCH_VARIADIC_COUNTS))
    )
    return count(_BATCH_NODES), count(_BATCH_BUFFERS) - sum(variadic)


@lru_cache(maxsize=64)
def _expect_parts(schema: pa.Schema) -> tuple[int, int]:
    """Return what ``_count_parts`` gives for any batch of the schema."""
    empty = pa.RecordBatch.from_arrays(
        [pa.nulls(0, field.type) for field in schema], schema=schema
    )
    return _count_parts(_read_batch_table(_read_message(encode_batch(empty))))
