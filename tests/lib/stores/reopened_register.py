"""Opens the sealed register as the linkage identity would, and recomputes.

Nothing of the service's own query or hash code is used for the pseudonyms: keys
are derived, and MACs made, with ``hmac`` and ``hashlib``.
"""

import contextlib
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from pseudo_service.adapters.entropy import SystemEntropy
from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.key_rows import SqlKeyRows
from pseudo_service.adapters.sql.stores.projects import SqlProjects
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.bootstrap.external_services import open_key_vault
from pseudo_service.config import Config
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys.material import (
    SERVICE_OWNER,
    KeyRow,
    KeyUse,
    Root,
    RootPurpose,
    SecretKey,
)
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat
from pseudo_service.ports.key_vault import KeyVault, Wrapped
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.stores.opened_segments import open_segment

INDEX_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class ReopenedRegister:
    """Every identity of the register by kind, and how to recompute."""

    identities: dict[str, list[str]]
    blind: dict[str, list[bytes]]
    database: SqlDatabase
    vault: KeyVault

    def recompute(self, project: str, kind: str = "nhs_number") -> dict[str, str]:
        """Return the identifier of every pseudonym of a project, of all versions."""
        tag = SqlProjects(self.database).get(project).tag
        parsed = IdentifierKind.parse(kind)
        found = {}
        rows = SqlKeyRows(self.database).versions(project, RootPurpose.PSEUDONYMS)
        for row in rows:
            form = PseudonymFormat(tag=tag, kind=parsed, version=row.version)
            key = self._unwrap(row).derive(KeyUse.PSEUDONYM, kind)
            for identity in self.identities[kind]:
                found[form.encode_one(make_mac(key, kind, identity))] = identity
        return found

    def check_blind_index(self) -> None:
        """Fail unless each identity has the blind index that it is stored under."""
        rows = SqlKeyRows(self.database)
        row = rows.newest(SERVICE_OWNER, RootPurpose.SERVICE)
        assert row is not None
        root = self._unwrap(row)
        for kind, identities in self.identities.items():
            key = root.derive(KeyUse.BLIND_INDEX, kind)
            expected = [make_mac(key, kind, identity) for identity in identities]
            assert self.blind[kind] == expected

    def _unwrap(self, row: KeyRow) -> Root:
        wrapped = Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
        return Root(
            owner=row.owner,
            version=row.version,
            purpose=row.purpose,
            key=SecretKey(self.vault.unwrap(wrapped)),
        )


@contextlib.contextmanager
def reopen_register(
    config: Config, vault: KeyVault | None = None
) -> Iterator[ReopenedRegister]:
    """Open every segment with the data keys that "linkage" unwraps."""
    vault = vault or open_key_vault(config, clock=FakeClock(), entropy=SystemEntropy())
    database = SqlDatabase(config.database_url, chain="reader-of-a-test")
    try:
        register = SqlRegister(database)
        keys = {}
        for row in register.read_data_keys():
            wrapped = Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
            assert vault.key_name(row.wrapping_key_id) == "linkage"
            keys[row.data_key_id] = SecretKey(vault.unwrap(wrapped))
        identities: dict[str, list[str]] = defaultdict(list)
        blind: dict[str, list[bytes]] = defaultdict(list)
        for stored in register.read_segments(after=0):
            segment = stored.segment
            opened = open_segment(segment, keys[segment.data_key_id])
            identities[segment.kind] += [identity.decode() for identity in opened]
            blind[segment.kind] += [
                segment.blind_index[at : at + INDEX_BYTES]
                for at in range(0, len(segment.blind_index), INDEX_BYTES)
            ]
        yield ReopenedRegister(
            identities=identities, blind=blind, database=database, vault=vault
        )
    finally:
        database.close()


def make_mac(key: SecretKey, kind: str, identifier: str) -> bytes:
    """Return HMAC-SHA256 of kind, 0x1F and identifier, cut to 128 bits."""
    message = f"{kind}\x1f{identifier}".encode()
    return hmac.digest(key.reveal(), message, hashlib.sha256)[:INDEX_BYTES]
