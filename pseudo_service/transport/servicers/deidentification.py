"""DeidentificationService: decode, call the engine, encode."""

import contextlib
from collections.abc import Iterator

import grpc
import pyarrow as pa

from pseudo_service.api.v1 import deidentification_pb2 as messages
from pseudo_service.api.v1 import deidentification_pb2_grpc as services
from pseudo_service.engine.tables.deidentify_table import DeidentifyTable, TableHeader
from pseudo_service.engine.tables.pipeline import IDLE_SECONDS
from pseudo_service.engine.tables.pseudonymise_values import (
    CheckPseudonyms,
    PseudonymiseValues,
    ValueResult,
)
from pseudo_service.engine.tables.redact_texts import RedactFreeText
from pseudo_service.engine.tables.table_stream import (
    CommittedBatch,
    FinishedTable,
    TableStream,
)
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.telemetry import BatchRecord, Telemetry
from pseudo_service.transport.arrow_ipc import (
    ArrowLimits,
    decode_batch,
    encode_batch,
    encode_schema,
)
from pseudo_service.transport.codecs.tables import (
    encode_counts,
    encode_pins,
    encode_receipt,
    encode_rejected,
)
from pseudo_service.transport.codecs.texts import decode_text, encode_text
from pseudo_service.transport.interceptors.calls import CallContext, current_call
from pseudo_service.transport.servicers.receiving import FIRST_SECONDS, receive_ahead
from pseudo_service.transport.servicers.table_requests import (
    decode_header,
    decode_messages,
)


class DeidentificationServicer(services.DeidentificationServiceServicer):
    """Serves tables and single identifiers."""

    def __init__(
        self,
        *,
        tables: DeidentifyTable,
        values: PseudonymiseValues,
        pseudonyms: CheckPseudonyms,
        texts: RedactFreeText,
        limits: ArrowLimits,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._tables = tables
        self._values = values
        self._pseudonyms = pseudonyms
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
        requests = receive_ahead(request_iterator, idle_seconds=FIRST_SECONDS)
        try:
            header = decode_header(next(requests, None), self._limits)
            requests.allow_idle(IDLE_SECONDS)
            call.name_project(header.project)
            yield from self._answer(requests, header, call)
        finally:
            requests.close()

    def _answer(
        self,
        requests: Iterator[messages.DeidentifyTableRequest],
        header: TableHeader,
        call: CallContext,
    ) -> Iterator[messages.DeidentifyTableResponse]:
        def check() -> None:
            call.check_still_valid(self._clock.now())

        with self._tables.open(header, call.actor) as stream:
            answers = stream.run(decode_messages(requests, check), self._decode_batch)
            with contextlib.closing(answers):
                yield self._encode_opening(stream)
                for answer in answers:
                    yield self._encode_answer(answer, call)

    def _decode_batch(
        self, data: bytes, schema: pa.Schema, row_count: int
    ) -> pa.RecordBatch:
        return decode_batch(
            data, schema=schema, row_count=row_count, limits=self._limits
        )

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
        outcomes = self._pseudonyms.check(
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

    def _encode_answer(
        self, answer: CommittedBatch | FinishedTable, call: CallContext
    ) -> messages.DeidentifyTableResponse:
        if isinstance(answer, FinishedTable):
            return encode_receipt(answer)
        data = encode_batch(answer.batch)
        self._observe(answer, len(data), call)
        return messages.DeidentifyTableResponse(
            batch=messages.TableBatchResult(
                sequence=answer.sequence,
                row_count=answer.batch.num_rows,
                data=data,
                removed=encode_counts(answer.removed),
                rejected=encode_rejected(answer.rejected),
            )
        )

    def _observe(
        self, answer: CommittedBatch, bytes_out: int, call: CallContext
    ) -> None:
        call.rows_in += answer.rows_in
        call.rows_out += answer.batch.num_rows
        self._telemetry.observe_batch(
            BatchRecord(
                project=call.project or "",
                rows_in=answer.rows_in,
                rows_out=answer.batch.num_rows,
                rows_removed=sum(answer.removed.values()),
                bytes_in=answer.bytes_in,
                bytes_out=bytes_out,
                seconds=(self._clock.now() - answer.started).total_seconds(),
            )
        )
        for cells in answer.rejected:
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


def _encode_result(result: ValueResult) -> messages.PseudonymiseResponse.Result:
    if result.pseudonym is not None:
        return messages.PseudonymiseResponse.Result(pseudonym=result.pseudonym)
    return messages.PseudonymiseResponse.Result(refusal=result.refusal or "")
