"""The middle of a table stream: batches out, answers in, the receipt at the end."""

from array import array
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pyarrow as pa

from pseudo_client.api.v1 import deidentification_pb2 as pb
from pseudo_client.errors import ProtocolBroken, UnfinishedTable
from pseudo_client.streams import TableStream
from pseudo_client.values import BatchResult, Receipt, RejectedCells, count_by_name


@dataclass(frozen=True, slots=True)
class _Sent:
    """A batch that waits for its answer."""

    sequence: int
    first_row: int
    rows: int


class Exchange:
    """Keeps at most ``window`` batches unanswered and checks the service's count."""

    def __init__(
        self,
        *,
        stream: TableStream,
        batches: Iterator[pa.RecordBatch],
        schema: pa.Schema,
        window: int,
    ) -> None:
        self._stream = stream
        self._batches = batches
        self._schema = schema
        self._window = window
        self._waiting: deque[_Sent] = deque()
        self._sent_batches = 0
        self._sent_rows = 0
        self._received_rows = 0
        self._ended = False

    def run(self) -> Generator[BatchResult, None, Receipt]:
        """Yield the answers in order and return the receipt.

        Raises:
            UnfinishedTable: The totals of the receipt are not those of the stream.
            ProtocolBroken: An answer is not what the contract allows.
            ServiceError: The service refused or failed.
        """
        while True:
            self._fill()
            if not self._waiting:
                return self._receive_receipt()
            yield self._receive_batch(self._waiting.popleft())

    def _fill(self) -> None:
        while not self._ended and len(self._waiting) < self._window:
            batch = next(self._batches, None)
            if batch is None:
                self._send_end()
            elif batch.num_rows:
                self._send_batch(batch)

    def _send_batch(self, batch: pa.RecordBatch) -> None:
        message = pb.TableBatch(
            sequence=self._sent_batches,
            row_count=batch.num_rows,
            data=batch.serialize().to_pybytes(),
        )
        self._stream.send(pb.DeidentifyTableRequest(batch=message))
        sent = _Sent(self._sent_batches, self._sent_rows, batch.num_rows)
        self._waiting.append(sent)
        self._sent_batches += 1
        self._sent_rows += batch.num_rows

    def _send_end(self) -> None:
        end = pb.TableEnd(batches=self._sent_batches, rows=self._sent_rows)
        self._stream.send(pb.DeidentifyTableRequest(end=end))
        self._stream.finish_sending()
        self._ended = True

    def _receive_batch(self, sent: _Sent) -> BatchResult:
        answer = self._stream.receive()
        if answer.WhichOneof("payload") != "batch":
            msg = f"batch {sent.sequence} was not answered with a batch"
            raise ProtocolBroken(msg)
        result = answer.batch
        if result.sequence != sent.sequence:
            msg = f"batch {sent.sequence} was answered as batch {result.sequence}"
            raise ProtocolBroken(msg)
        batch = self._read_batch(result)
        removed = count_by_name(result.removed)
        if batch.num_rows + sum(removed.values()) != sent.rows:
            msg = f"the answer to batch {sent.sequence} does not account for every row"
            raise ProtocolBroken(msg)
        self._received_rows += batch.num_rows
        rejected = tuple(_place(each, sent.first_row) for each in result.rejected)
        return BatchResult(batch=batch, removed=removed, rejected=rejected)

    def _read_batch(self, result: pb.TableBatchResult) -> pa.RecordBatch:
        try:
            batch = pa.ipc.read_record_batch(pa.py_buffer(result.data), self._schema)
        except (pa.ArrowException, OSError):
            batch = None
        if batch is None or batch.num_rows != result.row_count:
            msg = f"the answer to batch {result.sequence} cannot be read"
            raise ProtocolBroken(msg)
        return batch

    def _receive_receipt(self) -> Receipt:
        answer = self._stream.receive()
        if answer.WhichOneof("payload") != "receipt" or not self._stream.expect_end():
            msg = "the service did not end the stream with a receipt"
            raise ProtocolBroken(msg)
        receipt = Receipt.from_message(answer.receipt)
        agreed = (receipt.rows_in, receipt.rows_out)
        if agreed != (self._sent_rows, self._received_rows):
            msg = "the receipt counts other rows than were sent and received"
            raise UnfinishedTable(msg)
        return receipt


def _place(cells: pb.RejectedCells, first_row: int) -> RejectedCells:
    rows = array("q", (first_row + row for row in cells.rows))
    return RejectedCells(column=cells.column, code=cells.code, rows=rows)
