"""One open table stream: batches in order, then the receipt.

Three stages work at once, one batch apart: one receives and decodes, one computes and
queues the commit, one waits for the commit and lets the answer leave. So the disk
flush of a batch costs a stream nothing, and memory holds the batches in flight only.
"""

import hashlib
import hmac
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import (
    BatchOutOfOrder,
    PseudoError,
    StreamIncomplete,
)
from pseudo_service.core.keys.statements import SignedStatement
from pseudo_service.core.policies.plan import Plan
from pseudo_service.core.tables.batch import deidentify_batch
from pseudo_service.core.tables.batch_values import BatchContext, BatchOutcome
from pseudo_service.core.tables.quality import Counts, RejectedCells, TableTally
from pseudo_service.core.tables.receipt import build_receipt
from pseudo_service.core.tables.treatment_records import describe_treatments
from pseudo_service.engine.access.enumeration_monitor import EnumerationMonitor
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from pseudo_service.engine.tables.batch_commit import BatchCommit, PendingChange
from pseudo_service.engine.tables.patient_intake import PatientIntake
from pseudo_service.engine.tables.pipeline import Pipeline
from pseudo_service.engine.tables.stream_messages import (
    DecodeBatch,
    SentBatch,
    SentEnd,
    SentPatients,
    StreamMessage,
)
from pseudo_service.engine.tables.stream_record import StreamFacts, StreamRecord
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.projects import ProjectStore

INPUT_DIGITS: Final = 32
PROJECT_CHECK_INTERVAL: Final = timedelta(seconds=5)
TEXT_BATCH_ROWS: Final = 512
"""The most rows that a client is asked to send at a time where a table has text: a
batch of notes takes minutes where one of codes takes milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamServices:
    """What every table stream of a process works with."""

    projects: ProjectStore
    commit: BatchCommit
    monitor: EnumerationMonitor
    recorder: AuditRecorder
    signer: ReceiptSigner
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class _DecodedBatch:
    sequence: int
    digest: str
    batch: pa.RecordBatch = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingBatch:
    """A computed batch whose commit is on its way."""

    sequence: int
    outcome: BatchOutcome
    change: PendingChange
    started: datetime
    bytes_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedBatch:
    """A batch that may leave.

    ``started`` is when it began to be computed, and ``bytes_in`` its size in memory.
    """

    sequence: int
    batch: pa.RecordBatch = field(repr=False)
    removed: Mapping[str, int]
    rejected: Sequence[RejectedCells]
    rows_in: int
    bytes_in: int
    started: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTable:
    """The totals and the signed receipt."""

    receipt: SignedStatement
    rows_in: int
    rows_out: int
    removed: Mapping[str, int]
    columns: Counts


class TableStream:
    """De-identifies the batches of one stream, in order.

    Use it as a context: left before ``run`` is through, the table is recorded as
    failed, with why, and everything that waits is given back.
    """

    def __init__(
        self,
        *,
        facts: StreamFacts,
        plan: Plan,
        context: BatchContext,
        patients: PatientIntake | None,
        input_digest: hmac.HMAC,
        services: StreamServices,
    ) -> None:
        self.facts = facts
        self.output_schema: pa.Schema = plan.output_schema
        self.most_rows: int | None = TEXT_BATCH_ROWS if plan.texts else None
        self._plan = plan
        self._context = context
        self._patients = patients
        self._input_digest = input_digest
        self._services = services
        self._output_digest = LogicalDigest(plan.output_schema)
        self._record = StreamRecord(
            facts,
            commit=services.commit,
            recorder=services.recorder,
            previous_kinds=plan.previous_kinds,
        )
        self._received = 0
        self._end = SentEnd(batches=0, rows=0)
        self._tally = TableTally()
        self._pending: dict[int, PendingBatch] = {}
        # A batch of notes may be computed for longer than its stream is waited for.
        self._leaving = threading.Lock()
        self._has_left = False
        self._is_finished = False
        self._checked_project: datetime = services.clock.now()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._is_finished:
            self._fail(_find_code(error))

    def run(
        self, messages: Iterator[StreamMessage], decode: DecodeBatch
    ) -> Generator[CommittedBatch | FinishedTable, None, None]:
        """Yield the answer to each batch as soon as it may leave, then the receipt.

        Args:
            messages: What the client sends after the header. They are read in another
                thread, ahead of the answers.
            decode: Reads the bytes of a batch.

        Raises:
            BatchOutOfOrder: A batch was skipped or sent twice.
            PatientTableRefused: The patient table is not the announced one.
            ProjectNotActive: The project was suspended meanwhile.
            OracleSuspected: A batch tries numbers out, and that is blocked.
            QuotaExceeded, StoreUnavailable, StoreFull: An answer may not leave.
            StreamIncomplete: The client stopped without an end message, or its totals
                differ from what came.
        """
        with Pipeline(self._receive(messages, decode), self._submit) as submitted:
            for pending in submitted:
                yield self._await_commit(pending)
            yield self._finish()
            self._is_finished = True

    def _receive(
        self, messages: Iterator[StreamMessage], decode: DecodeBatch
    ) -> Iterator[_DecodedBatch]:
        for message in messages:
            match message:
                case SentPatients():
                    self._receive_patients(message, decode)
                case SentBatch():
                    yield self._receive_batch(message, decode)
                case SentEnd():
                    self._end = message
                    return
        msg = "the stream ended without its end message: the table is unfinished"
        raise StreamIncomplete(msg)

    def _receive_patients(self, message: SentPatients, decode: DecodeBatch) -> None:
        intake = self._patients
        if intake is None:
            msg = "patient table: none was announced in the header; leave it out"
            raise BatchOutOfOrder(msg)
        intake.check_next(message.sequence, message.data)
        intake.add(decode(message.data, intake.schema, message.row_count))

    def _receive_batch(self, message: SentBatch, decode: DecodeBatch) -> _DecodedBatch:
        self._seal_patients()
        if message.sequence != self._received:
            msg = f"another batch came where batch {self._received} was due"
            raise BatchOutOfOrder(msg)
        self._input_digest.update(message.data)
        digest = self._input_digest.copy().hexdigest()[:INPUT_DIGITS]
        self._received += 1
        return _DecodedBatch(
            sequence=message.sequence,
            digest=digest,
            batch=decode(message.data, self._plan.input_schema, message.row_count),
        )

    def _submit(self, received: _DecodedBatch) -> PendingBatch:
        """Compute one batch and queue what must be durable before it leaves."""
        facts, services = self.facts, self._services
        started = services.clock.now()
        self._check_project(started)
        outcome = deidentify_batch(self._plan, received.batch, self._context)
        services.monitor.check_batch(
            outcome.identities,
            actor=facts.actor,
            project=facts.project.project_id,
            operation=facts.operation,
        )
        with self._leaving:
            if self._has_left:
                msg = "the stream was left while a batch was computed: send it again"
                raise StreamIncomplete(msg)
            change = services.commit.submit(
                self._record.describe_batch(
                    received.sequence, received.digest, outcome
                ),
                outcome.identities,
                limit=facts.project.daily_quota,
                dated=outcome.dated,
            )
            pending = PendingBatch(
                sequence=received.sequence,
                outcome=outcome,
                change=change,
                started=started,
                bytes_in=received.batch.nbytes,
            )
            self._pending[received.sequence] = pending
        return pending

    def _await_commit(self, pending: PendingBatch) -> CommittedBatch:
        """Return the answer once it may leave."""
        outcome = pending.outcome
        self._output_digest.update(outcome.batch)
        self._services.commit.wait(pending.change)
        del self._pending[pending.sequence]
        self._record.collect_released(outcome)
        removed = outcome.removed
        self._tally.add(
            rows_in=outcome.rows_in,
            rows_out=outcome.batch.num_rows,
            removed=removed,
            counts=outcome.counts,
        )
        return CommittedBatch(
            sequence=pending.sequence,
            batch=outcome.batch,
            removed=removed,
            rejected=outcome.rejected,
            rows_in=outcome.rows_in,
            bytes_in=pending.bytes_in,
            started=pending.started,
        )

    def _finish(self) -> FinishedTable:
        """Record the result, then sign the receipt."""
        self._seal_patients()
        tally = self._tally
        announced = (self._end.batches, self._end.rows)
        if self._pending or announced != (self._received, tally.rows_in):
            msg = (
                "the end message announces other totals than came: "
                f"{self._received} batches and {tally.rows_in} rows"
            )
            raise StreamIncomplete(msg)
        self._services.signer.prepare()
        statement = self._state_receipt()
        receipt = self._services.signer.sign(statement)
        self._record.record_finished(
            tally,
            batches=self._received,
            receipt=hashlib.sha256(statement).hexdigest(),
        )
        return FinishedTable(
            receipt=receipt,
            rows_in=tally.rows_in,
            rows_out=tally.rows_out,
            removed=tally.removed,
            columns=tally.counts,
        )

    def _state_receipt(self) -> bytes:
        facts, tally = self.facts, self._tally
        return build_receipt(
            project=facts.project.project_id,
            operation=facts.operation,
            part=facts.part,
            purpose=facts.purpose,
            issued_at=self._services.clock.now(),
            pins=facts.pins,
            rows_in=tally.rows_in,
            rows_out=tally.rows_out,
            removed=tally.removed,
            columns=tally.counts,
            treatments=describe_treatments(
                self._plan, date_shift=self._context.date_shift, pins=facts.pins
            ),
            batches=self._received,
            input_digest=self._input_digest.digest(),
            output=self._output_digest,
            actor=facts.actor.subject,
        )

    def _fail(self, code: str) -> None:
        """Give back what is pending and record that the table is unfinished."""
        with self._leaving:
            self._has_left = True
            for pending in self._pending.values():
                self._services.commit.release(pending.change.claims)
            self._pending.clear()
        self._record.record_failed(code, batches=self._received)

    def _seal_patients(self) -> None:
        if self._patients is not None:
            self._patients.seal()

    def _check_project(self, now: datetime) -> None:
        if now - self._checked_project >= PROJECT_CHECK_INTERVAL:
            project_id = self.facts.project.project_id
            self._services.projects.get(project_id).check_active()
            self._checked_project = now


def _find_code(error: BaseException | None) -> str:
    """Return why a stream failed; what is no exception is a client that went away."""
    if isinstance(error, PseudoError):
        return error.code.value
    return ErrorCode.INTERNAL.value if isinstance(error, Exception) else "CANCELLED"
