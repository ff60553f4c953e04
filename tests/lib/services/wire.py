"""The service's calls message by message: for what no client would send."""

import queue
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import pyarrow as pa
from google.rpc import error_details_pb2, status_pb2

from pseudo_service.api.v1 import deidentification_pb2 as pb
from pseudo_service.api.v1.deidentification_pb2_grpc import DeidentificationServiceStub
from tests.lib.services.service import POLICY, RunningService
from tests.lib.values.cohort import PURPOSE, SCHEMA

TIMEOUT = 30.0
Request = pb.DeidentifyTableRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How a call failed. ``text`` is all that left the service with it."""

    status: grpc.StatusCode
    code: str
    message: str
    text: str

    @classmethod
    def read(cls, error: grpc.RpcError) -> "Refusal":
        trailers = dict(error.trailing_metadata() or ())
        details = trailers.get("grpc-status-details-bin", b"")
        info = error_details_pb2.ErrorInfo()
        for packed in status_pb2.Status.FromString(details).details:
            packed.Unpack(info)
        message = error.details() or ""
        return cls(
            status=error.code(),
            code=info.reason,
            message=message,
            text=f"{message} {trailers!r}",
        )


def catch(call: Callable[[], Any]) -> Refusal:
    """Return how the call is refused; fail if it is not."""
    try:
        call()
    except grpc.RpcError as error:
        return Refusal.read(error)
    msg = "the call was answered"
    raise AssertionError(msg)


def write_bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


class TableWire:
    """One open table stream. Nothing is checked before it is sent."""

    def __init__(
        self,
        service: RunningService,
        *,
        token: str | None = None,
        project: str = "asthma",
        channel: grpc.Channel | None = None,
    ) -> None:
        token = token or service.issue(f"pipeline:{project}")
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        stub = DeidentificationServiceStub(channel or service.channel())
        self._call: Any = stub.DeidentifyTable(
            iter(self._requests.get, None),
            metadata=write_bearer(token),
            timeout=TIMEOUT,
        )

    def send(self, *requests: Request) -> "TableWire":
        for request in requests:
            self._requests.put(request)
        return self

    def close(self) -> "TableWire":
        """Send nothing more."""
        self._requests.put(None)
        return self

    def receive(self) -> pb.DeidentifyTableResponse:
        return next(self._call)

    def receive_batch(self, schema: pa.Schema) -> pa.RecordBatch:
        """Return the next answer, which must be a batch."""
        answer = self.receive()
        assert answer.WhichOneof("payload") == "batch", answer
        return pa.ipc.read_record_batch(pa.py_buffer(answer.batch.data), schema)

    def open(self) -> pa.Schema:
        """Return the schema of the answers."""
        answer = self.receive()
        assert answer.WhichOneof("payload") == "opened", answer
        return pa.ipc.read_schema(pa.py_buffer(answer.opened.schema))

    def drain(self) -> list[pb.DeidentifyTableResponse]:
        """Return all answers that are still to come."""
        return list(self._call)

    def catch(self) -> Refusal:
        """Return how the stream is refused, its earlier answers aside."""
        try:
            return catch(self.drain)
        finally:
            self.close()

    def cancel(self) -> None:
        self._call.cancel()
        self.close()


def refuse_table(
    service: RunningService, *requests: Request, **options: Any
) -> Refusal:
    """Send whole requests and return how the stream is refused."""
    return TableWire(service, **options).send(*requests).close().catch()


def make_header(schema: pa.Schema | bytes = SCHEMA, **fields: Any) -> Request:
    encoded = schema if isinstance(schema, bytes) else schema.serialize().to_pybytes()
    header = {
        "project": "asthma",
        "policy": POLICY,
        "purpose": PURPOSE,
        "operation_id": "operation-of-a-test",
        "schema": encoded,
        **fields,
    }
    return Request(header=pb.TableHeader(**header))


def make_message(
    sequence: int, batch: pa.RecordBatch | bytes, *, rows: int | None = None
) -> Request:
    data = batch if isinstance(batch, bytes) else batch.serialize().to_pybytes()
    if rows is None:
        rows = batch.num_rows if isinstance(batch, pa.RecordBatch) else 1
    message = pb.TableBatch(sequence=sequence, row_count=rows, data=data)
    return Request(batch=message)


def make_messages(batches: Iterable[pa.RecordBatch]) -> Sequence[Request]:
    return [make_message(number, batch) for number, batch in enumerate(batches)]


def make_end(batches: int, rows: int) -> Request:
    return Request(end=pb.TableEnd(batches=batches, rows=rows))
