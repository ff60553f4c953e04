"""Durable changes and their audit events, committed together.

No state change without its event in the same transaction: every mutator of every
store takes the event. Changes that wait are committed together, so that a high
rate of calls costs one disk flush for many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from pseudo_service.core.arrow.arrays import QuotaCodes
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.disclosures.disclosure import Disclosure
from pseudo_service.core.ids import ProjectId
from pseudo_service.core.register.segments import DataKeyRow, Segment
from pseudo_service.ports.register import RegisterReading


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaCharge:
    """Distinct identifiers that a caller has just used.

    ``codes`` are keyed hashes, so that resends count once.
    """

    caller: str
    project: ProjectId
    day: date
    codes: QuotaCodes
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchChange:
    """Everything that must be durable before an answer leaves.

    ``known_in`` is the register in which the batch's other identities were found
    known; in another, or in the same one rolled back, they may not be.
    """

    event: AuditEvent
    data_keys: Sequence[DataKeyRow] = ()
    segments: Sequence[Segment] = ()
    disclosures: Sequence[Disclosure] = ()
    charge: QuotaCharge | None = None
    known_in: RegisterReading | None = None


class PendingCommit(Protocol):
    """A change on its way to the disk."""

    def wait(self) -> None:
        """Return when the change is durable; raise why it is not.

        Raises:
            QuotaExceeded: The charge would go over its limit; nothing was written.
            StoreUnavailable: The database is locked, gone or too slow.
            StoreFull: No space is left.
            DatabaseReplaced: This is another database than ``known_in``, or it was
                rolled back behind what this process read or committed.
        """
        ...


class Journal(Protocol):
    """Writes batch changes and plain events."""

    def submit(self, change: BatchChange) -> PendingCommit:
        """Queue a change; it becomes durable whole, or not at all."""
        ...

    def record(self, event: AuditEvent) -> None:
        """Append an event to the audit trail and return when it is durable."""
        ...
