"""Decorators that count what a port does: key vault calls and commits."""

import time
from collections.abc import Callable
from typing import TypeVar

from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import (
    KeyVaultUnavailable,
    PseudoError,
)
from pseudo_service.ports.journal import BatchChange, Journal, PendingCommit
from pseudo_service.ports.key_vault import (
    DeletedKey,
    KeyVault,
    Signature,
    VaultKey,
    Wrapped,
)
from pseudo_service.ports.telemetry import Telemetry, VaultOperation, VaultOutcome

_Answer = TypeVar("_Answer")


class ObservedKeyVault:
    """A key vault whose calls are counted by operation and outcome."""

    def __init__(self, vault: KeyVault, telemetry: Telemetry) -> None:
        self._vault = vault
        self._telemetry = telemetry

    def create_key(self, name: str) -> VaultKey:
        """See ``KeyVault``."""
        return self._count(VaultOperation.CREATE, lambda: self._vault.create_key(name))

    def current_key(self, name: str) -> VaultKey:
        """See ``KeyVault``."""
        return self._count(VaultOperation.GET, lambda: self._vault.current_key(name))

    def wrap(self, name: str, secret: bytes) -> Wrapped:
        """See ``KeyVault``."""
        return self._count(VaultOperation.WRAP, lambda: self._vault.wrap(name, secret))

    def unwrap(self, wrapped: Wrapped) -> bytes:
        """See ``KeyVault``."""
        return self._count(VaultOperation.UNWRAP, lambda: self._vault.unwrap(wrapped))

    def sign(self, name: str, message: bytes) -> Signature:
        """See ``KeyVault``."""
        return self._count(VaultOperation.SIGN, lambda: self._vault.sign(name, message))

    def verify(self, message: bytes, signature: Signature) -> None:
        """See ``KeyVault``."""
        self._count(
            VaultOperation.VERIFY, lambda: self._vault.verify(message, signature)
        )

    def key_name(self, key_id: str) -> str:
        """See ``KeyVault``; nothing is asked of the vault for it."""
        return self._vault.key_name(key_id)

    def delete_key(self, name: str) -> DeletedKey:
        """See ``KeyVault``."""
        return self._count(VaultOperation.DELETE, lambda: self._vault.delete_key(name))

    def close(self) -> None:
        """See ``KeyVault``."""
        self._vault.close()

    def _count(self, operation: VaultOperation, call: Callable[[], _Answer]) -> _Answer:
        try:
            answer = call()
        except KeyVaultUnavailable:
            self._telemetry.count_vault_call(operation, VaultOutcome.UNAVAILABLE)
            raise
        except PseudoError:
            self._telemetry.count_vault_call(operation, VaultOutcome.REFUSED)
            raise
        self._telemetry.count_vault_call(operation, VaultOutcome.OK)
        return answer


class ObservedJournal:
    """A journal whose commits are timed and whose events are counted."""

    def __init__(self, journal: Journal, telemetry: Telemetry) -> None:
        self._journal = journal
        self._telemetry = telemetry

    def submit(self, change: BatchChange) -> PendingCommit:
        """See ``Journal``."""
        started = time.monotonic()
        return _ObservedCommit(
            self._journal.submit(change), self._telemetry, started=started
        )

    def record(self, event: AuditEvent) -> None:
        """See ``Journal``."""
        started = time.monotonic()
        self._journal.record(event)
        self._telemetry.observe_commit(time.monotonic() - started)
        self._telemetry.count_audit_events(1)


class _ObservedCommit:
    """Notes the first wait that succeeds: others may wait for the same commit."""

    def __init__(
        self, pending: PendingCommit, telemetry: Telemetry, *, started: float
    ) -> None:
        self._pending = pending
        self._telemetry = telemetry
        self._started: float | None = started

    def wait(self) -> None:
        self._pending.wait()
        started, self._started = self._started, None
        if started is not None:
            self._telemetry.observe_commit(time.monotonic() - started)
            self._telemetry.count_audit_events(1)
