"""Registered policies: immutable texts addressed as project/release@n."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pseudo_service.core.audit.events import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPolicy:
    """A registered policy as text, with the SHA-256 digest of its canonical form."""

    project: str
    release: str
    number: int
    text: str
    digest: bytes
    registered_at: datetime
    registered_by: str


class PolicyStore(Protocol):
    """Keeps policies; one that is registered never changes."""

    def add(self, policy: StoredPolicy, audit: AuditEvent) -> None:
        """Store a policy; the same digest again is no error and no event.

        Raises:
            PolicyExists: Another digest stands under this release and number.
        """
        ...

    def get(self, project: str, release: str, number: int) -> StoredPolicy:
        """Return a policy.

        Raises:
            PolicyUnknown: Nothing is registered there.
        """
        ...

    def list(self, project: str) -> Sequence[StoredPolicy]:
        """Return a project's policies by release and number."""
        ...
