"""The sealed register as ingestion sees it: who is known, never who they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.register.segments import DataKeyRow, Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSegment:
    """A committed segment and its place: positions only ever grow."""

    position: int
    segment: Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterReading:
    """What a process took for the register: of which database, and how far it read.

    ``number`` counts the times that this process began to read it from the start.
    """

    database: str
    position: int = 0
    number: int = 0


class RegisterStore(Protocol):
    """Reads what ``Journal`` committed."""

    def database_id(self) -> str:
        """Return the identity of the database now connected.

        It differs after a failover to another copy or a restore, which is when the
        known set must be loaded again.
        """
        ...

    def read_segments(self, *, after: int) -> Iterator[StoredSegment]:
        """Yield segments with a position above ``after``, in order, in pages.

        A segment whose transaction committed late may have a lower position than
        one read before; readers tolerate that, for duplicates are harmless.
        """
        ...

    def read_data_keys(self) -> Iterator[DataKeyRow]:
        """Yield every data key row."""
        ...


class RegisterKeeper(Protocol):
    """Rewrites the register, for the linkage identity only.

    Ingestion only ever adds segments, so the two need no lock between them.
    """

    def replace_segments(
        self,
        *,
        old: Sequence[str],
        new: Sequence[Segment],
        data_keys: Sequence[DataKeyRow],
        audit: Sequence[AuditEvent],
        renew: bool = False,
    ) -> None:
        """Put new segments in the place of old ones, named by id, in one transaction.

        With ``renew``, which an erasure needs, the transaction also does what
        ``renew_database_id`` does: apart from it, a batch could be answered in between
        that takes an erased identity for known.

        Raises:
            StateConflict: One of the old ones is gone; nothing was changed.
        """
        ...

    def drop_unused_data_keys(
        self, *, made_before: datetime, audit: Sequence[AuditEvent]
    ) -> int:
        """Delete data keys that nothing is sealed under; return how many.

        Younger ones stay: a process may hold one and not have used it yet.
        """
        ...

    def renew_database_id(self, audit: Sequence[AuditEvent]) -> None:
        """Make every process read the register anew, after an erasure.

        ``RegisterStore.database_id`` then differs, and commits that rely on what was
        known before are refused (``DatabaseReplaced``).
        """
        ...
