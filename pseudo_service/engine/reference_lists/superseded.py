"""Loading tables of superseded and re-issued NHS numbers, and the one in force."""

import threading
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import AliasTableRefused
from pseudo_service.core.identifiers.canonical import canonicalise
from pseudo_service.core.identifiers.kinds import NHS_NUMBER, IdentifierRules
from pseudo_service.core.identifiers.national_numbers import read_numbers
from pseudo_service.core.identifiers.superseded import (
    NOTHING_PINNED,
    REISSUED,
    Numbers,
    PinnedSupersededNumbers,
    SupersededNumbers,
    refuse_entry,
)
from pseudo_service.core.identifiers.superseded_sealing import (
    count_chunks,
    digest_table,
    open_table,
    seal_table,
)
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.keys.sealed_records import NONCE_BYTES
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.superseded import SupersededList, SupersededStore

SupersededEntries = tuple[Sequence[str], Sequence[str]]
"""Superseded numbers, and the current one of each: blank where it was re-issued."""

MOST_ENTRIES = 20_000_000
"""A table stays in memory: 24 bytes an entry."""


class SupersededLists:
    """The tables of the deployment; the newest is in force."""

    def __init__(
        self,
        *,
        store: SupersededStore,
        service_root: Root,
        rules: IdentifierRules,
        clock: Clock,
        entropy: Entropy,
        access_control: AccessControl,
    ) -> None:
        self._store = store
        self._key = service_root.derive(KeyUse.SUPERSEDED_TABLE)
        self._digest_key = service_root.derive(KeyUse.DIGEST, "alias_table")
        self._rules = rules
        self._clock = clock
        self._entropy = entropy
        self._access_control = access_control
        self._lock = threading.Lock()
        self._held: tuple[SupersededList, PinnedSupersededNumbers] | None = None

    def load(
        self, *, entries: int, chunks: Iterable[SupersededEntries], actor: Actor
    ) -> SupersededList:
        """Load a table; streams that open from then on use it.

        A table of no entries withdraws the one before.

        Raises:
            AliasTableRefused: It ends early, is too long, holds an invalid NHS number,
                or contradicts itself (see ``SupersededNumbers.build``).
        """
        self._access_control.require(actor, Permission.MANAGE_SUPERSEDED)
        table = self._build(chunks, entries)
        facts = SupersededList(
            list_id=self._entropy.draw(8).hex(),
            merged=table.merged,
            reissued=table.reissued,
            digest=digest_table(table, self._digest_key),
            loaded_at=self._clock.now(),
        )
        event = AuditEvent(
            kind=AuditKind.SUPERSEDED_LOADED,
            at=facts.loaded_at,
            actor=actor.subject,
            details={
                "list": facts.list_id,
                "merged": facts.merged,
                "reissued": facts.reissued,
                "digest": facts.digest.hex(),
            },
        )
        chunk_count = count_chunks(len(table.numbers))
        sealed = seal_table(
            table,
            list_id=facts.list_id,
            key=self._key,
            nonces=[self._entropy.draw(NONCE_BYTES) for _ in range(chunk_count)],
        )
        self._store.load(facts, sealed, event)
        return facts

    def current(self) -> PinnedSupersededNumbers:
        """Return the table in force; ``NOTHING_PINNED`` where none was ever loaded.

        Raises:
            AliasTableRefused: What is stored is not what was loaded.
        """
        facts = self._store.newest()
        if facts is None:
            return NOTHING_PINNED
        with self._lock:
            if self._held is None or self._held[0] != facts:
                self._held = (facts, self._read_stored(facts))
            return self._held[1]

    def _read_stored(self, facts: SupersededList) -> PinnedSupersededNumbers:
        table = open_table(
            self._store.read(facts.list_id),
            list_id=facts.list_id,
            entries=facts.merged + facts.reissued,
            key=self._key,
            digest_key=self._digest_key,
            digest=facts.digest,
        )
        pin = f"{facts.list_id}:{facts.digest.hex()[:16]}"
        return PinnedSupersededNumbers(table=table, pin=pin)

    def _build(
        self, chunks: Iterable[SupersededEntries], entries: int
    ) -> SupersededNumbers:
        if entries > MOST_ENTRIES:
            msg = f"alias table: at most {MOST_ENTRIES} entries are taken"
            raise AliasTableRefused(msg)
        numbers: list[Numbers] = [np.empty(0, np.int64)]
        targets: list[Numbers] = [np.empty(0, np.int64)]
        read = 0
        for superseded, current in chunks:
            numbers.append(self._read(superseded, read, "superseded"))
            targets.append(self._read(current, read, "current"))
            read += len(superseded)
            if read > entries:
                break
        if read != entries:
            msg = f"alias table: {read} of {entries} announced entries came; send it again"
            raise AliasTableRefused(msg)
        return SupersededNumbers.build(np.concatenate(numbers), np.concatenate(targets))

    def _read(self, texts: Sequence[str], after: int, field: str) -> Numbers:
        """Return the numbers of a chunk; ``REISSUED`` for a blank current one."""
        given = pa.array(texts, pa.string())
        is_blank = np.zeros(len(given), dtype=np.bool_)
        if field == "current":
            blanks = pc.equal(pc.utf8_trim_whitespace(given), "")
            is_blank = blanks.to_numpy(zero_copy_only=False)
        canonical = canonicalise(given, NHS_NUMBER, self._rules)
        bad = np.flatnonzero(~canonical.accepted & ~is_blank)
        if len(bad):
            why = f"the {field} number is not a valid NHS number"
            raise refuse_entry(after + int(bad[0]), len(bad), why)
        found = np.full(len(given), REISSUED, dtype=np.int64)
        read = read_numbers(canonical.values.filter(pa.array(~is_blank)))
        if read is not None:
            found[~is_blank] = read
        return found
