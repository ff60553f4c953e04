"""What the service tells its operators: counts, codes and ids, never values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pseudo_service.core.access.enumeration import EnumerationSign


class Level(StrEnum):
    """How loud a line of the log is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class VaultOperation(StrEnum):
    """What was asked of the key vault."""

    CREATE = "create"
    GET = "get"
    WRAP = "wrap"
    UNWRAP = "unwrap"
    SIGN = "sign"
    VERIFY = "verify"
    DELETE = "delete"


class VaultOutcome(StrEnum):
    """How the key vault answered."""

    OK = "ok"
    THROTTLED = "throttled"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


class IdentityEvent(StrEnum):
    """What happened at the door that is not itself a call's outcome."""

    UNKNOWN_ROLE = "unknown_role"
    UNKNOWN_KEY = "unknown_key"
    KEYS_FETCHED = "keys_fetched"
    KEYS_NOT_FETCHED = "keys_not_fetched"
    STALE_KEYS_USED = "stale_keys_used"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call after its end; ``code`` is an ``ErrorCode``, a gRPC status or OK."""

    method: str
    request_id: str
    code: str
    started: datetime
    ended: datetime
    subject: str | None = None
    project: str | None = None
    rows_in: int = 0
    rows_out: int = 0

    @property
    def seconds(self) -> float:
        """Return how long the call took; never negative."""
        return max(0.0, (self.ended - self.started).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """One batch after it was answered."""

    project: str
    rows_in: int
    rows_out: int
    rows_removed: int
    bytes_in: int
    bytes_out: int
    seconds: float


class Telemetry(Protocol):
    """Takes notes; never raises, never blocks for long."""

    def log(
        self,
        event: str,
        level: Level = Level.INFO,
        **fields: str | float | bool | None,
    ) -> None:
        """Write a line; fields that are not on the allow-list are dropped."""
        ...

    def record_call(self, record: CallRecord) -> None:
        """Count and log a call that has ended."""
        ...

    def move_open_streams(self, method: str, by: int) -> None:
        """Add to, or take from, the number of open streams."""
        ...

    def observe_batch(self, record: BatchRecord) -> None:
        """Count an answered batch."""
        ...

    def count_rejected_cells(self, code: str, count: int) -> None:
        """Count cells that were marked with a code instead of being answered."""
        ...

    def observe_commit(self, seconds: float) -> None:
        """Note how long a commit of the store took."""
        ...

    def count_vault_call(
        self, operation: VaultOperation, outcome: VaultOutcome
    ) -> None:
        """Count a call of the key vault."""
        ...

    def set_register_size(self, identities: int) -> None:
        """Note how many identities the register holds."""
        ...

    def count_audit_events(self, count: int) -> None:
        """Count events written to the audit trail."""
        ...

    def count_identity_event(self, event: IdentityEvent) -> None:
        """Count something that happened at the door."""
        ...

    def count_enumeration_sign(self, sign: EnumerationSign) -> None:
        """Count a sign that identifiers were being tried out."""
        ...


class NullTelemetry:
    """Takes no notes: for tests and one-off commands."""

    def log(
        self,
        event: str,
        level: Level = Level.INFO,
        **fields: str | float | bool | None,
    ) -> None:
        """Do nothing."""

    def record_call(self, record: CallRecord) -> None:
        """Do nothing."""

    def move_open_streams(self, method: str, by: int) -> None:
        """Do nothing."""

    def observe_batch(self, record: BatchRecord) -> None:
        """Do nothing."""

    def count_rejected_cells(self, code: str, count: int) -> None:
        """Do nothing."""

    def observe_commit(self, seconds: float) -> None:
        """Do nothing."""

    def count_vault_call(
        self, operation: VaultOperation, outcome: VaultOutcome
    ) -> None:
        """Do nothing."""

    def set_register_size(self, identities: int) -> None:
        """Do nothing."""

    def count_audit_events(self, count: int) -> None:
        """Do nothing."""

    def count_identity_event(self, event: IdentityEvent) -> None:
        """Do nothing."""

    def count_enumeration_sign(self, sign: EnumerationSign) -> None:
        """Do nothing."""
