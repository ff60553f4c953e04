"""Linkage requests: what was asked, where each stands, and sealed results."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.linkage.request import LinkageRequest, LinkageState


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """A request and its state. ``position`` only ever grows; listing goes by it.

    A release never trusts the state: it reads the votes from the verified audit trail.
    """

    position: int
    request: LinkageRequest
    digest: bytes
    state: LinkageState
    released_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlappingRequest:
    """An earlier request of the project that lists some of the same subjects."""

    stored: StoredRequest
    shared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResult:
    """A sealed result, kept until ``available_until``."""

    sealed: bytes = field(repr=False)
    available_until: datetime

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 of ``sealed``, by which the records know the result."""
        return hashlib.sha256(self.sealed).digest()


class RequestStore(Protocol):
    """Keeps linkage requests; each change carries its events in one transaction."""

    def add(self, request: LinkageRequest, audit: Sequence[AuditEvent]) -> None:
        """Store a request in state SUBMITTED.

        Raises:
            StateConflict: A request has this id.
        """
        ...

    def get(self, request_id: str) -> StoredRequest:
        """Return a request with its subjects.

        Raises:
            RequestUnknown: There is none.
        """
        ...

    def list(
        self,
        project: str,
        *,
        states: Sequence[LinkageState],
        before: int | None,
        limit: int,
    ) -> Sequence[StoredRequest]:
        """Return requests that name the project, as its own or as target, newest first.

        Subjects are left out (an empty tuple): read one with ``get``.

        Args:
            project: The project.
            states: Only these; all if empty.
            before: Only positions below this one.
            limit: How many at most.
        """
        ...

    def find_overlaps(
        self, request: LinkageRequest, *, limit: int
    ) -> Sequence[OverlappingRequest]:
        """Return other requests of the same project that share subjects, most first."""
        ...

    def change_state(
        self,
        request_id: str,
        *,
        old: LinkageState,
        new: LinkageState,
        at: datetime,
        audit: Sequence[AuditEvent],
    ) -> None:
        """Compare and set the state, and append the events, in one transaction.

        ``released_at`` becomes ``at`` when the state leaves APPROVED for RELEASED or
        AWAITING_SECOND_REVIEW. Of several that race, exactly one succeeds.

        Raises:
            StateConflict: The state is not ``old`` any more; nothing was appended.
        """
        ...

    def keep_result(
        self, request_id: str, result: KeptResult, audit: Sequence[AuditEvent]
    ) -> None:
        """Store the sealed result of a release with its events.

        Raises:
            StateConflict: A result is there already.
        """
        ...

    def read_result(self, request_id: str) -> KeptResult | None:
        """Return the kept result, or None."""
        ...

    def drop_results(self, *, before: datetime) -> int:
        """Delete results that were available until earlier than ``before``."""
        ...
