"""From whatever holds a table to plain record batches within the limits."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import pyarrow as pa

from pseudo_client.errors import BatchTooLarge, SourceUnusable

TableSource = Any
"""A pa.Table, RecordBatch, RecordBatchReader or dataset, anything that speaks the
Arrow C stream (Polars, pandas, DuckDB), or an iterable of record batches."""


def open_source(source: TableSource) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return a source's schema and its batches, not yet read.

    Raises:
        SourceUnusable: It is none of ``TableSource``, or empty without a schema.
    """
    if isinstance(source, pa.RecordBatch):
        return source.schema, iter([source])
    if isinstance(source, pa.RecordBatchReader):
        return source.schema, iter(source)
    if isinstance(source, pa.Table):
        return source.schema, iter(source.to_batches())
    if hasattr(source, "__arrow_c_stream__"):
        reader = _open_stream(source)
        return reader.schema, iter(reader)
    if hasattr(source, "to_batches") and isinstance(
        getattr(source, "schema", None), pa.Schema
    ):
        return source.schema, iter(source.to_batches())
    if isinstance(source, Iterable):
        return _open_iterable(iter(source))
    msg = "the source is no Arrow table, reader, dataset or iterable of record batches"
    raise SourceUnusable(msg)


def _open_stream(source: TableSource) -> pa.RecordBatchReader:
    if hasattr(pa.RecordBatchReader, "from_stream"):
        return pa.RecordBatchReader.from_stream(source)
    capsule = source.__arrow_c_stream__()  # pyarrow 14 has the same under this name
    return pa.RecordBatchReader._import_from_c_capsule(capsule)  # noqa: SLF001


def _open_iterable(
    batches: Iterator[pa.RecordBatch],
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    first = next(batches, None)
    if first is None:
        msg = "an iterable without a batch has no schema: pass a table or a reader"
        raise SourceUnusable(msg)
    if not isinstance(first, pa.RecordBatch):
        msg = "the iterable must yield pyarrow.RecordBatch"
        raise SourceUnusable(msg)
    return first.schema, chain([first], batches)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema as it is sent: dictionaries decoded, metadata left out.

    Metadata comes from other tools and may hold values of patients.
    """
    return pa.schema(
        [pa.field(each.name, _plain_type(each.type), each.nullable) for each in schema]
    )


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def plain_batch(
    batch: pa.RecordBatch, *, source: pa.Schema, plain: pa.Schema
) -> pa.RecordBatch:
    """Return a batch of the source as a batch of the plain schema.

    Raises:
        SourceUnusable: The batch has another schema than the first.
    """
    if not isinstance(batch, pa.RecordBatch) or not batch.schema.equals(
        source, check_metadata=False
    ):
        msg = "a batch of the source has another schema than the first"
        raise SourceUnusable(msg)
    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=plain)


def cut(
    batch: pa.RecordBatch, *, maximum_rows: int, maximum_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Yield the batch in order in pieces within both limits, without copying.

    Raises:
        BatchTooLarge: One row alone exceeds the bytes.
    """
    for start in range(0, batch.num_rows, maximum_rows):
        yield from _halve(batch.slice(start, maximum_rows), maximum_bytes)


def _halve(batch: pa.RecordBatch, maximum_bytes: int) -> Iterator[pa.RecordBatch]:
    if pa.ipc.get_record_batch_size(batch) <= maximum_bytes:
        yield batch
    elif batch.num_rows == 1:
        msg = f"a single row has more than the {maximum_bytes:,} bytes of a batch"
        raise BatchTooLarge(msg, code="BATCH_TOO_LARGE")
    else:
        middle = batch.num_rows // 2
        yield from _halve(batch.slice(0, middle), maximum_bytes)
        yield from _halve(batch.slice(middle), maximum_bytes)
