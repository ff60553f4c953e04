"""The people whom the register has, known by blind index: 16 bytes a person.

A person is known once the commit is durable. Another stream that meets the same new
identity waits for that commit.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pseudo_service.core.arrow.arrays import MAC_BYTES, BlindIndices, Mask
from pseudo_service.core.arrow.sorted_macs import MacSet, MacWords, SortedMacs
from pseudo_service.core.errors import PseudoError, StoreUnavailable
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.register.segments import check_segment
from pseudo_service.ports.journal import PendingCommit
from pseudo_service.ports.register import RegisterReading, RegisterStore


@dataclass(eq=False)
class Claim:
    """New identities that one batch registers, and the claims it must wait for."""

    kind: str
    new: Mask
    run: SortedMacs
    others: Sequence["Claim"] = ()
    pending: PendingCommit | None = None
    sent: threading.Event = field(default_factory=threading.Event)


class KnownIdentities:
    """The set of registered identities of one database, by kind."""

    def __init__(
        self, *, register: RegisterStore, mac_key: SecretKey, patience: float
    ) -> None:
        self._register = register
        self._mac_key = mac_key
        self._patience = patience
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._known: dict[str, MacSet] = {}
        self._claims: dict[str, list[Claim]] = {}
        self._read_until = 0
        self._database: str | None = None
        self._number = 0

    def load(self, *, refused: RegisterReading | None = None) -> None:
        """Read what other processes committed; all of it when the database changed.

        Args:
            refused: The reading that a commit was refused for, which is forgotten
                unless another thread has done so already. A rollback of the database
                changes nothing else that can be seen here.

        Raises:
            RegisterCorrupt: A segment fails its check.
        """
        with self._loading:
            database = self._register.database_id()
            is_refused = refused is not None and refused.number == self._number
            if database != self._database or is_refused:
                with self._lock:
                    # Claims on their way went to the other database. Settled into this
                    # one's set, their people would never be registered here.
                    self._known, self._claims, self._read_until = {}, {}, 0
                    self._database = database
                    self._number += 1
            for stored in self._register.read_segments(after=self._read_until):
                check_segment(stored.segment, self._mac_key)
                blind = np.frombuffer(stored.segment.blind_index, dtype=np.uint8)
                run = SortedMacs.build(blind.reshape(-1, MAC_BYTES))
                with self._lock:
                    self._add_missing(stored.segment.kind, run)
                self._read_until = max(self._read_until, stored.position)

    @property
    def reading(self) -> RegisterReading | None:
        """Return which register these identities were read from; None before that."""
        with self._lock:
            if self._database is None:
                return None
            return RegisterReading(
                database=self._database,
                position=self._read_until,
                number=self._number,
            )

    def claim(self, kind: str, blind: BlindIndices) -> Claim:
        """Decide who of a batch is new, and take them.

        Args:
            kind: The identifier kind, as text.
            blind: (n, 16) uint8, distinct.

        Returns:
            A claim. Its ``new`` mask marks the people whom the caller must register.
            Its ``others`` are the claims of batches that register people of this
            batch: wait for them.
        """
        words = MacWords.read(blind)
        with self._lock:
            unknown = ~self._known_of(kind).contains(words)
            others = []
            for other in self._claims.get(kind, []):
                theirs = np.zeros(len(words), np.bool_)
                theirs[unknown] = other.run.contains(words.take(unknown))
                if theirs.any():
                    others.append(other)
                    unknown &= ~theirs
            run = SortedMacs.sort(words.take(unknown))
            claim = Claim(kind=kind, new=unknown, run=run, others=others)
            if unknown.any():
                self._claims.setdefault(kind, []).append(claim)
        return claim

    def send(self, claim: Claim, pending: PendingCommit) -> None:
        """Attach the commit that registers the claim's identities."""
        claim.pending = pending
        claim.sent.set()

    def settle(self, claim: Claim) -> None:
        """Wait until everyone in the batch is durably registered.

        Raises:
            StoreUnavailable: A commit that the batch depends on failed; sending the
                batch again is safe.
        """
        for other in claim.others:
            other.sent.wait(self._patience)
            self._wait_for(other)
        if claim.pending is not None:
            claim.pending.wait()
        with self._lock:
            if claim in self._claims.get(claim.kind, []):
                self._claims[claim.kind].remove(claim)
                self._known_of(claim.kind).add(claim.run)

    def _wait_for(self, other: Claim) -> None:
        try:
            if other.pending is not None:
                other.pending.wait()
                return
        except PseudoError:
            pass  # the other stream tells its own caller why
        self.abandon(other)
        msg = "a stream that registered the same patients failed: send the batch again"
        raise StoreUnavailable(msg) from None

    def abandon(self, claim: Claim) -> None:
        """Give back what was claimed; nothing of it counts as known."""
        with self._lock:
            if claim in self._claims.get(claim.kind, []):
                self._claims[claim.kind].remove(claim)
        claim.sent.set()

    def count(self) -> int:
        """Return how many identities are known, duplicates included."""
        with self._lock:
            return sum(map(len, self._known.values()))

    def _known_of(self, kind: str) -> MacSet:
        return self._known.setdefault(kind, MacSet())

    def _add_missing(self, kind: str, run: SortedMacs) -> None:
        known = self._known_of(kind)
        # This process knows already what it registered itself.
        missing = ~known.contains(run.words)
        if missing.any():
            known.add(run.take(missing))
