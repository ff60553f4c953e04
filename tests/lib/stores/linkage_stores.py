"""The ports of the linkage desk in memory; their content may be tampered with."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from pseudo_service.core.audit.events import AuditEvent, RecordedEvent
from pseudo_service.core.disclosures.disclosure import DisclosureUse
from pseudo_service.core.disclosures.location import ProjectLocation
from pseudo_service.core.disclosures.unrecorded import UnaccountedOperation
from pseudo_service.core.errors import RequestUnknown, StateConflict
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.linkage.request import LinkageRequest, LinkageState
from pseudo_service.core.register.segments import DataKeyRow
from pseudo_service.engine.disclosures.subject_location import LocatedSubject
from pseudo_service.engine.register.opening import (
    RegisterGrant,
    RegisterOpening,
    RegisterScan,
)
from pseudo_service.ports.journal import BatchChange
from pseudo_service.ports.linkage_requests import (
    KeptResult,
    OverlappingRequest,
    StoredRequest,
)
from pseudo_service.ports.opt_outs import OptOutList
from pseudo_service.ports.register import StoredSegment
from tests.lib.stores.memory import MemoryAuditLog
from tests.lib.values.linkage_requests import replace_request

CHAIN = "linkage-1"


class LinkageLog(MemoryAuditLog):
    """Chains that can be read from a place on, and tampered with."""

    def read(self, chain: str, *, after: int = -1) -> Iterator[RecordedEvent]:
        events = list(self.events.get(chain, ()))
        yield from (event for event in events if event.sequence > after)


class LinkageJournal:
    """Writes events to one chain, and keeps the changes that came with them."""

    def __init__(self, log: LinkageLog) -> None:
        self._log = log
        self.changes: list[BatchChange] = []

    def record(self, event: AuditEvent) -> None:
        self._log.extend(CHAIN, event)

    def submit(self, change: BatchChange) -> "LinkageJournal":
        self.changes.append(change)
        self.record(change.event)
        return self

    def wait(self) -> None:
        """Everything is durable at once."""


class MemoryRequests:
    """``RequestStore``; ``stored`` and ``results`` may be tampered with."""

    def __init__(self, log: LinkageLog) -> None:
        self.stored: dict[str, StoredRequest] = {}
        self.results: dict[str, KeptResult] = {}
        self._log = log

    def add(self, request: LinkageRequest, audit: Sequence[AuditEvent]) -> None:
        if request.request_id in self.stored:
            raise StateConflict("it exists")
        self.stored[request.request_id] = StoredRequest(
            position=len(self.stored) + 1,
            request=request,
            digest=request.digest(),
            state=LinkageState.SUBMITTED,
            released_at=None,
        )
        self._append(audit)

    def get(self, request_id: str) -> StoredRequest:
        if request_id not in self.stored:
            raise RequestUnknown("there is none")
        return self.stored[request_id]

    def list(
        self,
        project: str,
        *,
        states: Sequence[LinkageState],
        before: int | None,
        limit: int,
    ) -> Sequence[StoredRequest]:
        found = [
            replace(each, request=replace(each.request, subjects=()))
            for each in self.stored.values()
            if project in each.request.terms.projects
            and (not states or each.state in states)
            and (before is None or each.position < before)
        ]
        return sorted(found, key=lambda each: -each.position)[:limit]

    def find_overlaps(
        self, request: LinkageRequest, *, limit: int
    ) -> Sequence[OverlappingRequest]:
        found = []
        for each in self.stored.values():
            shared = len(set(each.request.subjects) & set(request.subjects))
            if shared and each.request.request_id != request.request_id:
                found.append(OverlappingRequest(stored=each, shared=shared))
        return sorted(found, key=lambda each: -each.shared)[:limit]

    def change_state(
        self,
        request_id: str,
        *,
        old: LinkageState,
        new: LinkageState,
        at: datetime,
        audit: Sequence[AuditEvent],
    ) -> None:
        stored = self.get(request_id)
        if stored.state is not old:
            raise StateConflict("it moved")
        is_release = old is LinkageState.APPROVED and new in {
            LinkageState.RELEASED,
            LinkageState.AWAITING_SECOND_REVIEW,
        }
        self.stored[request_id] = replace(
            stored, state=new, released_at=at if is_release else stored.released_at
        )
        self._append(audit)

    def keep_result(
        self, request_id: str, result: KeptResult, audit: Sequence[AuditEvent]
    ) -> None:
        if request_id in self.results:
            raise StateConflict("kept before")
        self.results[request_id] = result
        self._append(audit)

    def read_result(self, request_id: str) -> KeptResult | None:
        return self.results.get(request_id)

    def drop_results(self, *, before: datetime) -> int:
        late = [n for n, kept in self.results.items() if kept.available_until < before]
        for name in late:
            del self.results[name]
        return len(late)

    def edit(self, request_id: str, **fields: Any) -> None:
        """Change the row behind the desk's back, its digest with it."""
        stored = self.stored[request_id]
        request = replace_request(stored.request, **fields)
        self.stored[request_id] = replace(
            stored, request=request, digest=request.digest()
        )

    def _append(self, audit: Sequence[AuditEvent]) -> None:
        for event in audit:
            self._log.extend(CHAIN, event)


class MemoryRegister:
    """``RegisterStore`` with the segments and data keys that the test put in."""

    def __init__(self) -> None:
        self.segments: list[StoredSegment] = []
        self.data_keys: list[DataKeyRow] = []
        self.reads = 0

    def database_id(self) -> str:
        return "database-1"

    def read_segments(self, *, after: int) -> Iterator[StoredSegment]:
        self.reads += 1
        yield from (each for each in self.segments if each.position > after)

    def read_data_keys(self) -> Iterator[DataKeyRow]:
        yield from self.data_keys


class WatchedOpening(RegisterOpening):
    """Counts openings, and can fail one."""

    fails = False
    opened = 0

    def scan(
        self, grant: RegisterGrant, *, kind: IdentifierKind | None = None
    ) -> RegisterScan:
        if self.fails:
            raise RuntimeError("killed")
        scan = super().scan(grant, kind=kind)
        self.opened += 1
        return scan


class MemoryOptOuts:
    """``OptOutStore`` of the one list that was loaded."""

    def __init__(self) -> None:
        self.facts: OptOutList | None = None
        self.indices = np.zeros((0, 16), dtype=np.uint8)

    def load(self, facts: OptOutList, indices: np.ndarray, audit: AuditEvent) -> None:
        del audit
        self.facts, self.indices = facts, indices

    def newest(self) -> OptOutList | None:
        return self.facts

    def read(self, list_id: str) -> np.ndarray:
        del list_id
        return self.indices


class FixedLocation:
    """Finds everybody in one project, and says whom it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def locate(
        self, grant: RegisterGrant, *, subjects: Sequence[str]
    ) -> LocatedSubject:
        grant.spend()
        self.asked += subjects
        at = datetime(2026, 1, 5, tzinfo=UTC)
        return LocatedSubject(
            rows=[
                ProjectLocation(
                    project="stroke",
                    use=DisclosureUse.PSEUDONYM,
                    key_version=1,
                    operations=2,
                    first=at,
                    last=at + timedelta(days=1),
                )
            ],
            unaccounted=[
                UnaccountedOperation(
                    project="asthma", operation="run-1", part=0, opened_at=at
                )
            ],
        )
