"""Lists of superseded and re-issued NHS numbers, sealed under the service root."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pseudo_service.core.audit.events import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class SupersededList:
    """What is known of a loaded list; ``digest`` is keyed."""

    list_id: str
    merged: int
    reissued: int
    digest: bytes
    loaded_at: datetime


class SupersededStore(Protocol):
    """Keeps lists of superseded numbers; the newest is the one in force."""

    def load(
        self, facts: SupersededList, sealed: Iterator[bytes], audit: AuditEvent
    ) -> None:
        """Store a list's sealed chunks in one transaction."""
        ...

    def newest(self) -> SupersededList | None:
        """Return the list in force, or None."""
        ...

    def read(self, list_id: str) -> Iterator[bytes]:
        """Yield a list's sealed chunks in order."""
        ...
