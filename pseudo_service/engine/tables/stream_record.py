"""What the audit trail says of one table stream, and whom the stream has released."""

import contextlib
from dataclasses import dataclass

from pseudo_service.core.access.roles import Actor
from pseudo_service.core.audit.events import AuditEvent, AuditKind, Detail
from pseudo_service.core.disclosures.unrecorded import INPUT, RECORDING, Recording
from pseudo_service.core.errors import (
    KeyVaultRefused,
    KeyVaultUnavailable,
    PseudoError,
)
from pseudo_service.core.ids import OperationId
from pseudo_service.core.projects.project import Project
from pseudo_service.core.tables.batch_values import BatchOutcome
from pseudo_service.core.tables.quality import TableTally
from pseudo_service.core.tables.receipt import PinSet
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.disclosures.writer import PreviousRelease
from pseudo_service.engine.tables.batch_commit import BatchCommit


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFacts:
    """What is fixed when a stream opens."""

    project: Project
    operation: OperationId
    part: int
    purpose: str
    actor: Actor
    pins: PinSet


class StreamRecord:
    """Records the events of a stream, and with them whose answers have left."""

    def __init__(
        self,
        facts: StreamFacts,
        *,
        commit: BatchCommit,
        recorder: AuditRecorder,
        previous_kinds: frozenset[str],
    ) -> None:
        """Begin with nobody released.

        Args:
            facts: What is fixed of the stream.
            commit: Makes people and events durable together.
            recorder: Describes and writes events.
            previous_kinds: The kinds whose pseudonyms of the key version before are
                answered, where the pins name such a version.
        """
        self._facts = facts
        self._commit = commit
        self._recorder = recorder
        self._released = commit.collect(
            project=facts.project.project_id,
            operation=facts.operation,
            key_version=facts.pins.key_version,
            previous=_name_previous(facts.pins, previous_kinds),
        )
        self._has_ended = False

    def describe_batch(
        self, sequence: int, digest: str, outcome: BatchOutcome
    ) -> AuditEvent:
        """Return the intent that is committed before a batch's answer leaves.

        Args:
            sequence: The batch's number.
            digest: Of everything that was received until then.
            outcome: What became of the batch.
        """
        return self._describe(
            AuditKind.BATCH_INTENT,
            {
                "batch": sequence,
                "rows_in": outcome.rows_in,
                "rows_out": outcome.batch.num_rows,
                "identities": sum(len(one.canonical) for one in outcome.identities),
                INPUT: digest,
            },
        )

    def collect_released(self, outcome: BatchOutcome) -> None:
        """Collect whose answers leave now, and record them when there are many."""
        self._released.add(outcome.identities, outcome.dated)
        if self._released.is_full:
            event = self._describe(AuditKind.DISCLOSURE_RECORDED, {})
            self._commit.record_released(event, self._released)

    def record_finished(self, tally: TableTally, *, batches: int, receipt: str) -> None:
        """Record the totals of a finished table and the digest of its receipt."""
        details: dict[str, Detail] = {
            "rows_in": tally.rows_in,
            "rows_out": tally.rows_out,
            "batches": batches,
            **{f"removed_{why}": rows for why, rows in tally.removed.items()},
            "receipt": receipt,
        }
        self._record_end(AuditKind.TABLE_FINISHED, details)

    def record_failed(self, code: str, *, batches: int) -> None:
        """Record that the table is unfinished; a failure to do so is not raised.

        Whoever was in a batch that may have left is recorded with it.
        """
        details: dict[str, Detail] = {"code": code, "batches": batches}
        # A store that is down is why the stream fails, and must stay the reason told.
        with contextlib.suppress(PseudoError):
            try:
                self._record_end(AuditKind.TABLE_FAILED, details)
            except (KeyVaultUnavailable, KeyVaultRefused):
                self._record_unsealed(AuditKind.TABLE_FAILED, details)

    def _record_end(self, kind: AuditKind, details: dict[str, Detail]) -> None:
        # A client that leaves between the end and the receipt ends a stream twice.
        recorded = Recording.BEFORE if self._has_ended else Recording.NOW
        event = self._describe(kind, {**details, RECORDING: recorded})
        self._commit.record_released(event, self._released)
        self._has_ended = True

    def _record_unsealed(self, kind: AuditKind, details: dict[str, Detail]) -> None:
        """Record an end without the people, because they cannot be sealed."""
        facts = self._facts
        self._recorder.record(
            kind,
            actor=facts.actor.subject,
            project=facts.project.project_id,
            operation=facts.operation,
            **{"part": facts.part, **details, RECORDING: Recording.MISSING},
        )

    def _describe(self, kind: AuditKind, details: dict[str, Detail]) -> AuditEvent:
        facts = self._facts
        return self._recorder.describe(
            kind,
            actor=facts.actor.subject,
            project=facts.project.project_id,
            operation=facts.operation,
            **{"part": facts.part, **details},
        )


def _name_previous(
    pins: PinSet, previous_kinds: frozenset[str]
) -> PreviousRelease | None:
    """Return under which older version people are released as well, if any."""
    if not pins.previous_key_version:
        return None
    return PreviousRelease(key_version=pins.previous_key_version, kinds=previous_kinds)
