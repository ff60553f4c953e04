"""The engine's ports in memory: a vault without RSA, and stores that are lists."""

import hashlib
import hmac
import itertools
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pseudo_service.core.audit.events import (
    AuditEvent,
    ChainHead,
    Checkpoint,
    RecordedEvent,
    link,
    start_chain,
)
from pseudo_service.core.errors import (
    AuditBroken,
    KeyUnknown,
    KeyVaultRefused,
    KeyVaultUnavailable,
    PolicyExists,
    PolicyUnknown,
    PseudoError,
    SignatureRefused,
    StateConflict,
)
from pseudo_service.core.register.segments import DataKeyRow
from pseudo_service.ports.journal import BatchChange
from pseudo_service.ports.key_vault import DeletedKey, Signature, VaultKey, Wrapped
from pseudo_service.ports.policies import StoredPolicy
from pseudo_service.ports.register import StoredSegment
from tests.lib.stores.memory_projects import MemoryKeyRows, MemoryProjects, Trail

__all__ = [
    "MemoryArchive",
    "MemoryAuditLog",
    "MemoryJournal",
    "MemoryKeyRows",
    "MemoryPolicies",
    "MemoryProjects",
    "MemoryVault",
    "Trail",
]

_NONCE = bytes(12)
PURGED_AT = datetime(2027, 1, 1, tzinfo=UTC)


class MemoryVault:
    """Versioned keys; wraps with AES-GCM and signs with HMAC, all in memory."""

    def __init__(self) -> None:
        self.versions: defaultdict[str, int] = defaultdict(int)
        self.deleted: set[str] = set()
        self.down = False
        self.asked: list[str] = []

    def create_key(self, name: str) -> VaultKey:
        self._ask("create")
        self.versions[name] = max(1, self.versions[name])
        return self._describe(name)

    def rotate(self, name: str) -> None:
        self.versions[name] += 1

    def current_key(self, name: str) -> VaultKey:
        self._ask("get")
        return self._describe(name)

    def wrap(self, name: str, secret: bytes) -> Wrapped:
        self._ask("wrap")
        key_id = self._describe(name).key_id
        sealed = AESGCM(_derive(key_id)).encrypt(_NONCE, secret, b"")
        return Wrapped(key_id=key_id, ciphertext=sealed)

    def unwrap(self, wrapped: Wrapped) -> bytes:
        self._ask("unwrap")
        self._describe(self.key_name(wrapped.key_id))
        try:
            cipher = AESGCM(_derive(wrapped.key_id))
            return cipher.decrypt(_NONCE, wrapped.ciphertext, b"")
        except InvalidTag:
            msg = "not wrapped by this key"
            raise KeyVaultRefused(msg) from None

    def sign(self, name: str, message: bytes) -> Signature:
        self._ask("sign")
        key_id = self._describe(name).key_id
        value = hmac.digest(_derive(key_id), message, hashlib.sha256)
        return Signature(key_id=key_id, value=value)

    def verify(self, message: bytes, signature: Signature) -> None:
        self._ask("verify")
        self.key_name(signature.key_id)
        expected = hmac.digest(_derive(signature.key_id), message, hashlib.sha256)
        if not hmac.compare_digest(expected, signature.value):
            msg = "not over these bytes"
            raise SignatureRefused(msg)

    def key_name(self, key_id: str) -> str:
        vault, name, version = (*key_id.split("/"), "", "")[:3]
        if vault != "memory" or not 1 <= int(version or 0) <= self.versions[name]:
            msg = "not a key of this vault"
            raise KeyVaultRefused(msg)
        return name

    def delete_key(self, name: str) -> DeletedKey:
        self._ask("delete")
        if not self.versions[name]:
            msg = f"no key {name}"
            raise KeyUnknown(msg)
        self.deleted.add(name)
        return DeletedKey(name=name, purged_at=PURGED_AT)

    def _describe(self, name: str) -> VaultKey:
        version = self.versions[name]
        if not version or name in self.deleted:
            msg = f"no key {name}"
            raise KeyUnknown(msg)
        key_id = f"memory/{name}/{version}"
        return VaultKey(name=name, key_id=key_id, public_key_pem=b"")

    def _ask(self, operation: str) -> None:
        self.asked.append(operation)
        if self.down:
            msg = "the vault does not answer"
            raise KeyVaultUnavailable(msg)


def _derive(key_id: str) -> bytes:
    return hashlib.sha256(f"key of {key_id}".encode()).digest()


class MemoryPolicies:
    """``PolicyStore``; ``policies`` may be tampered with."""

    def __init__(self, trail: Trail) -> None:
        self.policies: dict[tuple[str, str, int], StoredPolicy] = {}
        self._trail = trail

    def add(self, policy: StoredPolicy, audit: AuditEvent) -> None:
        place = (policy.project, policy.release, policy.number)
        stored = self.policies.get(place)
        if stored is None:
            self.policies[place] = policy
            self._trail.events.append(audit)
        elif stored.digest != policy.digest:
            msg = "another stands there"
            raise PolicyExists(msg)

    def get(self, project: str, release: str, number: int) -> StoredPolicy:
        try:
            return self.policies[project, release, number]
        except KeyError:
            msg = f"no policy {release}@{number}"
            raise PolicyUnknown(msg) from None

    def list(self, project: str) -> Sequence[StoredPolicy]:
        found = [p for p in self.policies.values() if p.project == project]
        return sorted(found, key=lambda p: (p.release, p.number))


class HeldCommit:
    """A commit that ends when the test says: ``land`` or ``fail``."""

    def __init__(self, change: BatchChange | None = None) -> None:
        self.change = change
        self._done = threading.Event()
        self._error: PseudoError | None = None

    @property
    def ended(self) -> bool:
        return self._done.is_set()

    def land(self) -> None:
        self._done.set()

    def fail(self, error: PseudoError) -> None:
        self._error = error
        self._done.set()

    def wait(self) -> None:
        assert self._done.wait(10), "nobody ended this commit"
        if self._error is not None:
            raise type(self._error)(self._error.message)


class MemoryJournal:
    """``Journal`` and ``RegisterStore``: commits at once, or when the test says."""

    def __init__(self, trail: Trail | None = None, *, held: bool = False) -> None:
        self.trail = trail or Trail()
        self.held = held
        self.commits: list[HeldCommit] = []
        self.segments: list[StoredSegment] = []
        self.data_keys: dict[str, DataKeyRow] = {}
        self.database = "database-1"
        self._positions = itertools.count(1)

    def submit(self, change: BatchChange) -> HeldCommit:
        commit = HeldCommit(change)
        self.commits.append(commit)
        if not self.held:
            self.land(commit)
        return commit

    def land(self, commit: HeldCommit) -> None:
        """Make a commit durable."""
        assert commit.change is not None
        self.trail.events.append(commit.change.event)
        self.data_keys |= {row.data_key_id: row for row in commit.change.data_keys}
        self.segments += [
            StoredSegment(position=next(self._positions), segment=segment)
            for segment in commit.change.segments
        ]
        commit.land()

    def record(self, event: AuditEvent) -> None:
        self.trail.events.append(event)

    def database_id(self) -> str:
        return self.database

    def read_segments(self, *, after: int) -> Iterator[StoredSegment]:
        yield from (stored for stored in self.segments if stored.position > after)

    def read_data_keys(self) -> Iterator[DataKeyRow]:
        yield from self.data_keys.values()


class MemoryAuditLog:
    """``AuditLog`` over chains that the test extends."""

    def __init__(self) -> None:
        self.events: dict[str, list[RecordedEvent]] = {}
        self.stored: list[Checkpoint] = []

    def extend(self, chain: str, event: AuditEvent) -> None:
        events = self.events.setdefault(chain, [])
        events.append(link(self._head(chain), event))

    def heads(self) -> Sequence[ChainHead]:
        return [self._head(chain) for chain in self.events]

    def chains(self) -> Sequence[str]:
        return sorted(self.events)

    def read(self, chain: str) -> Iterator[RecordedEvent]:
        yield from self.events[chain]

    def last_checkpoint(self) -> Checkpoint | None:
        return self.stored[-1] if self.stored else None

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        if checkpoint.number <= len(self.stored):
            msg = "another process made it"
            raise StateConflict(msg)
        self.stored.append(checkpoint)

    def checkpoints(self, *, after: int = -1) -> Iterator[Checkpoint]:
        yield from [each for each in self.stored if each.number > after]

    def _head(self, chain: str) -> ChainHead:
        events = self.events.get(chain)
        if not events:
            return start_chain(chain)
        last = events[-1]
        return ChainHead(chain=chain, sequence=last.sequence, digest=last.digest)


class MemoryArchive:
    """``CheckpointArchive`` that can be out of reach."""

    def __init__(self) -> None:
        self.copies: dict[int, Checkpoint] = {}
        self.failure: PseudoError | None = None

    def append(self, checkpoint: Checkpoint) -> None:
        if self.failure is not None:
            raise self.failure
        if self.copies.setdefault(checkpoint.number, checkpoint) != checkpoint:
            msg = f"checkpoint {checkpoint.number} is another outside"
            raise AuditBroken(msg)

    def read(self, *, newest_first: bool = False) -> Iterator[Checkpoint]:
        numbers = sorted(self.copies, reverse=newest_first)
        yield from (self.copies[number] for number in numbers)
