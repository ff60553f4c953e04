"""Reading the audit trail, and the checkpoints inside and outside the database."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from pseudo_service.core.audit.events import ChainHead, Checkpoint, RecordedEvent


class AuditLog(Protocol):
    """Reads chains and keeps checkpoints."""

    def heads(self) -> Sequence[ChainHead]:
        """Return the last event of every chain, committed."""
        ...

    def read(self, chain: str, *, after: int = -1) -> Iterator[RecordedEvent]:
        """Yield a chain's events above a sequence, in order, in pages."""
        ...

    def chains(self) -> Sequence[str]:
        """Return the names of all chains."""
        ...

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint with the highest number, or None."""
        ...

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Store a checkpoint.

        Raises:
            StateConflict: Another process made this number first.
        """
        ...

    def checkpoints(self, *, after: int = -1) -> Iterator[Checkpoint]:
        """Yield the checkpoints above a number, by number."""
        ...


class CheckpointArchive(Protocol):
    """Append-only storage outside the database."""

    def append(self, checkpoint: Checkpoint) -> None:
        """Copy a checkpoint; one that is there already is left as it is.

        Raises:
            AuditBroken: Another checkpoint has this number outside.
        """
        ...

    def read(self, *, newest_first: bool = False) -> Iterator[Checkpoint]:
        """Yield the copies by number, one at a time as they are asked for."""
        ...
