"""DeidentificationService: decode, call the engine, encode."""

from collections.abc import Iterator

import grpc

from pseudo_service.api.v1 import deidentification_pb2 as messages
from pseudo_service.api.v1 import deidentification_pb2_grpc as services
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import InvalidArgument, PseudoError
from pseudo_service.engine.tables.deidentify_table import DeidentifyTable, TableHeader
from pseudo_service.engine.tables.patient_intake import AnnouncedPatients
from pseudo_service.engine.tables.prefetch import Prefetcher
from pseudo_service.engine.tables.pseudonymise_values import (
    DeidentifyValues,
    ValueResult,
)
from pseudo_service.engine.tables.redact_texts import RedactFreeText
from pseudo_service.engine.tables.table_stream import (
    CommittedBatch,
    FinishedTable,
    PendingBatch,
    TableStream,
)
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.telemetry import BatchRecord, Telemetry
from pseudo_service.transport.arrow_ipc import (
    ArrowLimits,
    decode_schema,
    encode_batch,
    encode_schema,
)
from pseudo_service.transport.codecs.administration import (
    decode_pins,
    encode_column_counts,
    encode_counts,
    encode_pins,
    encode_rejected,
    encode_statement,
)
from pseudo_service.transport.codecs.texts import decode_text, encode_text
from pseudo_service.transport.interceptors.calls import CallContext, current_call
from pseudo_service.transport.servicers.table_requests import (
    AHEAD,
    FIRST_SECONDS,
    IDLE_SECONDS,
    TableRequests,
    receive,
)


class DeidentificationServicer(services.DeidentificationServiceServicer):
    """Serves tables and single identifiers."""

    def __init__(
        self,
        *,
        tables: DeidentifyTable,
        values: DeidentifyValues,
        texts: RedactFreeText,
        limits: ArrowLimits,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._tables = tables
        self._values = values
        self._texts = texts
        self._limits = limits
        self._clock = clock
        self._telemetry = telemetry

    def DeidentifyTable(
        self,
        request_iterator: Iterator[messages.DeidentifyTableRequest],
        context: grpc.ServicerContext,
    ) -> Iterator[messages.DeidentifyTableResponse]:
        """Answer a stream in the order of its requests."""
        call = current_call()
        requests = Prefetcher(
            receive(request_iterator), ahead=AHEAD, idle_seconds=FIRST_SECONDS
        )
        try:
            header = _decode_header(next(requests, None), self._limits)
            requests.allow_idle(IDLE_SECONDS)
            call.name_project(header.project)
            yield from self._answer(requests, header, call)
        finally:
            requests.close()

    def _answer(
        self,
        requests: Prefetcher[messages.DeidentifyTableRequest],
        header: TableHeader,
        call: CallContext,
    ) -> Iterator[messages.DeidentifyTableResponse]:
        stream = self._tables.open(header, call.actor)
        code: ErrorCode | None = None
        finished = False
        incoming = TableRequests(
            requests,
            stream=stream,
            header=header,
            call=call,
            limits=self._limits,
            clock=self._clock,
        )
        try:
            yield self._encode_opening(stream)
            for begun in incoming.begin_batches():
                yield self._settle(stream, begun, call)
            yield _encode_receipt(
                stream.finish(batches=incoming.end.batches, rows=incoming.end.rows)
            )
            finished = True
        except PseudoError as refusal:
            code = refusal.code
            raise
        except Exception:
            code = ErrorCode.INTERNAL
            raise
        finally:
            incoming.close()
            if not finished:
                stream.fail(code)

    def Pseudonymise(
        self, request: messages.PseudonymiseRequest, context: grpc.ServicerContext
    ) -> messages.PseudonymiseResponse:
        """Answer one result an identifier."""
        call = current_call()
        call.name_project(request.project)
        answer = self._values.pseudonymise(
            request.identifiers,
            kind=request.kind,
            project_id=request.project,
            purpose=request.purpose,
            actor=call.actor,
        )
        call.rows_in = call.rows_out = len(answer.results)
        return messages.PseudonymiseResponse(
            results=[_encode_result(result) for result in answer.results],
            key_version=answer.key_version,
        )

    def CheckPseudonyms(
        self, request: messages.CheckPseudonymsRequest, context: grpc.ServicerContext
    ) -> messages.CheckPseudonymsResponse:
        """Answer what is wrong with each text, if anything."""
        call = current_call()
        call.name_project(request.project)
        outcomes = self._values.check(
            request.pseudonyms, project_id=request.project, actor=call.actor
        )
        return messages.CheckPseudonymsResponse(
            results=[
                messages.CheckPseudonymsResponse.Result(
                    outcome=outcome.value, key_version=version
                )
                for outcome, version in outcomes
            ]
        )

    def RedactText(
        self, request: messages.RedactTextRequest, context: grpc.ServicerContext
    ) -> messages.RedactTextResponse:
        """Answer one result a text."""
        call = current_call()
        call.name_project(request.project)
        answer = self._texts.redact(
            [decode_text(text) for text in request.texts],
            project_id=request.project,
            policy=request.policy,
            column=request.column,
            purpose=request.purpose,
            actor=call.actor,
        )
        call.rows_in = len(answer.results)
        call.rows_out = sum(1 for each in answer.results if each.text is not None)
        return messages.RedactTextResponse(
            results=[encode_text(result) for result in answer.results],
            found=encode_counts(answer.found),
            key_version=answer.key_version,
        )

    def _settle(
        self, stream: TableStream, begun: PendingBatch, call: CallContext
    ) -> messages.DeidentifyTableResponse:
        settled = stream.settle(begun)
        data = encode_batch(settled.batch)
        self._observe(begun, settled, len(data), call)
        return messages.DeidentifyTableResponse(
            batch=messages.TableBatchResult(
                sequence=settled.sequence,
                row_count=settled.batch.num_rows,
                data=data,
                removed=encode_counts(settled.removed),
                rejected=encode_rejected(settled.rejected),
            )
        )

    def _observe(
        self,
        begun: PendingBatch,
        settled: CommittedBatch,
        bytes_out: int,
        call: CallContext,
    ) -> None:
        call.rows_in += begun.outcome.rows_in
        call.rows_out += settled.batch.num_rows
        self._telemetry.observe_batch(
            BatchRecord(
                project=call.project or "",
                rows_in=begun.outcome.rows_in,
                rows_out=settled.batch.num_rows,
                rows_removed=sum(settled.removed.values()),
                bytes_in=begun.bytes_in,
                bytes_out=bytes_out,
                seconds=(self._clock.now() - begun.started).total_seconds(),
            )
        )
        for cells in settled.rejected:
            self._telemetry.count_rejected_cells(cells.code, len(cells.rows))

    def _encode_opening(self, stream: TableStream) -> messages.DeidentifyTableResponse:
        return messages.DeidentifyTableResponse(
            opened=messages.TableOpened(
                schema=encode_schema(stream.output_schema),
                pins=encode_pins(stream.facts.pins),
                maximum_rows=min(
                    self._limits.rows, stream.most_rows or self._limits.rows
                ),
                maximum_bytes=self._limits.message_bytes,
            )
        )


def _decode_header(
    request: messages.DeidentifyTableRequest | None, limits: ArrowLimits
) -> TableHeader:
    if request is None or request.WhichOneof("payload") != "header":
        msg = "a table stream begins with its header"
        raise InvalidArgument(msg)
    header = request.header
    expects = header.HasField("expected_pins")
    return TableHeader(
        project=header.project,
        policy=header.policy,
        schema=decode_schema(header.schema, limits),
        schema_bytes=header.schema,
        purpose=header.purpose,
        operation=header.operation_id,
        part=header.part,
        expected_pins=decode_pins(header.expected_pins) if expects else None,
        patients=(
            _decode_patients(header.patient_table, limits)
            if header.HasField("patient_table")
            else None
        ),
    )


def _decode_patients(
    message: messages.PatientTable, limits: ArrowLimits
) -> AnnouncedPatients:
    return AnnouncedPatients(
        schema=decode_schema(message.schema, limits),
        schema_bytes=message.schema,
        rows=message.rows,
        digest=message.digest,
    )


def _encode_receipt(finished: FinishedTable) -> messages.DeidentifyTableResponse:
    return messages.DeidentifyTableResponse(
        receipt=messages.TableReceipt(
            receipt=encode_statement(finished.receipt),
            rows_in=finished.rows_in,
            rows_out=finished.rows_out,
            removed=encode_counts(finished.removed),
            columns=encode_column_counts(finished.columns),
        )
    )


def _encode_result(result: ValueResult) -> messages.PseudonymiseResponse.Result:
    if result.pseudonym is not None:
        return messages.PseudonymiseResponse.Result(pseudonym=result.pseudonym)
    return messages.PseudonymiseResponse.Result(refusal=result.refusal or "")
