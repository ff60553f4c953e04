"""Gathers the people whom an operation releases, and seals them for linkage."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from pseudo_service.core.arrow.arrays import Prefixes
from pseudo_service.core.arrow.sorted_macs import (
    find_sorted,
    read_prefixes,
    sort_distinct,
)
from pseudo_service.core.disclosures.disclosure import (
    MOST_MEMBERS,
    NO_OPERATION,
    DisclosedPeople,
    Disclosure,
    DisclosureUse,
)
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.register.segments import DataKeyRow
from pseudo_service.engine.register.writer import RegisterWriter
from pseudo_service.ports.clock import Clock

MOST_REMEMBERED = 4_000_000
"""How many people a stream remembers as recorded: 32 MB at most. Beyond that it forgets
them all, and records people whom it meets again twice, which is harmless."""
_PENDING = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedDisclosures:
    """Disclosures, and the rows of the data keys that they are sealed under."""

    disclosures: Sequence[Disclosure] = ()
    data_keys: Sequence[DataKeyRow] = ()

    def join(self, other: "SealedDisclosures") -> "SealedDisclosures":
        """Return both; each data key's row stands once."""
        rows = [*self.data_keys, *other.data_keys]
        return SealedDisclosures(
            disclosures=[*self.disclosures, *other.disclosures],
            data_keys=list({row.data_key_id: row for row in rows}.values()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousRelease:
    """The key version before, and the kinds whose old pseudonyms a stream answers."""

    key_version: KeyVersion
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The project in which a unary call releases people, and the key version."""

    project: ProjectId
    key_version: KeyVersion


class DisclosureWriter:
    """Seals disclosures under the register's data key."""

    def __init__(self, *, writer: RegisterWriter, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    def now(self) -> datetime:
        """Return the time with which people released now are recorded."""
        return self._clock.now()

    def seal(
        self,
        people: Sequence[tuple[str, DisclosureUse, DisclosedPeople]],
        *,
        project: ProjectId,
        key_version: KeyVersion,
        operation: OperationId,
    ) -> SealedDisclosures:
        """Seal people by kind and use; empty sets leave nothing.

        Raises:
            KeyVaultUnavailable: A data key must be made and the vault does not answer.
        """
        sealed = [
            self._writer.seal_members(
                piece,
                project=project,
                kind=kind,
                use=use,
                key_version=key_version,
                operation=operation,
            )
            for kind, use, members in people
            for piece in members.cut()
        ]
        return SealedDisclosures(
            disclosures=[disclosure for _, disclosure in sealed],
            data_keys=list({row.data_key_id: row for row, _ in sealed}.values()),
        )

    def seal_call(
        self,
        named: Sequence[Identities],
        dated: Sequence[Identities],
        *,
        released: Released,
    ) -> SealedDisclosures:
        """Seal the people whom a unary call releases."""
        now = self.now()
        uses = [(DisclosureUse.PSEUDONYM, one) for one in named]
        uses += [(DisclosureUse.DATES, one) for one in dated]
        people = []
        for use, one in uses:
            prefixes = sort_distinct([read_prefixes(one.blind)])
            members = DisclosedPeople.of_one_operation(prefixes, now)
            people.append((one.kind.text, use, members))
        return self.seal(
            people,
            project=released.project,
            key_version=released.key_version,
            operation=NO_OPERATION,
        )


class DisclosureCollector:
    """Gathers the distinct people of one stream, 8 bytes each, in bounded memory.

    Used by one thread at a time. ``seal`` what was gathered, make it durable, then
    ``mark_recorded``: if that cannot be done, nothing is lost, and it is sealed again.
    """

    def __init__(
        self,
        *,
        writer: DisclosureWriter,
        project: ProjectId,
        operation: OperationId,
        key_version: KeyVersion,
        previous: PreviousRelease | None = None,
        most: int = MOST_MEMBERS,
        remembered: int = MOST_REMEMBERED,
    ) -> None:
        self._writer = writer
        self._project = project
        self._operation = operation
        self._key_version = key_version
        self._previous = previous
        self._most = most
        self._remembered = remembered
        self._first: datetime | None = None
        self._people: dict[tuple[str, DisclosureUse], _Gathered] = {}

    def add(self, named: Sequence[Identities], dated: Sequence[Identities]) -> None:
        """Take note of a batch's people, whose answer may now leave."""
        self._first = self._first or self._writer.now()
        for use, identities in (
            (DisclosureUse.PSEUDONYM, named),
            (DisclosureUse.DATES, dated),
        ):
            for one in identities:
                place = (one.kind.text, use)
                gathered = self._people.setdefault(place, _Gathered())
                gathered.add(read_prefixes(one.blind))

    @property
    def is_full(self) -> bool:
        """Say whether as many have gathered as should be recorded at once."""
        return sum(len(one) for one in self._people.values()) >= self._most

    def seal(self) -> SealedDisclosures:
        """Return the people who are not recorded yet, sealed; nothing for nobody.

        Raises:
            KeyVaultUnavailable: A data key must be made and the vault does not answer.
        """
        if self._first is None:
            return SealedDisclosures()
        people = [
            (kind, use, gathered.build(self._first, self._writer.now()))
            for (kind, use), gathered in self._people.items()
        ]
        sealed = self._seal(people, self._key_version)
        if self._previous is None:
            return sealed
        again = [
            (kind, use, members)
            for kind, use, members in people
            if use is DisclosureUse.PSEUDONYM and kind in self._previous.kinds
        ]
        return sealed.join(self._seal(again, self._previous.key_version))

    def _seal(
        self,
        people: Sequence[tuple[str, DisclosureUse, DisclosedPeople]],
        key_version: KeyVersion,
    ) -> SealedDisclosures:
        return self._writer.seal(
            people,
            project=self._project,
            key_version=key_version,
            operation=self._operation,
        )

    def mark_recorded(self) -> None:
        """Forget what was gathered, for it is durable; remember that it was."""
        self._first = None
        for gathered in self._people.values():
            gathered.mark_recorded(self._remembered // len(self._people))


_NOBODY = np.zeros(0, np.uint64)


@dataclass(slots=True)
class _Gathered:
    """People of one kind and use: those to record, and those recorded before."""

    new: Prefixes = field(repr=False, default_factory=lambda: _NOBODY)
    recorded: Prefixes = field(repr=False, default_factory=lambda: _NOBODY)
    pending: list[Prefixes] = field(repr=False, default_factory=list)
    waiting: int = 0

    def __len__(self) -> int:
        return len(self.new) + self.waiting

    def add(self, prefixes: Prefixes) -> None:
        # Sorted needles are found several times as fast as they come.
        prefixes = np.sort(prefixes)
        for known in (self.recorded, self.new):
            prefixes = prefixes[~find_sorted(known, prefixes)[0]]
        if len(prefixes):
            self.pending.append(prefixes)
            self.waiting += len(prefixes)
        # Merged in steps that grow with the whole, so that nothing is sorted often.
        if self.waiting > max(_PENDING, len(self.new) // 4):
            self.merge()

    def merge(self) -> None:
        if self.pending:
            self.new = sort_distinct([self.new, *self.pending])
            self.pending, self.waiting = [], 0

    def build(self, first: datetime, last: datetime) -> DisclosedPeople:
        self.merge()
        members = DisclosedPeople.of_one_operation(self.new, first)
        latest = DisclosedPeople.of_one_operation(self.new, last).last
        return DisclosedPeople(
            members.prefixes, members.operations, members.first, latest
        )

    def mark_recorded(self, most: int) -> None:
        self.merge()
        is_few = len(self.recorded) + len(self.new) <= most
        self.recorded = sort_distinct([self.recorded, self.new]) if is_few else _NOBODY
        self.new = _NOBODY
