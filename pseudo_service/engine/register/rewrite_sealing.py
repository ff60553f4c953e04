"""Seals what maintenance rewrites, under one data key made for the run."""

from datetime import datetime, timedelta

import pyarrow as pa

from pseudo_service.core.arrow.arrays import BlindIndices
from pseudo_service.core.disclosures.disclosure import DisclosedPeople, Disclosure
from pseudo_service.core.ids import OperationId
from pseudo_service.core.keys.material import Root
from pseudo_service.core.register.segments import DataKeyRow, Segment
from pseudo_service.engine.register.data_key_holder import DataKeyHolder
from pseudo_service.engine.register.writer import RegisterWriter
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.key_vault import KeyVault


class RewriteSealer:
    """Makes a data key when it is first needed, and seals with it from then on."""

    def __init__(
        self, *, vault: KeyVault, clock: Clock, entropy: Entropy, service_root: Root
    ) -> None:
        self._data_keys = DataKeyHolder(
            vault=vault, clock=clock, entropy=entropy, lifetime=None
        )
        self._writer = RegisterWriter(
            data_keys=self._data_keys,
            service_root=service_root,
            clock=clock,
            entropy=entropy,
        )

    @property
    def rows(self) -> list[DataKeyRow]:
        """The row of the key, once there is one; every change carries it."""
        return self._data_keys.rows

    def owns(self, data_key_id: str) -> bool:
        """Say whether this is the id of the run's key."""
        return any(row.data_key_id == data_key_id for row in self.rows)

    def seal(
        self, canonical: pa.StringArray, blind: BlindIndices, *, kind: str
    ) -> Segment:
        """Return a segment of identities, in the order of their blind index."""
        _, segment = self._writer.seal(canonical, blind=blind, kind=kind)
        return segment

    def seal_members(
        self, members: DisclosedPeople, *, like: Disclosure, operation: OperationId
    ) -> Disclosure:
        """Return a disclosure of the project, kind, use and version of another."""
        _, disclosure = self._writer.seal_members(
            members,
            project=like.project,
            kind=like.kind,
            use=like.use,
            key_version=like.key_version,
            operation=operation,
        )
        return disclosure


class RewriteSealing:
    """Makes the sealers of runs, and tells when a data key is no longer in use."""

    def __init__(
        self,
        *,
        vault: KeyVault,
        clock: Clock,
        entropy: Entropy,
        service_root: Root,
        data_key_lifetime: timedelta,
    ) -> None:
        """Take the linkage identity's vault.

        Args:
            vault: Wraps the data key of a run.
            clock: Dates what is sealed.
            entropy: Draws ids and nonces.
            service_root: Derives the keys that authenticate records.
            data_key_lifetime: How long a process holds a data key.
        """
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        self._service_root = service_root
        self._data_key_lifetime = data_key_lifetime

    def begin(self) -> RewriteSealer:
        """Return the sealer of one run."""
        return RewriteSealer(
            vault=self._vault,
            clock=self._clock,
            entropy=self._entropy,
            service_root=self._service_root,
        )

    def find_oldest_held(self) -> datetime:
        """Return when the oldest data key was made that a process may still hold.

        A younger one stays though nothing is sealed under it: a process may hold it and
        not have used it yet.
        """
        return self._clock.now() - self._data_key_lifetime
