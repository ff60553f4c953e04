"""Registers the people of a unary call, computes the answer, and lets it leave."""

from pseudo_service.core.access.roles import Actor
from pseudo_service.core.audit.events import AuditKind, Detail
from pseudo_service.core.disclosures.unrecorded import RECORDING, Recording
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.tables.batch import treat_batch
from pseudo_service.core.tables.batch_values import BatchOutcome, IdentifiedBatch
from pseudo_service.engine.access.enumeration_monitor import EnumerationMonitor
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.disclosures.writer import Released
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.engine.tables.project_context import ProjectContext


class UnaryCalls:
    """Answers the batches of unary calls; the commit runs while the answer is made."""

    def __init__(
        self,
        *,
        commit: BatchCommit,
        monitor: EnumerationMonitor,
        recorder: AuditRecorder,
    ) -> None:
        self._commit = commit
        self._monitor = monitor
        self._recorder = recorder

    def answer(
        self,
        kind: AuditKind,
        /,
        batch: IdentifiedBatch,
        *,
        within: ProjectContext,
        by: Actor,
        **details: Detail,
    ) -> BatchOutcome:
        """Return the answer once everything that it tells is on record.

        Args:
            kind: The intent that is recorded.
            batch: The call's values, of which it is decided who is answered.
            within: The project.
            by: The caller.
            **details: Of the intent.

        Raises:
            OracleSuspected: The caller tries numbers out, and that is blocked.
            AnswerUnsound: As ``treat_batch``.
            QuotaExceeded, StoreUnavailable, StoreFull: As ``BatchCommit.wait``.
        """
        project = within.project.project_id
        details = {
            "key_version": within.key_version,
            **details,
            RECORDING: Recording.NOW,
        }
        event = self._recorder.describe(
            kind, actor=by.subject, project=project, operation=None, **details
        )
        people = [*batch.identities, *batch.dated]
        self._monitor.check_call(people, actor=by, project=project)
        change = self._commit.submit(
            event,
            batch.identities,
            limit=within.project.daily_quota,
            dated=batch.dated,
            released=Released(project=project, key_version=within.key_version),
        )
        try:
            outcome = treat_batch(batch)
        except BaseException:
            self._commit.release(change.claims)
            raise
        self._commit.wait(change)
        self._monitor.record_new(
            asked=sum(len(one.canonical) for one in batch.identities),
            new=change.new,
            actor=by,
            project=project,
        )
        return outcome


def check_count(field: str, count: int, most: int) -> None:
    """Raise unless 1 to ``most`` items were sent."""
    if not 1 <= count <= most:
        msg = f"{field}: send 1 to {most} at a time, not {count}"
        raise InvalidArgument(msg)
