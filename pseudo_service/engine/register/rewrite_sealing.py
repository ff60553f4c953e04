"""Seals what the register's care rewrites, under one data key made for the run."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.disclosures.disclosure import DisclosedPeople, Disclosure
from pseudo_service.core.disclosures.sealing import seal_membership
from pseudo_service.core.keys.material import KEY_BYTES, KeyUse, Root, SecretKey
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
    key: SecretKey = field(repr=False)


class RewriteSealer:
    """Makes a data key when it is first needed, and seals with it from then on."""

    def __init__(
        self, *, vault: KeyVault, clock: Clock, entropy: Entropy, service_root: Root
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        self._segment_key = service_root.derive(KeyUse.SEGMENT_MAC)
        self._membership_key = service_root.derive(KeyUse.MEMBERSHIP_MAC)
        self._held: _DataKey | None = None

    @property
    def rows(self) -> list[DataKeyRow]:
        """The row of the key, once there is one; it goes with every change."""
        return [] if self._held is None else [self._held.row]

    def owns(self, data_key_id: str) -> bool:
        """Return whether something is sealed under this run's key."""
        return self._held is not None and self._held.row.data_key_id == data_key_id

    def seal(
        self, canonical: pa.StringArray, blind: npt.NDArray[np.uint8], *, kind: str
    ) -> Segment:
        """Return a segment of identities, in the order of their blind index."""
        held = self._take()
        return seal_segment(
            pack_identities(canonical),
            blind_index=blind,
            segment_id=self._entropy.draw(16).hex(),
            kind=kind,
            data_key_id=held.row.data_key_id,
            data_key=held.key,
            mac_key=self._segment_key,
            nonce=self._entropy.draw(NONCE_BYTES),
        )

    def seal_members(
        self, members: DisclosedPeople, *, like: Disclosure, operation: str
    ) -> Disclosure:
        """Return a membership of the project, kind, use and version of another."""
        held = self._take()
        return seal_membership(
            members,
            membership_id=self._entropy.draw(16).hex(),
            project=like.project,
            kind=like.kind,
            use=like.use,
            key_version=like.key_version,
            operation=operation,
            recorded_at=self._clock.now(),
            data_key_id=held.row.data_key_id,
            data_key=held.key,
            mac_key=self._membership_key,
            nonce=self._entropy.draw(NONCE_BYTES),
        )

    def _take(self) -> _DataKey:
        if self._held is None:
            key = SecretKey(self._entropy.draw(KEY_BYTES))
            wrapped = self._vault.wrap(LINKAGE_KEY, key.reveal())
            row = DataKeyRow(
                data_key_id=self._entropy.draw(16).hex(),
                wrapping_key_id=wrapped.key_id,
                wrapped=wrapped.ciphertext,
                created_at=self._clock.now(),
            )
            self._held = _DataKey(row=row, key=key)
        return self._held
