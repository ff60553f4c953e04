"""A table on its way through the service, as lazily read record batches."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import pyarrow as pa

from pseudo_client.api.v1 import deidentification_pb2 as pb
from pseudo_client.arrow import TableSource, cut, open_source, plain_batch, plain_schema
from pseudo_client.errors import ProtocolBroken, UnfinishedTable
from pseudo_client.exchange import Exchange
from pseudo_client.patients import PatientTable
from pseudo_client.retries import RetryPolicy
from pseudo_client.streams import StartCall, TableStream
from pseudo_client.values import BatchResult, Pins, Receipt, RejectedCells

_LARGEST_BATCH_ROWS = 1 << 16
_LARGEST_BATCH_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRequest:
    """What the header of a table says besides its schema."""

    project: str
    policy: str
    purpose: str
    operation_id: str
    part: int = 0
    expected_pins: Pins | None = None
    patients: PatientTable | None = None

    def to_header(self, schema: pa.Schema) -> pb.TableHeader:
        """Return the header message for a table of this schema."""
        pins = self.expected_pins
        return pb.TableHeader(
            project=self.project,
            policy=self.policy,
            schema=schema.serialize().to_pybytes(),
            purpose=self.purpose,
            operation_id=self.operation_id,
            part=self.part,
            expected_pins=None if pins is None else pins.to_message(),
            patient_table=self.patients.announce() if self.patients else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A stream that the service has accepted, and what it said of it."""

    stream: TableStream
    schema: pa.Schema
    pins: Pins
    maximum_rows: int
    maximum_bytes: int


class DeidentifiedTable:
    """Iterate it once: de-identified batches come in order, as they are answered.

    The call starts when the schema, the pins or the first batch is asked for. At
    most ``window`` batches are in flight, so memory does not grow with the table.
    When the iteration ends without an exception the service has signed a receipt;
    until then nothing that came may be used as a whole table.

    Raises:
        PseudoClientError: From any of its methods, as the call fails. What the
            source raises is passed on as it is, and the call is cancelled.
    """

    def __init__(
        self,
        *,
        request: TableRequest,
        source: TableSource,
        start: StartCall,
        retries: RetryPolicy,
        window: int,
    ) -> None:
        self._request = request
        self._source_schema, self._source = open_source(source)
        self._plain = plain_schema(self._source_schema)
        self._start = start
        self._retries = retries
        self._window = window
        self._opened: _Opened | None = None
        self._receipt: Receipt | None = None
        self._rejected: list[RejectedCells] = []
        self._results = self._exchange()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for result in self._results:
            yield result.batch

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def results(self) -> Iterator[BatchResult]:
        """Iterate the answers with what was removed and rejected in each."""
        return self._results

    def close(self) -> None:
        """Cancel the call if it is still open; what came so far is unfinished."""
        self._results.close()
        if self._opened is not None:
            self._opened.stream.close()

    @property
    def schema(self) -> pa.Schema:
        """The schema of what comes back, known once the stream is open."""
        return self._open().schema

    @property
    def pins(self) -> Pins:
        """What the answers depend on, known once the stream is open."""
        return self._open().pins

    @property
    def receipt(self) -> Receipt:
        """The signed receipt, once the iteration has ended.

        Raises:
            UnfinishedTable: It has not, or it failed.
        """
        if self._receipt is None:
            msg = "no receipt: only a table that was read to its end has one"
            raise UnfinishedTable(msg)
        return self._receipt

    @property
    def quality(self) -> Mapping[str, Mapping[str, int]]:
        """The counts of each column by code, from the receipt."""
        return self.receipt.columns

    @property
    def rejected(self) -> tuple[RejectedCells, ...]:
        """The cells marked so far, in order of their batches."""
        return tuple(self._rejected)

    def read_all(self) -> pa.Table:
        """Read everything into memory; returns only what has a receipt."""
        batches = list(self)
        return pa.Table.from_batches(batches, schema=self.schema)

    def _open(self) -> _Opened:
        """Start the call; as no batch was sent yet, it may be tried again."""
        if self._opened is None:
            self._opened = self._retries.run(self._try_to_open)
        return self._opened

    def _try_to_open(self) -> _Opened:
        stream = TableStream(self._start)
        header = self._request.to_header(self._plain)
        stream.send(pb.DeidentifyTableRequest(header=header))
        try:
            return _read_opening(stream)
        except BaseException:
            stream.close()
            raise

    def _exchange(self) -> Generator[BatchResult, None, None]:
        opened = self._open()
        if self._request.patients is not None:
            opened.stream.send_all(self._request.patients.write_requests())
        exchange = Exchange(
            stream=opened.stream,
            batches=self._cut(opened),
            schema=opened.schema,
            window=self._window,
        )
        try:
            receipt = yield from self._note_rejected(exchange)
        finally:
            opened.stream.close()
        self._receipt = receipt

    def _note_rejected(
        self, exchange: Exchange
    ) -> Generator[BatchResult, None, Receipt]:
        answers = exchange.run()
        while True:
            try:
                result = next(answers)
            except StopIteration as end:
                receipt: Receipt = end.value
                return receipt
            self._rejected.extend(result.rejected)
            yield result

    def _cut(self, opened: _Opened) -> Iterator[pa.RecordBatch]:
        for batch in self._source:
            plain = plain_batch(batch, source=self._source_schema, plain=self._plain)
            yield from cut(
                plain,
                maximum_rows=opened.maximum_rows,
                maximum_bytes=opened.maximum_bytes,
            )


def _read_opening(stream: TableStream) -> _Opened:
    answer = stream.receive()
    schema = None
    if answer.WhichOneof("payload") == "opened":
        schema = _read_schema(answer.opened.schema)
    if schema is None:
        msg = "the service did not begin its answers with the schema of the table"
        raise ProtocolBroken(msg)
    rows, size = answer.opened.maximum_rows, answer.opened.maximum_bytes
    return _Opened(
        stream=stream,
        schema=schema,
        pins=Pins.from_message(answer.opened.pins),
        maximum_rows=min(rows or _LARGEST_BATCH_ROWS, _LARGEST_BATCH_ROWS),
        maximum_bytes=min(size or _LARGEST_BATCH_BYTES, _LARGEST_BATCH_BYTES),
    )


def _read_schema(encoded: bytes) -> pa.Schema | None:
    try:
        return pa.ipc.read_schema(pa.py_buffer(encoded))
    except (pa.ArrowException, OSError):
        return None
