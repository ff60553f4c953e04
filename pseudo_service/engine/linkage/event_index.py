"""The sealed records of every linkage request, followed along the audit trail."""

import threading
from collections import defaultdict
from collections.abc import Sequence

from pseudo_service.core.audit.events import AuditKind, RecordedEvent
from pseudo_service.core.audit.reading import LINKAGE_MARK
from pseudo_service.core.errors import GrantRefused
from pseudo_service.core.linkage.sealed_events import (
    DECISIVE_KINDS,
    LinkageEventSealer,
    LinkageRecord,
)
from pseudo_service.core.linkage.sealed_history import SealedHistory
from pseudo_service.ports.audit_log import AuditLog

_BEFORE_FIRST = 0


class LinkageEventIndex:
    """Follows the chains and keeps each request's records whose seals verify.

    The first call reads the whole trail, and a later call reads what came since. The
    index serves what people are shown: it leaves out records whose seals do not verify,
    whereas a release refuses them (``ApprovalVerifier``).
    """

    def __init__(self, *, log: AuditLog, sealer: LinkageEventSealer) -> None:
        self._log = log
        self._sealer = sealer
        self._read_up_to: dict[str, int] = {}
        self._records: defaultdict[str, list[LinkageRecord]] = defaultdict(list)
        self._results: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def events_of(self, request_id: str) -> SealedHistory:
        """Return a request's records as of now."""
        (history,) = self.events_of_each([request_id])
        return history

    def events_of_each(self, request_ids: Sequence[str]) -> list[SealedHistory]:
        """Return the records of several requests, all as of one moment."""
        with self._lock:
            self._catch_up()
            return [
                SealedHistory.of(self._records.get(each, ())) for each in request_ids
            ]

    def result_digest(self, request_id: str) -> bytes | None:
        """Return SHA-256 of the sealed result of a release; None without a release."""
        with self._lock:
            self._catch_up()
            return self._results.get(request_id)

    def _catch_up(self) -> None:
        for chain in self._log.chains():
            after = self._read_up_to.get(chain, _BEFORE_FIRST)
            for event in self._log.read(chain, after=after):
                self._add(event)
                self._read_up_to[chain] = event.sequence

    def _add(self, event: RecordedEvent) -> None:
        if LINKAGE_MARK not in event.body:
            return
        try:
            record = self._sealer.read(event.body)
        except GrantRefused:
            return
        if record is None:
            return
        if record.kind in DECISIVE_KINDS:
            self._records[record.request_id].append(record)
        elif record.kind is AuditKind.LINKAGE_RELEASED:
            digest = bytes.fromhex(str(record.event.details["sealed_digest"]))
            self._results[record.request_id] = digest
