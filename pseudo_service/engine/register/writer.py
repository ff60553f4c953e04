"""Seals new identities into segments under a data key that lives a bounded time."""

import contextlib
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from pseudo_service.core.disclosures.disclosure import (
    DisclosedPeople,
    Disclosure,
    DisclosureUse,
)
from pseudo_service.core.disclosures.sealing import seal_membership
from pseudo_service.core.errors import KeyVaultUnavailable
from pseudo_service.core.keys.material import KEY_BYTES, SecretKey
from pseudo_service.core.register.packed_identities import pack_identities
from pseudo_service.core.register.segments import (
    NONCE_BYTES,
    DataKeyRow,
    Segment,
    seal_segment,
)
from pseudo_service.engine.keys.key_ring import LINKAGE_KEY
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.key_vault import KeyVault


@dataclass(frozen=True, slots=True, kw_only=True)
class _DataKey:
    row: DataKeyRow
    key: SecretKey
    until: datetime


class RegisterWriter:
    """Seals identities so that only the linkage identity can open them.

    It needs the public half of "linkage" alone. Each change carries its data key's
    row, which the store keeps once, so no segment is ever committed without it.
    """

    def __init__(
        self,
        *,
        vault: KeyVault,
        clock: Clock,
        entropy: Entropy,
        mac_key: SecretKey,
        lifetime: timedelta,
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        self._mac_key = mac_key
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._held: _DataKey | None = None

    def prepare(self) -> None:
        """Have a data key ready, so that no vault outage meets the first new patient.

        Raises:
            KeyVaultUnavailable: The vault does not answer and no key is in hand.
        """
        self._take()

    def seal(
        self, canonical: pa.StringArray, *, blind: np.ndarray, kind: str
    ) -> tuple[DataKeyRow, Segment]:
        """Return a sealed segment and the row of the key that seals it.

        Args:
            canonical: The new identities, canonical, without nulls.
            blind: (n, 16) uint8, in the same order.
            kind: The identifier kind, as text.
        """
        held = self._take()
        segment = seal_segment(
            pack_identities(canonical),
            blind_index=blind,
            segment_id=self._entropy.draw(16).hex(),
            kind=kind,
            data_key_id=held.row.data_key_id,
            data_key=held.key,
            mac_key=self._mac_key,
            nonce=self._entropy.draw(NONCE_BYTES),
        )
        return held.row, segment

    def seal_members(
        self,
        members: DisclosedPeople,
        *,
        mac_key: SecretKey,
        project: str,
        kind: str,
        use: DisclosureUse,
        key_version: int,
        operation: str,
    ) -> tuple[DataKeyRow, Disclosure]:
        """Return a sealed membership and the row of the key that seals it.

        Raises:
            KeyVaultUnavailable: As ``prepare`` does.
        """
        held = self._take()
        membership = seal_membership(
            members,
            membership_id=self._entropy.draw(16).hex(),
            project=project,
            kind=kind,
            use=use,
            key_version=key_version,
            operation=operation,
            recorded_at=self._clock.now(),
            data_key_id=held.row.data_key_id,
            data_key=held.key,
            mac_key=mac_key,
            nonce=self._entropy.draw(NONCE_BYTES),
        )
        return held.row, membership

    def _take(self) -> _DataKey:
        with self._lock:
            if self._held is None:
                self._held = self._make()
            elif self._held.until <= self._clock.now():
                # An outage stops no stream: the key in hand serves a while longer.
                with contextlib.suppress(KeyVaultUnavailable):
                    self._held = self._make()
            return self._held

    def _make(self) -> _DataKey:
        key = SecretKey(self._entropy.draw(KEY_BYTES))
        wrapped = self._vault.wrap(LINKAGE_KEY, key.reveal())
        now = self._clock.now()
        row = DataKeyRow(
            data_key_id=self._entropy.draw(16).hex(),
            wrapping_key_id=wrapped.key_id,
            wrapped=wrapped.ciphertext,
            created_at=now,
        )
        return _DataKey(row=row, key=key, until=now + self._lifetime)
