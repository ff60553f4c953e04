"""CSV as text and nothing but text: no type is guessed, no leading zero is lost.

Empty fields, quoted or not, are null; all else, "NA" too, stays as it is for the
service to classify. A row of another width, bytes of another encoding and an
unclosed quote are errors that name the line.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn, cast

import pyarrow as pa
import pyarrow.csv

from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.cli.inputs.csv_validation import CsvValidation, validate_csv
from pseudo_service.cli.inputs.files import InputFile
from pseudo_service.core.errors import name_field

_BLOCK_BYTES = 8 << 20
"""The most that one row may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvForm:
    """How CSV files are written."""

    encoding: str = "utf-8"
    delimiter: str = ","


class CsvInput:
    """One CSV file; its schema is read at once, its rows when they are asked for."""

    def __init__(self, file: InputFile, form: CsvForm) -> None:
        self._file = file
        tabbed = CsvForm(encoding=form.encoding, delimiter="\t")
        self._form = tabbed if file.tabbed else form
        self._is_validated = False
        self._names = self._read_header()
        self.schema = pa.schema([pa.field(name, pa.string()) for name in self._names])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows from the first.

        Raises:
            Failure: The file is not well formed; the message names the line.
        """
        try:
            with open_bytes(self._file) as stream:
                yield from self._parse(stream)
        except (pa.ArrowException, OSError, ValueError, EOFError):
            # The library's text quotes the row; ours names only its line.
            found = self._validate()
            if found.fault is not None or found.rows > 0:
                self._raise_fault(found.fault or "it cannot be read as CSV")

    def _validate(self) -> CsvValidation:
        return validate_csv(
            lambda: open_bytes(self._file),
            encoding=self._form.encoding,
            delimiter=self._form.delimiter,
            longest=_BLOCK_BYTES,
        )

    def _raise_fault(self, fault: str) -> NoReturn:
        msg = f"{self._file.label}, {fault}"
        raise Failure(msg) from None

    def _check_line_breaks(self, batch: pa.RecordBatch) -> None:
        """Check the whole file once if a cell has a line break.

        An open quote takes the rows below into its cell, which the fast reader
        does not mind. A cell without a line break cannot hold another row.
        """
        if self._is_validated or not any(map(_has_line_break, batch.columns)):
            return
        fault = self._validate().fault
        if fault is not None:
            self._raise_fault(fault)
        self._is_validated = True

    def _parse(self, stream: BinaryIO) -> Iterator[pa.RecordBatch]:
        reader = pyarrow.csv.open_csv(
            stream,
            read_options=pyarrow.csv.ReadOptions(
                block_size=_BLOCK_BYTES, encoding=self._arrow_encoding
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._form.delimiter,
                newlines_in_values=True,
                # In a table of one column an empty line is a row without a value.
                ignore_empty_lines=len(self._names) > 1,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                default_column_type=pa.string(),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
        with reader:
            if reader.schema != self.schema:
                msg = (
                    f"{self._file.label}: its header is not plain CSV; quote its names"
                )
                raise Failure(msg)
            for batch in reader:
                self._check_line_breaks(batch)
                yield batch

    @property
    def _arrow_encoding(self) -> str:
        plain = self._form.encoding.lower().replace("_", "-")
        return "utf8" if plain in {"utf-8", "utf8", "utf-8-sig"} else plain

    def _read_header(self) -> list[str]:
        try:
            names = self._read_first_row()
        except (UnicodeDecodeError, csv.Error, OSError, EOFError):
            names = None
        if names is None or any(map(_holds_foreign_bytes, names)):
            msg = (
                f"{self._file.label}: its header cannot be read; check that it is CSV "
                f"in {self._form.encoding} (--encoding, --delimiter)"
            )
            raise Failure(msg)
        if not names:
            msg = f"{self._file.label} is empty: it has not even a header line"
            raise Failure(msg)
        self._check_names(names)
        return names

    def _read_first_row(self) -> list[str]:
        with _open_text(open_bytes(self._file), self._form.encoding) as text:
            rows = csv.reader(text, delimiter=self._form.delimiter)
            return next((row for row in rows if row), [])

    def _check_names(self, names: list[str]) -> None:
        for position, name in enumerate(names):
            if not name.strip():
                msg = f"{self._file.label}: column {position + 1} has no name"
                raise Failure(msg)
            if name in names[:position]:
                shown = name_field(name, position)
                msg = f"{self._file.label}: column {shown} is there twice; rename one"
                raise Failure(msg)


def _holds_foreign_bytes(name: str) -> bool:
    return any("\ud800" <= symbol <= "\udfff" for symbol in name)


def _has_line_break(column: pa.Array) -> bool:
    """Return whether any cell may have one; searching the cells is 20 times slower."""
    texts = column.buffers()[2]
    return texts is not None and b"\n" in texts.to_pybytes()


def open_bytes(file: InputFile) -> BinaryIO:
    """Open a file's content, decompressed on the way."""
    compression = "gzip" if file.compressed else None
    return cast("BinaryIO", pa.input_stream(str(file.path), compression=compression))


def _open_text(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """Return a stream's text, without a byte order mark.

    Bytes of another encoding become lone surrogates, so that those of the first
    rows, which are read ahead, do not stand against the header.
    """
    plain = encoding.lower().replace("_", "-")
    marked = "utf-8-sig" if plain in {"utf-8", "utf8"} else encoding
    return io.TextIOWrapper(
        stream, encoding=marked, errors="surrogateescape", newline=""
    )
