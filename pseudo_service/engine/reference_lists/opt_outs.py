"""Loading opt-out lists, and the check that a project applies.

Identifiers are turned into keyed indices at the door; none is stored.
"""

import hashlib
import hmac
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.arrow.arrays import Macs
from pseudo_service.core.arrow.sorted_macs import SortedMacs, sort_distinct_macs
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import (
    OptOutListMissing,
    OptOutListRefused,
    OptOutListStale,
)
from pseudo_service.core.identifiers.canonical import canonicalise
from pseudo_service.core.identifiers.kinds import NHS_NUMBER, IdentifierRules
from pseudo_service.core.identifiers.superseded import (
    NOTHING_PINNED,
    PinnedSupersededNumbers,
)
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.opt_outs import OptOutCheck, add_survivors
from pseudo_service.core.projects.project import OptOutApplication, Project
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.reference_lists.superseded import SupersededLists
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.opt_outs import OptOutList, OptOutListKind, OptOutStore

LONGEST_LIFE = timedelta(days=31)


class OptOutLists:
    """The lists of the deployment; the newest is in force."""

    def __init__(
        self,
        *,
        store: OptOutStore,
        service_root: Root,
        rules: IdentifierRules,
        clock: Clock,
        entropy: Entropy,
        access_control: AccessControl,
        superseded: SupersededLists | None = None,
    ) -> None:
        self._store = store
        self._hash = KeyedHash(
            service_root.derive(KeyUse.OPT_OUT_INDEX, NHS_NUMBER.text), NHS_NUMBER
        )
        self._digest_key = service_root.derive(KeyUse.DIGEST, "opt_out_list")
        self._rules = rules
        self._clock = clock
        self._entropy = entropy
        self._access_control = access_control
        self._superseded = superseded
        self._lock = threading.Lock()
        self._held: tuple[OptOutList, str, SortedMacs] | None = None

    def load(
        self,
        kind: OptOutListKind,
        *,
        entries: int,
        expires_at: datetime,
        chunks: Iterable[Sequence[str]],
        actor: Actor,
    ) -> OptOutList:
        """Load a list; it is in force as soon as this returns.

        Raises:
            OptOutListRefused: It ends early, holds an invalid NHS number, is empty
                or expires in the past or too far ahead.
        """
        self._access_control.require(actor, Permission.MANAGE_OPT_OUTS)
        now = self._clock.now()
        if not now < expires_at <= now + LONGEST_LIFE:
            msg = (
                "opt-out list: it must expire within "
                f"{LONGEST_LIFE.days} days from now, and not before"
            )
            raise OptOutListRefused(msg)
        indices = self._index(chunks, entries)
        digest = self._digest(kind, expires_at, indices)
        facts = OptOutList(
            list_id=self._entropy.draw(8).hex(),
            kind=kind,
            entries=len(indices),
            digest=digest,
            loaded_at=now,
            expires_at=expires_at,
        )
        event = AuditEvent(
            kind=AuditKind.OPT_OUTS_LOADED,
            at=now,
            actor=actor.subject,
            details={
                "list": facts.list_id,
                "kind": kind.value,
                "entries": facts.entries,
                "digest": digest.hex(),
                "expires_at": expires_at.isoformat(),
            },
        )
        self._store.load(facts, indices, event)
        return facts

    def check_for(
        self, project: Project, superseded: PinnedSupersededNumbers | None = None
    ) -> tuple[OptOutCheck, OptOutList] | None:
        """Return the check that the project applies and its list; None for none.

        Args:
            project: Whose rule is applied.
            superseded: The superseded numbers that the caller has pinned; None for
                those in force.

        Raises:
            AliasTableRefused: The stored alias table is not the one that was loaded.
            OptOutListMissing: Opt-outs apply and no list was ever loaded, or what
                is stored is not what was loaded.
            OptOutListStale: The list in force has expired.
        """
        if project.opt_outs.application is OptOutApplication.NOT_APPLICABLE:
            return None
        facts = self._store.newest()
        if facts is None:
            msg = (
                "the project applies opt-outs: load a list with `pseudo opt-outs load`"
            )
            raise OptOutListMissing(msg)
        if facts.expires_at <= self._clock.now():
            msg = (
                f"the opt-out list expired at {facts.expires_at.isoformat()}: load a "
                "fresh one with `pseudo opt-outs load`"
            )
            raise OptOutListStale(msg)
        if superseded is None:
            superseded = (
                self._superseded.current() if self._superseded else NOTHING_PINNED
            )
        check = OptOutCheck(
            hash=self._hash,
            is_allow_list=facts.kind is OptOutListKind.ALLOW,
            listed=self._read(facts, superseded),
            uncheckable=project.opt_outs.uncheckable,
            superseded=superseded.table,
        )
        return check, facts

    def _read(
        self, facts: OptOutList, superseded: PinnedSupersededNumbers
    ) -> SortedMacs:
        with self._lock:
            held = self._held
            if held is None or held[:2] != (facts, superseded.pin):
                listed = SortedMacs.build(self._read_stored(facts))
                if facts.kind is OptOutListKind.OPT_OUT:
                    listed = add_survivors(listed, self._hash, superseded.table)
                held = self._held = (facts, superseded.pin, listed)
            return held[2]

    def _read_stored(self, facts: OptOutList) -> Macs:
        """Read a list and check it against its digest.

        A person who can write to the database could take a patient out of the list,
        make an allow list of it, or put its expiry off; the receipt would not show it.
        """
        indices = self._store.read(facts.list_id)
        digest = self._digest(facts.kind, facts.expires_at, indices)
        if not hmac.compare_digest(digest, facts.digest):
            msg = (
                "the stored opt-out list is not the one that was loaded: load a fresh "
                "one with `pseudo opt-outs load` and tell the security officer"
            )
            raise OptOutListMissing(msg)
        return indices

    def _digest(
        self, kind: OptOutListKind, expires_at: datetime, indices: Macs
    ) -> bytes:
        stated = f"{kind}\x1f{int(expires_at.timestamp())}\x1f".encode()
        mac = hmac.new(self._digest_key.reveal(), stated, hashlib.sha256)
        mac.update(np.ascontiguousarray(indices).data)
        return mac.digest()

    def _index(self, chunks: Iterable[Sequence[str]], entries: int) -> Macs:
        parts = []
        read = 0
        for chunk in chunks:
            parts.append(self._index_chunk(chunk, after=read))
            read += len(chunk)
        if read != entries or not read:
            msg = f"opt-out list: {read} of {entries} announced entries came; send it again"
            raise OptOutListRefused(msg)
        return sort_distinct_macs(np.concatenate(parts))

    def _index_chunk(self, chunk: Sequence[str], *, after: int) -> Macs:
        canonical = canonicalise(pa.array(chunk, pa.string()), NHS_NUMBER, self._rules)
        bad = np.flatnonzero(~canonical.accepted)
        if len(bad):
            msg = (
                f"opt-out list: {len(bad)} entries are not valid NHS numbers, the first "
                f"at position {after + int(bad[0])}; correct the list, nothing was loaded"
            )
            raise OptOutListRefused(msg)
        return self._hash.mac(canonical.values)
