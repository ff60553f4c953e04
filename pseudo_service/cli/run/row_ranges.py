"""Reading an input by ranges of rows."""

from collections.abc import Iterator

import pyarrow as pa

from pseudo_service.cli.inputs.readers import TableInput


class RowRangeReader:
    """Reads an input by ranges of rows; to go back it reads from the first row."""

    def __init__(self, source: TableInput) -> None:
        self._source = source
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._rest: pa.RecordBatch | None = None
        self._position = 0
        self._begun = False

    @property
    def schema(self) -> pa.Schema:
        """The input's schema."""
        return self._source.schema

    def has_row(self, row: int) -> bool:
        """Return whether the input reaches to this row, from 0."""
        self._go_to(row)
        return self._peek() is not None

    def read(self, start: int, rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a range.

        Args:
            start: The first row, from 0.
            rows: The most rows to yield.
        """
        self._go_to(start)
        left = rows
        while left and (batch := self._peek()) is not None:
            taken = batch.slice(0, left)
            self._advance(taken.num_rows)
            left -= taken.num_rows
            yield taken

    def _go_to(self, row: int) -> None:
        if not self._begun or row < self._position:
            self._batches = self._source.batches()
            self._rest, self._position, self._begun = None, 0, True
        while self._position < row and (batch := self._peek()) is not None:
            self._advance(min(batch.num_rows, row - self._position))

    def _peek(self) -> pa.RecordBatch | None:
        while self._rest is None or self._rest.num_rows == 0:
            self._rest = next(self._batches, None)
            if self._rest is None:
                return None
        return self._rest

    def _advance(self, rows: int) -> None:
        assert self._rest is not None  # noqa: S101 - callers have peeked
        self._rest = self._rest.slice(rows)
        self._position += rows
