"""The deidentification service over loopback TLS, in this process, with faults.

It speaks the real contract, but does next to nothing to the data: column
``nhs_number`` becomes a made-up pseudonym, rows without one leave, and texts in
``born`` that are not ISO dates are marked. Its receipts say what the client reads,
under a signature of zeros; a subclass can sign. Each call takes the next planned
``Fault``; without one it behaves.
"""

import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import grpc
import pyarrow as pa
import pyarrow.compute as pc

from client_fakes.certificate import make_loopback_certificate
from client_fakes.statuses import build_status
from pseudo_client import Pins
from pseudo_client.api.v1 import common_pb2
from pseudo_client.api.v1 import deidentification_pb2 as pb
from pseudo_client.api.v1.deidentification_pb2_grpc import (
    DeidentificationServiceServicer,
    add_DeidentificationServiceServicer_to_server,
)

TOKEN = "a-token-for-tests"
PINS = Pins(
    key_version=1,
    key_check_value=b"\x03" * 16,
    policy="cohort/release@1",
    policy_digest=b"\x01" * 32,
    date_parameters_digest=b"\x02" * 32,
    library_versions={"pyarrow": "26"},
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong in one call; batches count from 0."""

    refuse: str | None = None
    die_before_batch: int | None = None
    die_with: str = "STORE_UNAVAILABLE"
    end_before_batch: int | None = None
    swap_sequence_of: int | None = None
    drop_a_row_of: int | None = None
    garble: int | None = None
    open_with_receipt: bool = False
    skip_receipt: bool = False
    miscount: bool = False
    wrong_digest: bool = False
    fail_after_receipt: bool = False
    never_answer: bool = False


@dataclass(kw_only=True)
class Seen:
    """What one call brought."""

    project: str
    part: int
    operation: str
    authorization: str
    rows: int = 0
    batches: int = 0
    schema: pa.Schema | None = None
    expected_pins: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)


class Digest(Protocol):
    """What is computed over the rows that leave."""

    @property
    def rows(self) -> int: ...

    def update(self, batch: pa.RecordBatch) -> None: ...


class RowCount:
    """The digest of a service that signs nothing."""

    rows = 0

    def update(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """What a receipt states of a finished table."""

    header: pb.TableHeader
    end: pb.TableEnd
    rows_out: int
    removed: int
    unparseable: int
    digest: Any


class FakeService(DeidentificationServiceServicer):
    """Holds the state; ``address`` and ``root_certificates`` are for the client."""

    def __init__(self, *, maximum_rows: int = 1000) -> None:
        self.pins = PINS
        self.maximum_rows = maximum_rows
        self.maximum_bytes = 1 << 20
        self.faults: deque[Fault | None] = deque()
        self.seen: list[Seen] = []
        self.secret = b"fake"
        tls = make_loopback_certificate()
        self.root_certificates = tls.certificate
        self._server = grpc.server(ThreadPoolExecutor(4))
        add_DeidentificationServiceServicer_to_server(self, self._server)
        credentials = grpc.ssl_server_credentials([(tls.private_key, tls.certificate)])
        port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self.address = f"127.0.0.1:{port}"
        self._server.start()

    def repin(self, key_version: int) -> None:
        self.pins = replace(self.pins, key_version=key_version)

    def stop(self) -> None:
        self._server.stop(grace=None).wait()

    def DeidentifyTable(  # noqa: N802 - the contract's name
        self,
        request_iterator: Iterator[pb.DeidentifyTableRequest],
        context: grpc.ServicerContext,
    ) -> Iterator[pb.DeidentifyTableResponse]:
        fault = (self.faults.popleft() if self.faults else None) or Fault()
        header = next(request_iterator).header
        seen = self._note(header, context)
        if fault.refuse is not None:
            self.refuse(context, fault.refuse)
        if seen.expected_pins and header.expected_pins != self.pins.to_message():
            self.refuse(context, "PINS_CHANGED")
        run = _Run(self, header, seen, fault, context)
        yield from run.answer(request_iterator)

    def _note(self, header: pb.TableHeader, context: grpc.ServicerContext) -> Seen:
        metadata = dict(context.invocation_metadata())
        seen = Seen(
            project=header.project,
            part=header.part,
            operation=header.operation_id,
            authorization=str(metadata.get("authorization", "")),
            schema=pa.ipc.read_schema(pa.py_buffer(header.schema)),
            expected_pins=header.HasField("expected_pins"),
        )
        context.add_callback(seen.cancelled.set)
        self.seen.append(seen)
        if seen.authorization != f"Bearer {TOKEN}":
            self.refuse(context, "UNAUTHENTICATED")
        return seen

    def Pseudonymise(  # noqa: N802 - the contract's name
        self, request: pb.PseudonymiseRequest, context: grpc.ServicerContext
    ) -> pb.PseudonymiseResponse:
        fault = (self.faults.popleft() if self.faults else None) or Fault()
        if fault.refuse is not None:
            self.refuse(context, fault.refuse)
        result = pb.PseudonymiseResponse.Result
        results = [
            result(pseudonym=self.pseudonym(each))
            if each.isdigit()
            else result(refusal="NOT_A_NUMBER")
            for each in request.identifiers
        ]
        return pb.PseudonymiseResponse(results=results, key_version=1)

    def CheckPseudonyms(  # noqa: N802 - the contract's name
        self, request: pb.CheckPseudonymsRequest, context: grpc.ServicerContext
    ) -> pb.CheckPseudonymsResponse:
        if not request.project:
            self.refuse(context, "PROJECT_UNKNOWN")
        result = pb.CheckPseudonymsResponse.Result
        return pb.CheckPseudonymsResponse(
            results=[result(outcome="OK", key_version=1) for _ in request.pseudonyms]
        )

    def pseudonym(self, identifier: str) -> str:
        mac = hmac.digest(self.secret, identifier.encode(), hashlib.sha256)
        return f"P{self.pins.key_version}-{mac.hex()[:20]}"

    def make_digest(self, schema: pa.Schema) -> Digest:
        """Return what the answered rows of a table are counted with."""
        return RowCount()

    def state(self, facts: TableFacts) -> bytes:
        """Return the statement of a finished table."""
        header = facts.header
        stated = {"operation": header.operation_id, "part": header.part}
        return json.dumps(stated).encode()

    def sign(self, statement: bytes) -> common_pb2.SignedStatement:
        """Return a statement with its signature."""
        return common_pb2.SignedStatement(statement=statement, signature=bytes(64))

    def refuse(self, context: grpc.ServicerContext, code: str) -> None:
        """End a call with the status of a code."""
        context.abort_with_status(build_status(code, f"refused: {code}", "request-1"))


class _Run:
    """One table: what it counts and how it fails."""

    def __init__(
        self,
        service: FakeService,
        header: pb.TableHeader,
        seen: Seen,
        fault: Fault,
        context: grpc.ServicerContext,
    ) -> None:
        self._service = service
        self._header = header
        self._seen = seen
        self._fault = fault
        self._context = context
        assert seen.schema is not None
        self._input = seen.schema
        self._output = _describe_output(seen.schema)
        self._digest = service.make_digest(self._output)
        self._removed = 0
        self._unparseable = 0

    def answer(
        self, requests: Iterator[pb.DeidentifyTableRequest]
    ) -> Iterator[pb.DeidentifyTableResponse]:
        if self._fault.open_with_receipt:
            yield pb.DeidentifyTableResponse(receipt=pb.TableReceipt())
            return
        opened = pb.TableOpened(
            schema=self._output.serialize().to_pybytes(),
            pins=self._service.pins.to_message(),
            maximum_rows=self._service.maximum_rows,
            maximum_bytes=self._service.maximum_bytes,
        )
        yield pb.DeidentifyTableResponse(opened=opened)
        for request in requests:
            if request.WhichOneof("payload") == "end":
                yield from self._finish(request.end)
                return
            self._take(request.batch)
            if self._fault.never_answer:
                continue
            if request.batch.sequence == self._fault.end_before_batch:
                return
            yield self._answer_batch(request.batch)
        self._service.refuse(self._context, "STREAM_INCOMPLETE")

    def _take(self, batch: pb.TableBatch) -> None:
        fault = self._fault
        assert batch.sequence == self._seen.batches
        assert batch.row_count <= self._service.maximum_rows
        assert len(batch.data) <= self._service.maximum_bytes
        self._seen.batches += 1
        self._seen.rows += batch.row_count
        if batch.sequence == fault.die_before_batch:
            self._service.refuse(self._context, fault.die_with)

    def _answer_batch(self, message: pb.TableBatch) -> pb.DeidentifyTableResponse:
        batch = pa.ipc.read_record_batch(pa.py_buffer(message.data), self._input)
        kept, bad_rows = self._treat(batch)
        if message.sequence == self._fault.drop_a_row_of:
            kept = kept.slice(1)
        self._digest.update(kept)
        data = kept.serialize().to_pybytes()
        if message.sequence == self._fault.garble:
            data = data[: len(data) // 2]
        result = pb.TableBatchResult(
            sequence=message.sequence
            + (message.sequence == self._fault.swap_sequence_of),
            row_count=kept.num_rows,
            data=data,
        )
        removed = batch.num_rows - kept.num_rows
        if removed and message.sequence != self._fault.drop_a_row_of:
            result.removed.add(name="NO_PATIENT", count=removed)
        if bad_rows:
            result.rejected.add(column="born", code="UNPARSEABLE", rows=bad_rows)
        return pb.DeidentifyTableResponse(batch=result)

    def _treat(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[int]]:
        names = batch.schema.names
        columns = list(batch.columns)
        bad_rows: list[int] = []
        if "born" in names:
            at = names.index("born")
            good = pc.fill_null(
                pc.match_substring_regex(columns[at], r"^\d{4}-\d\d-\d\d$"), True
            )
            bad_rows = [i for i, fine in enumerate(good.to_pylist()) if not fine]
            columns[at] = pc.if_else(good, columns[at], pa.scalar(None, pa.string()))
        keep = pa.array([True] * batch.num_rows, pa.bool_())
        if "nhs_number" in names:
            at = names.index("nhs_number")
            keep = columns[at].is_valid()
            columns[at] = pa.array(
                [v and self._service.pseudonym(v) for v in columns[at].to_pylist()],
                pa.string(),
            )
        kept = pa.RecordBatch.from_arrays(columns, schema=self._output).filter(keep)
        self._removed += batch.num_rows - kept.num_rows
        self._unparseable += len(bad_rows)
        return kept, bad_rows

    def _finish(self, end: pb.TableEnd) -> Iterator[pb.DeidentifyTableResponse]:
        fault = self._fault
        assert (end.batches, end.rows) == (self._seen.batches, self._seen.rows)
        if fault.never_answer:
            self._seen.cancelled.wait(5)
        if fault.skip_receipt:
            return
        rows_out = self._digest.rows + fault.miscount
        empty = self._service.make_digest(self._output)
        facts = TableFacts(
            header=self._header,
            end=end,
            rows_out=rows_out,
            removed=self._removed,
            unparseable=self._unparseable,
            digest=empty if fault.wrong_digest else self._digest,
        )
        statement = self._service.state(facts)
        receipt = pb.TableReceipt(
            receipt=self._service.sign(statement), rows_in=end.rows, rows_out=rows_out
        )
        receipt.removed.add(name="NO_PATIENT", count=self._removed)
        column = receipt.columns.add(column="born")
        column.counts.add(name="UNPARSEABLE", count=self._unparseable)
        yield pb.DeidentifyTableResponse(receipt=receipt)
        if fault.fail_after_receipt:
            self._service.refuse(self._context, "STORE_UNAVAILABLE")


def _describe_output(schema: pa.Schema) -> pa.Schema:
    if "nhs_number" not in schema.names:
        return schema
    at = schema.names.index("nhs_number")
    return schema.set(at, pa.field("nhs_number", pa.string()))
