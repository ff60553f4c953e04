"""Batches that claim more memory than they send."""

import struct

import pyarrow as pa
import pytest

from pseudo_service.core.errors import BatchTooLarge
from pseudo_service.transport.arrow_ipc import (
    LONGEST_SCHEMA,
    ArrowLimits,
    decode_batch,
    decode_schema,
)

LIMITS = ArrowLimits(rows=1 << 17, columns=10, message_bytes=64 << 20)
TEXT = b"x" * (1 << 20)


def make_views(rows: int, *, valid: bytes | None = None) -> pa.RecordBatch:
    """Return rows that all point at the same megabyte."""
    views = struct.pack("<i4sii", len(TEXT), TEXT[:4], 0, 0) * rows
    buffers = [valid and pa.py_buffer(valid), pa.py_buffer(views), pa.py_buffer(TEXT)]
    column = pa.Array.from_buffers(pa.string_view(), rows, buffers)
    return pa.record_batch({"note": column})


def decode(batch: pa.RecordBatch) -> pa.RecordBatch:
    return decode_batch(
        batch.serialize().to_pybytes(),
        schema=batch.schema,
        row_count=batch.num_rows,
        limits=LIMITS,
    )


def test_views_of_one_long_text_are_not_written_out():
    bomb = make_views(1 << 16)
    assert bomb.serialize().size < 3 << 20
    with pytest.raises(BatchTooLarge, match="text views"):
        decode(bomb)


def test_honest_views_are_taken():
    assert decode(make_views(3)).equals(make_views(3))
    short = pa.record_batch({"note": pa.array(["a", None, "b" * 40], pa.string_view())})
    assert decode(short).equals(short)
    assert decode(short.slice(1)).equals(short.slice(1))
    assert decode(short.slice(0, 0)).num_rows == 0


def test_what_views_beneath_nulls_state_does_not_count():
    nulls = make_views(800, valid=b"\x01" + bytes(99))
    assert decode(nulls).column(0).null_count == 799


def test_a_schema_that_is_mostly_metadata_is_refused():
    schema = pa.schema([pa.field("note", pa.string())])
    assert decode_schema(schema.serialize().to_pybytes(), LIMITS).equals(schema)
    swollen = schema.with_metadata({"notes": "x" * LONGEST_SCHEMA})
    with pytest.raises(BatchTooLarge, match="without metadata"):
        decode_schema(swollen.serialize().to_pybytes(), LIMITS)
