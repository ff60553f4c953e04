"""Roots in memory: made once, verified, unwrapped, held for a bounded time."""

import contextlib
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import (
    KeyRowRefused,
    KeyUnknown,
    SignatureRefused,
    StateConflict,
)
from pseudo_service.core.ids import NO_KEY_VERSION, KeyVersion
from pseudo_service.core.keys.material import (
    KEY_BYTES,
    SERVICE_OWNER,
    KeyRow,
    Root,
    RootPurpose,
    SecretKey,
)
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.key_vault import KeyVault, Signature, Wrapped
from pseudo_service.ports.projects import KeyRowStore

AUDIT_KEY = "audit"
INGEST_KEY = "ingest"
LINKAGE_KEY = "linkage"


def name_wrapping_key(owner: str) -> str:
    """Return the vault key that wraps an owner's roots."""
    return INGEST_KEY if owner == SERVICE_OWNER else f"project-{owner}"


_CORRECTION = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    row: KeyRow
    root: Root
    since: datetime
    until: datetime

    def is_valid(self, row: KeyRow, now: datetime) -> bool:
        """Say whether it may be used for this row."""
        return self.row == row and self.is_in_time(now)

    def is_in_time(self, now: datetime) -> bool:
        """Say whether its time has come and is not over.

        A root that was unwrapped while the clock was ahead would else be held for as
        long as the clock was. Clocks are corrected by seconds, which is no reason to
        ask a vault that may be away.
        """
        return self.since - _CORRECTION <= now < self.until


class KeyRing:
    """Gives roots by owner, purpose and version.

    A root is unwrapped once a process and dropped after ``lifetime``; a stream that
    pins one keeps the object. Each row is verified before it is unwrapped,
    and verified anew whenever the stored row differs from the one that was held.
    """

    def __init__(
        self,
        *,
        vault: KeyVault,
        rows: KeyRowStore,
        clock: Clock,
        entropy: Entropy,
        lifetime: timedelta,
    ) -> None:
        self._vault = vault
        self._rows = rows
        self._clock = clock
        self._entropy = entropy
        self._lifetime = lifetime
        self._held: dict[tuple[str, RootPurpose, KeyVersion], _Held] = {}
        self._highest: dict[tuple[str, RootPurpose], KeyVersion] = {}
        self._lock = threading.Lock()
        self._unwrapping: dict[str, threading.Lock] = {}

    def newest(self, owner: str, purpose: RootPurpose) -> Root:
        """Return the root with the highest version.

        Raises:
            KeyUnknown: The owner has none.
            KeyRowRefused: The stored row fails its checks, or a newer one is gone.
            KeyVaultUnavailable: It must be unwrapped and the vault does not answer.
        """
        place = (owner, purpose)
        highest = self._highest.get(place, NO_KEY_VERSION)
        row = self._rows.newest(owner, purpose)
        if row is not None and row.version < highest:
            # Each row is signed, that it is the last one is not: were the newest
            # deleted, a key that was rotated away would be in force again.
            raise KeyRowRefused(_refuse(row, f"version {highest} was there before"))
        root = self._open(row, owner, purpose)
        with self._lock:
            self._highest[place] = max(
                root.version, self._highest.get(place, NO_KEY_VERSION)
            )
        return root

    def get(self, owner: str, purpose: RootPurpose, version: KeyVersion) -> Root:
        """Return one version; raises as ``newest`` does."""
        row = self._rows.get(owner, purpose, version)
        return self._open(row, owner, purpose)

    def ensure_service_root(self, actor: str, *, is_new: bool) -> Root:
        """Return the service root; at the very first start, make it.

        Two processes that start at once end with one root.

        Args:
            actor: The process.
            is_new: Whether the database holds no project yet.

        Raises:
            KeyRowRefused: The row is missing from a database that is in use.
        """
        if self._rows.newest(SERVICE_OWNER, RootPurpose.SERVICE) is None:
            if not is_new:
                msg = (
                    "the service root's key row is gone from a database that is in use: "
                    "restore it from a backup, nothing can be known or checked without"
                )
                raise KeyRowRefused(msg)
            row = self.make_row(
                SERVICE_OWNER, RootPurpose.SERVICE, version=KeyVersion(1)
            )
            # Another process may have been first: then its root is the root.
            with contextlib.suppress(StateConflict):
                self._rows.add(row, self._describe(row, actor))
        return self.newest(SERVICE_OWNER, RootPurpose.SERVICE)

    def make_row(
        self, owner: str, purpose: RootPurpose, *, version: KeyVersion
    ) -> KeyRow:
        """Draw a root, wrap it, sign the row. Nothing is stored."""
        key = SecretKey(self._entropy.draw(KEY_BYTES))
        root = Root(owner=owner, version=version, purpose=purpose, key=key)
        wrapped = self._vault.wrap(name_wrapping_key(owner), key.reveal())
        signing_key = self._vault.current_key(AUDIT_KEY)
        unsigned = KeyRow(
            owner=owner,
            version=version,
            purpose=purpose,
            wrapping_key_id=wrapped.key_id,
            wrapped=wrapped.ciphertext,
            check_value=root.check_value(),
            created_at=self._clock.now(),
            signing_key_id=signing_key.key_id,
            signature=b"",
        )
        signature = self._vault.sign(AUDIT_KEY, unsigned.signed_bytes())
        if signature.key_id != signing_key.key_id:
            msg = "the audit key was rotated just now: try again"
            raise StateConflict(msg)
        return replace(unsigned, signature=signature.value)

    def drop_expired(self) -> None:
        """Forget the roots whose time is over."""
        now = self._clock.now()
        with self._lock:
            self._held = {k: h for k, h in self._held.items() if h.is_in_time(now)}

    def forget(self, owner: str) -> None:
        """Forget every root of an owner, whose rows are gone."""
        with self._lock:
            self._held = {k: h for k, h in self._held.items() if k[0] != owner}

    def _describe(self, row: KeyRow, actor: str) -> AuditEvent:
        return AuditEvent(
            kind=AuditKind.KEY_CREATED,
            at=row.created_at,
            actor=actor,
            details={
                "owner": row.owner,
                "purpose": row.purpose.value,
                "version": row.version,
                "check_value": row.check_value.hex(),
                "wrapping_key_id": row.wrapping_key_id,
            },
        )

    def _open(self, row: KeyRow | None, owner: str, purpose: RootPurpose) -> Root:
        if row is None:
            self.forget(owner)
            msg = (
                f"{owner} has no {purpose} key: a custodian creates it with the project"
            )
            raise KeyUnknown(msg)
        place = (owner, purpose, row.version)
        with self._lock:
            held = self._held.get(place)
            turn = self._unwrapping.setdefault(owner, threading.Lock())
        if held is not None and held.is_valid(row, self._clock.now()):
            return held.root
        with turn:  # one unwrap at a time for an owner; the rest find it held
            with self._lock:
                held = self._held.get(place)
            now = self._clock.now()
            if held is None or not held.is_valid(row, now):
                root = self._unwrap(row, owner, purpose)
                held = _Held(row=row, root=root, since=now, until=now + self._lifetime)
                with self._lock:
                    self._held[place] = held
        return held.root

    def _unwrap(self, row: KeyRow, owner: str, purpose: RootPurpose) -> Root:
        if (row.owner, row.purpose) != (owner, purpose):
            raise KeyRowRefused(_refuse(row, "it belongs to another owner"))
        if self._vault.key_name(row.signing_key_id) != AUDIT_KEY:
            raise KeyRowRefused(_refuse(row, "it is not signed by the audit key"))
        if self._vault.key_name(row.wrapping_key_id) != name_wrapping_key(owner):
            raise KeyRowRefused(_refuse(row, "it is wrapped by a foreign key"))
        self._verify(row)
        wrapped = Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
        key = SecretKey(self._vault.unwrap(wrapped))
        root = Root(owner=owner, version=row.version, purpose=purpose, key=key)
        if root.check_value() != row.check_value:
            raise KeyRowRefused(_refuse(row, "its check value does not agree"))
        return root

    def _verify(self, row: KeyRow) -> None:
        signature = Signature(key_id=row.signing_key_id, value=row.signature)
        try:
            self._vault.verify(row.signed_bytes(), signature)
        except SignatureRefused:
            raise KeyRowRefused(_refuse(row, "its signature does not verify")) from None


def _refuse(row: KeyRow, why: str) -> str:
    return (
        f"key row {row.owner}/{row.purpose}/{row.version} is refused: {why}; "
        "compare the database with a backup and tell the security officer"
    )
