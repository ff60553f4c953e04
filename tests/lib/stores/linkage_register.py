"""People in the register in memory, under one data key."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys.material import KeyUse, Root, SecretKey
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.register.packed_identities import pack_identities
from pseudo_service.core.register.segments import DataKeyRow, seal_segment
from pseudo_service.ports.register import StoredSegment
from tests.lib.harnesses.fakes import SeededEntropy
from tests.lib.stores.linkage_stores import MemoryRegister
from tests.lib.stores.memory import MemoryVault

DATA_KEY = "data-key-1"


def fill_register(
    register: MemoryRegister,
    *,
    root: Root,
    vault: MemoryVault,
    entropy: SeededEntropy,
    people: Mapping[IdentifierKind, Sequence[str]],
) -> None:
    """Seal one segment for each kind, with the numbers of its people."""
    secret = entropy.draw(32)
    wrapped = vault.wrap("linkage", secret)
    register.data_keys.append(
        DataKeyRow(
            data_key_id=DATA_KEY,
            wrapping_key_id=wrapped.key_id,
            wrapped=wrapped.ciphertext,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
    )
    for position, (kind, numbers) in enumerate(people.items(), start=1):
        blind = KeyedHash(root.derive(KeyUse.BLIND_INDEX, kind.text), kind)
        segment = seal_segment(
            pack_identities(pa.array(numbers)),
            blind_index=blind.mac(pa.array(numbers)),
            segment_id=f"segment-{position}",
            kind=kind.text,
            data_key_id=DATA_KEY,
            data_key=SecretKey(secret),
            mac_key=root.derive(KeyUse.SEGMENT_MAC),
            nonce=entropy.draw(12),
        )
        register.segments.append(StoredSegment(position=position, segment=segment))
