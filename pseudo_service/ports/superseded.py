"""The table of superseded and re-issued NHS numbers, sealed under the service root."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pseudo_service.core.audit.events import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasTableFacts:
    """What is known of a loaded table; ``digest`` is keyed."""

    list_id: str
    merged: int
    reissued: int
    digest: bytes
    loaded_at: datetime


class AliasStore(Protocol):
    """Keeps alias tables; the newest is the one in force."""

    def load(
        self, facts: AliasTableFacts, sealed: Iterator[bytes], audit: AuditEvent
    ) -> None:
        """Store a table's sealed chunks in one transaction."""
        ...

    def newest(self) -> AliasTableFacts | None:
        """Return the table in force, or None."""
        ...

    def read(self, list_id: str) -> Iterator[bytes]:
        """Yield a table's sealed chunks in order."""
        ...
