"""The sealed register as ingestion sees it: who is known, never who they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pseudo_service.core.register import DataKeyRow, Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSegment:
    """A committed segment and its place: positions only ever grow."""

    position: int
    segment: Segment


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
