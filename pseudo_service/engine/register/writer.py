"""Seals new identities and disclosures so that only the linkage identity opens them."""

import pyarrow as pa

from pseudo_service.core.arrow.arrays import BlindIndices
from pseudo_service.core.disclosures.disclosure import (
    DisclosedPeople,
    Disclosure,
    DisclosureUse,
)
from pseudo_service.core.disclosures.sealing import seal_disclosure
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.keys.sealed_records import NONCE_BYTES
from pseudo_service.core.register.packed_identities import pack_identities
from pseudo_service.core.register.segments import DataKeyRow, Segment, seal_segment
from pseudo_service.engine.register.data_key_holder import DataKeyHolder
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy


class RegisterWriter:
    """Seals records under the data key in hand.

    Each record comes with its data key's row, which the store keeps once, so no record
    is ever committed without it.
    """

    def __init__(
        self,
        *,
        data_keys: DataKeyHolder,
        service_root: Root,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Take what seals.

        Args:
            data_keys: Seal the records.
            service_root: Derives the keys that authenticate them.
            clock: Dates disclosures.
            entropy: Draws ids and nonces.
        """
        self._data_keys = data_keys
        self._segment_key = service_root.derive(KeyUse.SEGMENT_MAC)
        self._disclosure_key = service_root.derive(KeyUse.DISCLOSURE_MAC)
        self._clock = clock
        self._entropy = entropy

    def prepare(self) -> None:
        """Have a data key ready, so that no vault outage meets the first new patient.

        Raises:
            KeyVaultUnavailable: The vault does not answer and no key is in hand.
        """
        self._data_keys.current()

    def seal(
        self, canonical: pa.StringArray, *, blind: BlindIndices, kind: str
    ) -> tuple[DataKeyRow, Segment]:
        """Return a sealed segment and the row of the key that seals it.

        Args:
            canonical: The identities, canonical, without nulls.
            blind: Their blind index (n, 16), in the same order.
            kind: The identifier kind, as text.

        Raises:
            KeyVaultUnavailable: As ``prepare`` does.
        """
        held = self._data_keys.current()
        segment = seal_segment(
            pack_identities(canonical),
            blind_index=blind,
            segment_id=self._entropy.draw(16).hex(),
            kind=kind,
            data_key_id=held.row.data_key_id,
            data_key=held.key,
            mac_key=self._segment_key,
            nonce=self._entropy.draw(NONCE_BYTES),
        )
        return held.row, segment

    def seal_members(
        self,
        members: DisclosedPeople,
        *,
        project: ProjectId,
        kind: str,
        use: DisclosureUse,
        key_version: KeyVersion,
        operation: OperationId,
    ) -> tuple[DataKeyRow, Disclosure]:
        """Return a sealed disclosure and the row of the key that seals it.

        Raises:
            KeyVaultUnavailable: As ``prepare`` does.
        """
        held = self._data_keys.current()
        disclosure = seal_disclosure(
            members,
            disclosure_id=self._entropy.draw(16).hex(),
            project=project,
            kind=kind,
            use=use,
            key_version=key_version,
            operation=operation,
            recorded_at=self._clock.now(),
            data_key_id=held.row.data_key_id,
            data_key=held.key,
            mac_key=self._disclosure_key,
            nonce=self._entropy.draw(NONCE_BYTES),
        )
        return held.row, disclosure
