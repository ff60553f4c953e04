"""Inputs as record batches: streamed, bounded in memory, their errors without values."""

import gzip
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.cli.inputs.csv_reader import CsvForm, CsvInput, open_bytes
from pseudo_service.cli.inputs.files import InputFile, InputFormat
from pseudo_service.core.arrow.sound_batches import make_sound
from pseudo_service.core.errors import BatchMalformed, BatchTooLarge, name_field

_BATCH_ROWS = 1 << 16
_ARROW_MAGIC = b"ARROW1"
_MOST_TEXT_BYTES = (1 << 31) - 1


class TableInput(Protocol):
    """A file that can be read from its first row, as often as needed."""

    schema: pa.Schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows from the first."""
        ...


def open_inputs(
    files: Sequence[InputFile], form: CsvForm, scratch: Path
) -> list[TableInput]:
    """Open all files and check that they are one table.

    Args:
        files: In their order.
        form: How CSV files are written.
        scratch: Where compressed Parquet and Arrow files are unpacked, unnamed.

    Raises:
        Failure: A file cannot be read, or its columns are not the first file's.
    """
    inputs = [_open(file, form, scratch) for file in files]
    for file, opened in zip(files, inputs, strict=True):
        _check_names(file, opened.schema)
        _compare(file, opened.schema, files[0], inputs[0].schema)
    return inputs


def _open(file: InputFile, form: CsvForm, scratch: Path) -> TableInput:
    if file.format is InputFormat.CSV:
        return CsvInput(file, form)
    if file.format is InputFormat.PARQUET:
        return _ParquetInput(file, scratch)
    return _ArrowInput(file, scratch)


class _ParquetInput:
    """One Parquet file."""

    def __init__(self, file: InputFile, scratch: Path) -> None:
        self._file = file
        self._scratch = scratch
        try:
            with self._reader() as reader:
                self.schema = reader.schema_arrow
        except (pa.ArrowException, OSError, EOFError):
            raise _unreadable(file, "Parquet") from None

    @contextmanager
    def _reader(self) -> Iterator[pq.ParquetFile]:
        with (
            _open_seekable(self._file, self._scratch) as content,
            pq.ParquetFile(content) as reader,
        ):
            yield reader

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows from the first.

        Raises:
            Failure: The file is damaged.
        """
        try:
            with self._reader() as reader:
                yield from reader.iter_batches(batch_size=_BATCH_ROWS)
        except (pa.ArrowException, OSError, EOFError):
            raise _unreadable(self._file, "Parquet") from None


class _ArrowInput:
    """One Arrow IPC file, of the file or of the stream format."""

    def __init__(self, file: InputFile, scratch: Path) -> None:
        self._file = file
        self._scratch = scratch
        try:
            with self._reader() as reader:
                self.schema = reader.schema
        except (pa.ArrowException, OSError, EOFError):
            raise _unreadable(file, "Arrow IPC") from None

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        with open_bytes(self._file) as stream:
            magic = stream.read(len(_ARROW_MAGIC))
        if magic != _ARROW_MAGIC:
            with (
                open_bytes(self._file) as stream,
                pa.ipc.open_stream(stream) as reader,
            ):
                yield reader
            return
        with (
            _open_seekable(self._file, self._scratch) as content,
            pa.ipc.open_file(content) as reader,
        ):
            yield reader

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows from the first.

        Raises:
            Failure: The file is damaged.
        """
        try:
            with self._reader() as reader:
                for batch in _read_batches(reader):
                    yield make_sound(batch, most_text_bytes=_MOST_TEXT_BYTES)
        except BatchTooLarge:
            msg = f"{self._file.label}: a batch has over 2 GiB of text; cut it smaller"
            raise Failure(msg) from None
        except (pa.ArrowException, OSError, EOFError, BatchMalformed):
            raise _unreadable(self._file, "Arrow IPC") from None


def _read_batches(reader: Any) -> Iterator[pa.RecordBatch]:
    """Yield what a file or a stream of Arrow holds, as it is: nothing is checked."""
    if hasattr(reader, "num_record_batches"):
        yield from map(reader.get_batch, range(reader.num_record_batches))
    else:
        yield from reader


@contextmanager
def _open_seekable(file: InputFile, scratch: Path) -> Iterator[Any]:
    """Give what random access needs; a compressed file is unpacked first.

    The unpacked copy has no name and is gone with the process.
    """
    if not file.compressed:
        with pa.OSFile(str(file.path)) as opened:
            yield opened
        return
    with tempfile.TemporaryFile(dir=scratch) as unpacked:
        with gzip.open(file.path) as packed:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
        unpacked.seek(0)
        yield pa.PythonFile(unpacked, mode="r")


def _unreadable(file: InputFile, kind: str) -> Failure:
    msg = f"{file.label}: not readable as {kind}; it is damaged, cut off or misnamed"
    return Failure(msg)


def _check_names(file: InputFile, schema: pa.Schema) -> None:
    for position, field in enumerate(schema):
        if field.name in schema.names[:position]:
            shown = name_field(field.name, position)
            msg = f"{file.label}: column {shown} is there twice; rename one"
            raise Failure(msg)
        if pa.types.is_nested(field.type):
            shown = name_field(field.name, position)
            msg = f"{file.label}: column {shown} is nested; only flat columns are taken"
            raise Failure(msg)


def _compare(
    file: InputFile, schema: pa.Schema, first: InputFile, expected: pa.Schema
) -> None:
    if schema.equals(expected):
        return
    for position, (field, other) in enumerate(zip(schema, expected, strict=False)):
        if (field.name, field.type) != (other.name, other.type):
            shown = name_field(other.name, position)
            what = "has another type" if field.name == other.name else "is another"
            msg = (
                f"{file.label}: column {position + 1} {what} than {shown} of "
                f"{first.label}; the inputs of a run must be one table"
            )
            raise Failure(msg)
    if len(schema) != len(expected):
        msg = (
            f"{file.label}: {len(schema)} columns where {first.label} has "
            f"{len(expected)}; the inputs of a run must be one table"
        )
        raise Failure(msg)
