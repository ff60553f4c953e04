"""Opt-out lists, stored as keyed indices, never as identifiers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pseudo_service.core.arrow.arrays import Macs
from pseudo_service.core.audit.events import AuditEvent


class OptOutListKind(StrEnum):
    """An allow list (what MESH returns: who has not opted out) or an opt-out list."""

    ALLOW = "allow"
    OPT_OUT = "opt_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutList:
    """What is known of a loaded list; ``digest`` is keyed."""

    list_id: str
    kind: OptOutListKind
    entries: int
    digest: bytes
    loaded_at: datetime
    expires_at: datetime


class OptOutStore(Protocol):
    """Keeps the lists; the newest is the one in force."""

    def load(self, facts: OptOutList, indices: Macs, audit: AuditEvent) -> None:
        """Store a list in one transaction. ``indices``: (n, 16) uint8, sorted."""
        ...

    def newest(self) -> OptOutList | None:
        """Return the list in force, or None."""
        ...

    def read(self, list_id: str) -> Macs:
        """Return a list's indices, (n, 16) uint8, sorted."""
        ...
