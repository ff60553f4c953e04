"""Opens the whole register, once for each grant, and reads everyone in it.

Every identity that is read agrees with its blind index, made anew from the identity itself: an
entry that was moved, edited or planted is left out and counted as a fault.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pseudo_service.core.arrow.arrays import MAC_BYTES, BlindIndices
from pseudo_service.core.errors import (
    GrantSpent,
    KeyUnknown,
    KeyVaultRefused,
    PseudoError,
    RegisterCorrupt,
)
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.ids import OperationId
from pseudo_service.core.keys.material import KEY_BYTES, KeyUse, Root, SecretKey
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.register.packed_identities import unpack_identities
from pseudo_service.core.register.segments import (
    DataKeyRow,
    RegisterFault,
    RegisterFaultKind,
    Segment,
    check_segment,
    open_packed,
)
from pseudo_service.engine.keys.key_ring import LINKAGE_KEY
from pseudo_service.engine.register.data_keys import ParallelMap, RegisterKeys
from pseudo_service.ports.key_vault import KeyVault, Wrapped
from pseudo_service.ports.register import RegisterStore

PAGE_IDENTITIES = 65_536
"""A page closes with the segment that reaches so many; small segments fill one."""
TRIED_BEFORE = 8
"""How many data keys are tried before the vault counts as refusing."""


class RegisterGrant:
    """The right to open the register once. It guards code paths, not secrets."""

    __slots__ = ("_lock", "_spent", "operation")

    def __init__(self, *, operation: OperationId) -> None:
        """Mint a grant; ``operation`` is that of its intent event on record."""
        self.operation = operation
        self._lock = threading.Lock()
        self._spent = False

    def spend(self) -> None:
        """Use the grant up.

        Raises:
            GrantSpent: It was used before, be it by another thread at this moment.
        """
        with self._lock:
            if self._spent:
                msg = "this grant has opened the register once: ask for another"
                raise GrantSpent(msg)
            self._spent = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}(operation={self.operation!r})"


class MaintenanceGrant(RegisterGrant):
    """A grant for maintenance; minted after its intent is durable."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedIdentities:
    """Identities of one kind that agree with their blind index.

    ``canonical`` has no nulls; ``blind`` is (n, 16) uint8, in the same order.
    ``segments`` are the ids of the segments that they stood in, and ``owner`` the place
    there of each identity's own.
    """

    kind: str
    canonical: pa.StringArray = field(repr=False)
    blind: BlindIndices = field(repr=False)
    segments: tuple[str, ...] = field(repr=False)
    owner: npt.NDArray[np.int64] = field(repr=False)


class RegisterOpening:
    """Opens the register for a grant."""

    def __init__(
        self,
        *,
        register: RegisterStore,
        vault: KeyVault,
        service_root: Root,
        parallel_map: ParallelMap = map,
    ) -> None:
        """Take the linkage identity's vault.

        Args:
            register: What is opened.
            vault: May unwrap with "linkage".
            service_root: Derives the blind-index and segment keys.
            parallel_map: Unwraps the data keys; over a network, several at a time.
        """
        self._register = register
        self._vault = vault
        self._service_root = service_root
        self._parallel_map = parallel_map

    def check(self) -> None:
        """Raise unless the vault unwraps with "linkage" now; nothing is opened.

        Callers ask before they use up an approval, so that an outage does not cost one.
        At most a few data keys are unwrapped for it, and dropped at once.

        Raises:
            KeyVaultUnavailable, KeyVaultRefused: It does not.
        """
        refused: PseudoError | None = None
        for row in islice(self._register.read_data_keys(), TRIED_BEFORE):
            found = self._unwrap(row)
            if isinstance(found, SecretKey):
                return
            refused = found
        if refused is not None:
            raise refused

    def open(
        self, grant: RegisterGrant, *, tolerate_refusals: bool = False
    ) -> "OpenRegister":
        """Spend the grant and unwrap every data key.

        Args:
            grant: Not used before.
            tolerate_refusals: Count each data key that the vault refuses as a fault, even
                where it refuses all. Otherwise that raises: the vault may be another's.

        Raises:
            GrantSpent: The grant was used before.
            KeyVaultUnavailable: The vault does not answer.
            KeyVaultRefused: It unwraps none of the data keys.
        """
        grant.spend()
        keys = RegisterKeys(
            register=self._register,
            unwrap=self._unwrap,
            parallel_map=self._parallel_map,
        )
        refused = keys.load()
        if refused and not len(keys) and not tolerate_refusals:
            raise refused[0]
        return OpenRegister(self._register, self._service_root, keys)

    def scan(
        self, grant: RegisterGrant, *, kind: IdentifierKind | None = None
    ) -> "RegisterScan":
        """Spend the grant and read everyone of a kind, or everyone, once.

        Raises:
            As ``open`` does.
        """
        return self.open(grant).scan(kind=kind)

    def _unwrap(self, row: DataKeyRow) -> SecretKey | PseudoError:
        try:
            if self._vault.key_name(row.wrapping_key_id) != LINKAGE_KEY:
                msg = f"data key {row.data_key_id} is wrapped by a foreign key"
                return RegisterCorrupt(msg)
            secret = self._vault.unwrap(
                Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
            )
        except (KeyVaultRefused, KeyUnknown) as refused:
            return refused
        if len(secret) != KEY_BYTES:
            msg = f"data key {row.data_key_id} is not a key of 32 bytes"
            return RegisterCorrupt(msg)
        return SecretKey(secret)


class OpenRegister:
    """The register with its data keys unwrapped, as long as this object lives."""

    def __init__(
        self,
        register: RegisterStore,
        service_root: Root,
        keys: RegisterKeys,
    ) -> None:
        self._register = register
        self._service_root = service_root
        self._keys = keys

    @property
    def faults(self) -> tuple[RegisterFault, ...]:
        """The data keys that do not open."""
        return tuple(self._keys.faults)

    def data_key(self, data_key_id: str) -> SecretKey | None:
        """Return a data key; None if there is none, or it does not open.

        Raises:
            KeyVaultUnavailable: It was made since, and the vault does not answer.
        """
        return self._keys.find(data_key_id)

    @property
    def data_keys(self) -> int:
        """How many data keys opened."""
        return len(self._keys)

    def scan(
        self,
        *,
        kind: IdentifierKind | None = None,
        leave_out: Callable[[str], bool] | None = None,
        rewrites: bool = False,
    ) -> "RegisterScan":
        """Return a reader of everyone of a kind, or of everyone.

        Args:
            kind: Only this kind.
            leave_out: Says whether to leave out what a data key seals, by the key's id;
                called anew for each segment.
            rewrites: Count segments as faults whose data key came after the opening.
                Two runs that rewrite at once can then not read each other's segments.
                If both could, each might drop somebody as the other's.
        """
        return RegisterScan(
            register=self._register,
            service_root=self._service_root,
            keys=self._keys,
            kind=None if kind is None else kind.text,
            leave_out=leave_out,
            rewrites=rewrites,
        )

    def __repr__(self) -> str:
        return "OpenRegister(***)"


class RegisterScan(Iterator[OpenedIdentities]):
    """Reads the register page by page; at no time is more than a page in memory.

    ``faults``, ``segments`` and ``identities`` count what was read so far, and are
    final once it is exhausted. Callers that answer from it check ``faults`` then.
    """

    def __init__(
        self,
        *,
        register: RegisterStore,
        service_root: Root,
        keys: RegisterKeys,
        kind: str | None,
        leave_out: Callable[[str], bool] | None,
        rewrites: bool,
    ) -> None:
        self.faults = list(keys.faults)
        self.segments = 0
        self.identities = 0
        self._register = register
        self._service_root = service_root
        self._mac_key = service_root.derive(KeyUse.SEGMENT_MAC)
        self._find_key = keys.find_early if rewrites else keys.find
        self._ciphers: dict[str, AESGCM] = {}
        self._kind = kind
        self._leave_out = leave_out
        self._hashes: dict[str, KeyedHash] = {}
        self._pages = self._read()

    def __next__(self) -> OpenedIdentities:
        """Return the next page."""
        return next(self._pages)

    def _read(self) -> Iterator[OpenedIdentities]:
        waiting: dict[str, _Page] = {}
        for stored in self._register.read_segments(after=0):
            segment = stored.segment
            if not self._wants(segment):
                continue
            page = waiting.setdefault(segment.kind, _Page())
            self._add(segment, page)
            if page.identities >= PAGE_IDENTITIES:
                yield self._open(segment.kind, waiting.pop(segment.kind))
        for kind, page in waiting.items():
            if page.segments:
                yield self._open(kind, page)

    def _wants(self, segment: Segment) -> bool:
        if self._kind is not None and segment.kind != self._kind:
            return False
        return self._leave_out is None or not self._leave_out(segment.data_key_id)

    def _add(self, segment: Segment, page: "_Page") -> None:
        self.segments += 1
        try:
            associated = check_segment(segment, self._mac_key)
        except RegisterCorrupt:
            self._add_fault(RegisterFaultKind.SEGMENT_MAC, segment.segment_id)
            return
        cipher = self._find_cipher(segment.data_key_id)
        try:
            if cipher is not None:
                page.add(segment, open_packed(segment, cipher, associated))
                return
        except RegisterCorrupt:
            pass
        self._add_fault(RegisterFaultKind.SEGMENT_DOES_NOT_OPEN, segment.segment_id)

    def _find_cipher(self, data_key_id: str) -> AESGCM | None:
        if data_key_id not in self._ciphers:
            key = self._find_key(data_key_id)
            if key is None:
                return None
            self._ciphers[data_key_id] = AESGCM(key.reveal())
        return self._ciphers[data_key_id]

    def _open(self, kind: str, page: "_Page") -> OpenedIdentities:
        found = unpack_identities(page.packs, page.counts)
        for at in found.unsound:
            self._add_fault(RegisterFaultKind.SEGMENT_DOES_NOT_OPEN, page.segments[at])
        blind = page.join_blind(leave_out=found.unsound)
        made = self._hash(kind).mac(found.canonical)
        agrees = (made.view(np.uint64) == blind.view(np.uint64)).all(axis=1)
        canonical, owner = found.canonical, found.owner
        if not agrees.all():
            for at in np.unique(owner[~agrees]):
                self._add_fault(
                    RegisterFaultKind.BLIND_INDEX_DISAGREES, page.segments[at]
                )
            canonical, blind = canonical.filter(pa.array(agrees)), blind[agrees]
            owner = owner[agrees]
        self.identities += len(canonical)
        return OpenedIdentities(
            kind=kind,
            canonical=canonical,
            blind=blind,
            segments=tuple(page.segments),
            owner=owner,
        )

    def _hash(self, kind: str) -> KeyedHash:
        if kind not in self._hashes:
            key = self._service_root.derive(KeyUse.BLIND_INDEX, kind)
            self._hashes[kind] = KeyedHash(key, IdentifierKind.parse(kind))
        return self._hashes[kind]

    def _add_fault(self, fault: RegisterFaultKind, where: str) -> None:
        self.faults.append(RegisterFault(fault=fault, where=where))


class _Page:
    """Opened segments of one kind whose identities are not unpacked yet."""

    def __init__(self) -> None:
        self.segments: list[str] = []
        self.packs: list[bytes] = []
        self.counts: list[int] = []
        self.identities = 0
        self._blind: list[bytes] = []

    def add(self, segment: Segment, packed: bytes) -> None:
        self.segments.append(segment.segment_id)
        self.packs.append(packed)
        self.counts.append(segment.count)
        self.identities += segment.count
        self._blind.append(segment.blind_index)

    def join_blind(self, leave_out: npt.NDArray[np.int64]) -> BlindIndices:
        for at in leave_out:
            self._blind[at] = b""
        joined = np.frombuffer(b"".join(self._blind), dtype=np.uint8)
        return joined.reshape(-1, MAC_BYTES)
