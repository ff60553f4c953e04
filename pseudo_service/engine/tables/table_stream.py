"""One open table stream: batches in order, then the receipt."""

import contextlib
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from pseudo_service.core.access.roles import Actor
from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.audit.events import AuditEvent, AuditKind, Detail
from pseudo_service.core.disclosures.unrecorded import (
    INPUT,
    MEMBERSHIP,
    NO_DIGEST,
    Recording,
)
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import (
    BatchOutOfOrder,
    KeyVaultRefused,
    KeyVaultUnavailable,
    PseudoError,
    StreamIncomplete,
)
from pseudo_service.core.ids import KeyVersion, OperationId
from pseudo_service.core.keys.statements import SignedStatement
from pseudo_service.core.policies.plan import Plan
from pseudo_service.core.projects.project import Project
from pseudo_service.core.tables.batch import deidentify_batch
from pseudo_service.core.tables.batch_values import BatchContext, BatchOutcome
from pseudo_service.core.tables.quality import Counts, RejectedCells, TableTally
from pseudo_service.core.tables.receipt import PinSet, build_receipt
from pseudo_service.core.tables.treatment_records import describe_treatments
from pseudo_service.engine.access.enumeration_monitor import EnumerationMonitor
from pseudo_service.engine.disclosures.writer import PreviousRelease
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from pseudo_service.engine.tables.batch_commit import BatchCommit, Entry
from pseudo_service.engine.tables.patient_intake import PatientIntake
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.projects import ProjectStore

INPUT_DIGITS = 32
PROJECT_CHECK_INTERVAL = timedelta(seconds=5)
TEXT_BATCH_ROWS = 512
"""The most rows that a client is asked to send at a time where a table has text: a
batch of notes takes minutes where one of codes takes milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFacts:
    """What is fixed when a stream opens."""

    project: Project
    operation: str
    part: int
    purpose: str
    actor: Actor
    pins: PinSet


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingBatch:
    """A computed batch whose commit is on its way."""

    sequence: int
    outcome: BatchOutcome
    entry: Entry
    started: datetime
    bytes_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedBatch:
    """A batch that may leave."""

    sequence: int
    batch: pa.RecordBatch
    removed: Mapping[str, int]
    rejected: Sequence[RejectedCells]


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

    ``receive`` notes what came, ``begin`` computes and queues, ``settle`` waits
    until the answer may leave. Each is called for every batch in order; they may run
    in three threads, one batch apart.
    """

    def __init__(
        self,
        *,
        facts: StreamFacts,
        plan: Plan,
        context: BatchContext,
        patients: PatientIntake | None = None,
        input_digest: hmac.HMAC,
        ledger: BatchCommit,
        journal: Journal,
        projects: ProjectStore,
        signer: ReceiptSigner,
        watch: EnumerationMonitor,
        clock: Clock,
    ) -> None:
        self.facts = facts
        self.output_schema: pa.Schema = plan.output_schema
        self._plan = plan
        self._context = context
        self.patients = patients
        self.most_rows: int | None = TEXT_BATCH_ROWS if plan.texts else None
        self._input_digest = input_digest
        self._output_digest = LogicalDigest(plan.output_schema)
        self._ledger = ledger
        self._journal = journal
        self._projects = projects
        self._signer = signer
        self._watch = watch
        self._clock = clock
        self._released = ledger.collect(
            project=facts.project.project_id,
            operation=OperationId(facts.operation),
            key_version=KeyVersion(facts.pins.key_version),
            previous=_name_previous(facts.pins, plan),
        )
        self._inputs: dict[int, str] = {}
        self._received = 0
        self._tally = TableTally()
        self._begun: dict[int, PendingBatch] = {}
        self._has_ended = False
        self._checked_project: datetime = clock.now()

    def receive(self, sequence: int, data: bytes) -> None:
        """Take note of a batch's bytes as they came, before anything is decoded.

        Args:
            sequence: Counts from 0 without gaps.
            data: The bytes of the batch.

        Raises:
            BatchOutOfOrder: A batch was skipped or sent twice.
            PatientTableRefused: The patient table before it is not the announced one.
        """
        self._seal_patients()
        if sequence != self._received:
            msg = f"another batch came where batch {self._received} was due"
            raise BatchOutOfOrder(msg)
        self._input_digest.update(data)
        # By then more may have come: batches are received ahead of what is computed.
        self._inputs[sequence] = self._input_digest.copy().hexdigest()[:INPUT_DIGITS]
        self._received += 1

    def begin(self, sequence: int, batch: pa.RecordBatch) -> PendingBatch:
        """Compute one batch and queue what must be durable before it leaves.

        Args:
            sequence: As it was received.
            batch: Of the header's schema, fully validated.

        Raises:
            ProjectNotActive: The project was suspended meanwhile.
            OracleSuspected: The batch tries numbers out, and that is blocked.
        """
        started = self._clock.now()
        self._check_project(started)
        outcome = deidentify_batch(self._plan, batch, self._context)
        self._watch.check_batch(
            outcome.identities,
            actor=self.facts.actor,
            project=self.facts.project.project_id,
            operation=self.facts.operation,
        )
        entry = self._ledger.begin(
            self._describe_intent(sequence, outcome),
            outcome.identities,
            limit=self.facts.project.daily_quota,
            dated=outcome.dated,
        )
        begun = PendingBatch(
            sequence=sequence,
            outcome=outcome,
            entry=entry,
            started=started,
            bytes_in=batch.nbytes,
        )
        self._begun[sequence] = begun
        return begun

    def settle(self, begun: PendingBatch) -> CommittedBatch:
        """Return the answer once it may leave.

        Raises:
            QuotaExceeded, StoreUnavailable, StoreFull: It may not; the stream is over.
        """
        outcome = begun.outcome
        self._output_digest.update(outcome.batch)
        self._ledger.settle(begun.entry)
        del self._begun[begun.sequence]
        self._note_released(outcome)
        self._tally.add(
            rows_in=outcome.rows_in,
            rows_out=outcome.batch.num_rows,
            removed=outcome.removed,
            counts=outcome.counts,
        )
        return CommittedBatch(
            sequence=begun.sequence,
            batch=outcome.batch,
            removed=outcome.removed,
            rejected=outcome.rejected,
        )

    def finish(self, *, batches: int, rows: int) -> FinishedTable:
        """Record the result, then sign the receipt.

        Raises:
            StreamIncomplete: The client's totals differ from what came.
            PatientTableRefused: The patient table is not the announced one.
        """
        self._seal_patients()
        tally = self._tally
        if self._begun or (batches, rows) != (self._received, tally.rows_in):
            msg = (
                "the end message announces other totals than came: "
                f"{self._received} batches and {tally.rows_in} rows"
            )
            raise StreamIncomplete(msg)
        facts = self.facts
        self._signer.prepare()
        statement = build_receipt(
            project=facts.project.project_id,
            operation=facts.operation,
            part=facts.part,
            purpose=facts.purpose,
            issued_at=self._clock.now(),
            pins=facts.pins,
            rows_in=tally.rows_in,
            rows_out=tally.rows_out,
            removed=tally.removed,
            columns=tally.counts,
            treatments=describe_treatments(
                self._plan,
                date_shift=self._context.date_shift,
                pins=facts.pins,
            ),
            batches=self._received,
            input_digest=self._input_digest.digest(),
            output=self._output_digest,
            actor=facts.actor.subject,
        )
        receipt = self._signer.sign(statement)
        self._record_end(
            AuditKind.TABLE_FINISHED,
            {
                "rows_in": tally.rows_in,
                "rows_out": tally.rows_out,
                "batches": self._received,
                **{f"removed_{why}": rows for why, rows in tally.removed.items()},
                "receipt": hashlib.sha256(statement).hexdigest(),
            },
        )
        return FinishedTable(
            receipt=receipt,
            rows_in=tally.rows_in,
            rows_out=tally.rows_out,
            removed=tally.removed,
            columns=tally.counts,
        )

    def fail(self, code: ErrorCode | None) -> None:
        """Give back what was begun and record that the table is unfinished.

        Whoever was in a batch that may have left is recorded with it.

        Args:
            code: Why; None when the client went away.
        """
        for begun in self._begun.values():
            self._ledger.abandon(begun.entry.claims)
        self._begun.clear()
        details: dict[str, Detail] = {
            "code": code.value if code else "CANCELLED",
            "batches": self._received,
        }
        # A store that is down is why the stream fails, and must stay the reason told.
        with contextlib.suppress(PseudoError):
            try:
                self._record_end(AuditKind.TABLE_FAILED, details)
            except (KeyVaultUnavailable, KeyVaultRefused):
                self._record(
                    AuditKind.TABLE_FAILED, details | {MEMBERSHIP: Recording.MISSING}
                )

    def _seal_patients(self) -> None:
        if self.patients is not None:
            self.patients.seal()

    def _check_project(self, now: datetime) -> None:
        if now - self._checked_project >= PROJECT_CHECK_INTERVAL:
            self._projects.get(self.facts.project.project_id).check_active()
            self._checked_project = now

    def _describe_intent(self, sequence: int, outcome: BatchOutcome) -> AuditEvent:
        details: dict[str, Detail] = {
            "part": self.facts.part,
            "batch": sequence,
            "rows_in": outcome.rows_in,
            "rows_out": outcome.batch.num_rows,
            "identities": sum(len(one.canonical) for one in outcome.identities),
            INPUT: self._inputs.pop(sequence, NO_DIGEST),
        }
        return self._describe(AuditKind.BATCH_INTENT, details)

    def _note_released(self, outcome: BatchOutcome) -> None:
        """Note whose answers leave now, and record them when many have gathered."""
        self._released.add(outcome.identities, outcome.dated)
        if self._released.is_full:
            details: dict[str, Detail] = {"part": self.facts.part}
            event = self._describe(AuditKind.MEMBERSHIP_RECORDED, details)
            self._ledger.record_released(event, self._released)

    def _record_end(self, kind: AuditKind, details: dict[str, Detail]) -> None:
        # A client that leaves between the end and the receipt ends a stream twice.
        recorded = Recording.BEFORE if self._has_ended else Recording.NOW
        details = {"part": self.facts.part, **details, MEMBERSHIP: recorded}
        self._ledger.record_released(self._describe(kind, details), self._released)
        self._has_ended = True

    def _record(self, kind: AuditKind, details: dict[str, Detail]) -> None:
        self._journal.record(self._describe(kind, {"part": self.facts.part, **details}))

    def _describe(self, kind: AuditKind, details: dict[str, Detail]) -> AuditEvent:
        return AuditEvent(
            kind=kind,
            at=self._clock.now(),
            actor=self.facts.actor.subject,
            project=self.facts.project.project_id,
            operation=self.facts.operation,
            details=details,
        )


def _name_previous(pins: PinSet, plan: Plan) -> PreviousRelease | None:
    """Return under which older version people are released as well, if any."""
    if not pins.previous_key_version:
        return None
    return PreviousRelease(
        key_version=KeyVersion(pins.previous_key_version), kinds=plan.previous_kinds
    )
