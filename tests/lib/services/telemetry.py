"""A telemetry that remembers what it was told."""

from collections import Counter

from pseudo_service.core.access.enumeration import EnumerationSign
from pseudo_service.ports.telemetry import (
    BatchRecord,
    CallRecord,
    IdentityEvent,
    Level,
    VaultOperation,
    VaultOutcome,
)


class RecordingTelemetry:
    """Keeps every note, for a test to look at."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []
        self.calls: list[CallRecord] = []
        self.batches: list[BatchRecord] = []
        self.identity_events: Counter[IdentityEvent] = Counter()
        self.enumeration_signs: Counter[EnumerationSign] = Counter()
        self.vault_calls: Counter[tuple[VaultOperation, VaultOutcome]] = Counter()
        self.rejected_cells: Counter[str] = Counter()
        self.open_streams: Counter[str] = Counter()
        self.most_open_streams: Counter[str] = Counter()
        self.commits: list[float] = []
        self.audit_events = 0
        self.register_size = 0

    def log(
        self,
        event: str,
        level: Level = Level.INFO,
        **fields: str | float | bool | None,
    ) -> None:
        self.lines.append({"event": event, "level": level, **fields})

    def record_call(self, record: CallRecord) -> None:
        self.calls.append(record)

    def move_open_streams(self, method: str, by: int) -> None:
        self.open_streams[method] += by
        self.most_open_streams[method] = max(
            self.most_open_streams[method], self.open_streams[method]
        )

    def observe_batch(self, record: BatchRecord) -> None:
        self.batches.append(record)

    def count_rejected_cells(self, code: str, count: int) -> None:
        self.rejected_cells[code] += count

    def observe_commit(self, seconds: float) -> None:
        self.commits.append(seconds)

    def count_vault_call(
        self, operation: VaultOperation, outcome: VaultOutcome
    ) -> None:
        self.vault_calls[operation, outcome] += 1

    def set_register_size(self, identities: int) -> None:
        self.register_size = identities

    def count_audit_events(self, count: int) -> None:
        self.audit_events += count

    def count_identity_event(self, event: IdentityEvent) -> None:
        self.identity_events[event] += 1

    def count_enumeration_sign(self, sign: EnumerationSign) -> None:
        self.enumeration_signs[sign] += 1
