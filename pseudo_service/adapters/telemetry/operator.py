"""The one telemetry port of a running service: log, metrics and traces behind it."""

from typing import TYPE_CHECKING

from pseudo_service.adapters.telemetry.logs import SafeLog
from pseudo_service.adapters.telemetry.metrics import Metrics
from pseudo_service.core.access.enumeration import EnumerationSign
from pseudo_service.ports.telemetry import (
    BatchRecord,
    CallRecord,
    IdentityEvent,
    Level,
    VaultOperation,
    VaultOutcome,
)

if TYPE_CHECKING:
    from pseudo_service.adapters.telemetry.traces import Traces


class OperatorTelemetry:
    """Implements ``ports.telemetry.Telemetry`` for a running service."""

    def __init__(
        self, *, log: SafeLog, metrics: Metrics, traces: "Traces | None" = None
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._traces = traces

    def log(
        self,
        event: str,
        level: Level = Level.INFO,
        **fields: str | float | bool | None,
    ) -> None:
        """Write a line of permitted fields."""
        self._log.write(event, level, fields)

    def record_call(self, record: CallRecord) -> None:
        """Count, log and trace a call."""
        self._metrics.count_call(record)
        self._log.write(
            "call_ended",
            Level.INFO,
            {
                "request_id": record.request_id,
                "method": record.method,
                "code": record.code,
                "seconds": round(record.seconds, 6),
                "subject": record.subject,
                "project": record.project,
                "rows_in": record.rows_in,
                "rows_out": record.rows_out,
            },
        )
        if self._traces is not None:
            self._traces.record_call(record)

    def move_open_streams(self, method: str, by: int) -> None:
        """Add to, or take from, the number of open streams."""
        self._metrics.move_open_streams(method, by)

    def observe_batch(self, record: BatchRecord) -> None:
        """Count an answered batch."""
        self._metrics.count_batch(record)

    def count_rejected_cells(self, code: str, count: int) -> None:
        """Count marked cells."""
        self._metrics.count_rejected_cells(code, count)

    def observe_commit(self, seconds: float) -> None:
        """Note how long a commit took."""
        self._metrics.observe_commit(seconds)

    def count_vault_call(
        self, operation: VaultOperation, outcome: VaultOutcome
    ) -> None:
        """Count a call of the key vault."""
        self._metrics.count_vault_call(operation, outcome)

    def set_register_size(self, identities: int) -> None:
        """Note how many identities the register holds."""
        self._metrics.set_register_size(identities)

    def count_audit_events(self, count: int) -> None:
        """Count events of the audit trail."""
        self._metrics.count_audit_events(count)

    def count_identity_event(self, event: IdentityEvent) -> None:
        """Count what happened at the door."""
        self._metrics.count_identity_event(event)

    def count_enumeration_sign(self, sign: EnumerationSign) -> None:
        """Count a sign that identifiers were being tried out."""
        self._metrics.count_enumeration_sign(sign)
