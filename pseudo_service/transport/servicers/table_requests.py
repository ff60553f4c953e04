"""The requests of one table stream, received, decoded and begun in stages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from pseudo_service.api.v1 import deidentification_pb2 as messages
from pseudo_service.core.errors import BatchOutOfOrder, StreamIncomplete
from pseudo_service.engine.tables.deidentify_table import TableHeader
from pseudo_service.engine.tables.prefetch import Prefetcher
from pseudo_service.engine.tables.table_stream import PendingBatch, TableStream
from pseudo_service.ports.clock import Clock
from pseudo_service.transport.arrow_ipc import ArrowLimits, decode_batch
from pseudo_service.transport.interceptors.calls import CallContext

AHEAD = 1
FIRST_SECONDS = 30.0
"""How long a stream may hold a thread before its first message."""
IDLE_SECONDS = 600.0
JOIN_SECONDS = 30.0
_Request = TypeVar("_Request")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoded:
    sequence: int
    batch: pa.RecordBatch


def receive(requests: Iterator[_Request]) -> Iterator[_Request]:
    """Yield a client's requests; they end, too, when the client has gone."""
    try:
        yield from requests
    except Exception:  # noqa: BLE001 - gRPC raises a bare one when a client goes
        return


class TableRequests:
    """Takes a client's batches up to its end message.

    Two stages run ahead of the caller: one receives, checks and decodes, one
    computes and queues the commit. ``end`` is there once the batches are through.
    """

    def __init__(
        self,
        requests: Prefetcher[messages.DeidentifyTableRequest],
        *,
        stream: TableStream,
        header: TableHeader,
        call: CallContext,
        limits: ArrowLimits,
        clock: Clock,
    ) -> None:
        self._requests = requests
        self._stream = stream
        self._header = header
        self._call = call
        self._limits = limits
        self._clock = clock
        self._stages: list[Prefetcher[_Decoded] | Prefetcher[PendingBatch]] = []
        self.end = messages.TableEnd()

    def begin_batches(self) -> Iterator[PendingBatch]:
        """Yield each batch once it is computed and its commit is on its way.

        Raises:
            StreamIncomplete: The client stopped without an end message.
            BatchOutOfOrder, BatchMalformed, BatchTooLarge, SchemaChanged, TokenExpired
        """
        decoded = Prefetcher(self._decode(), ahead=AHEAD, idle_seconds=IDLE_SECONDS)
        self._stages.append(decoded)
        begun = Prefetcher(
            (self._stream.begin(one.sequence, one.batch) for one in decoded),
            ahead=AHEAD,
            idle_seconds=IDLE_SECONDS + JOIN_SECONDS,
        )
        self._stages.append(begun)
        yield from begun

    def close(self) -> None:
        """Stop the stages; nothing is begun after this returns."""
        for stage in self._stages:
            stage.close()
        for stage in self._stages[1:]:  # the first may wait for the client for long
            stage.join(JOIN_SECONDS)
        # A stage holds this object: without the cycle a stream's memory goes at once.
        self._stages.clear()

    def _decode(self) -> Iterator[_Decoded]:
        for request in self._requests:
            match request.WhichOneof("payload"):
                case "patients":
                    self._take_patients(request.patients)
                case "batch":
                    yield self._decode_batch(request.batch)
                case "end":
                    self.end = request.end
                    return
                case _:
                    msg = "a stream has one header, then batches, then one end"
                    raise BatchOutOfOrder(msg)
        msg = "the stream ended without its end message: the table is unfinished"
        raise StreamIncomplete(msg)

    def _take_patients(self, message: messages.PatientBatch) -> None:
        intake = self._stream.patients
        if intake is None:
            msg = "patient table: none was announced in the header; leave it out"
            raise BatchOutOfOrder(msg)
        self._call.check_still_valid(self._clock.now())
        intake.note(message.sequence, message.data)
        intake.add(
            decode_batch(
                message.data,
                schema=intake.schema,
                row_count=message.row_count,
                limits=self._limits,
            )
        )

    def _decode_batch(self, message: messages.TableBatch) -> _Decoded:
        self._call.check_still_valid(self._clock.now())
        self._stream.receive(message.sequence, message.data)
        batch = decode_batch(
            message.data,
            schema=self._header.schema,
            row_count=message.row_count,
            limits=self._limits,
        )
        return _Decoded(sequence=message.sequence, batch=batch)
