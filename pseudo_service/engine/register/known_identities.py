"""Who is already in the register, told by blind index: 16 bytes a person.

Known means committed. Another stream that meets the same new identity waits for
that commit. Sorted arrays, merged like the runs of a log-structured tree.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pseudo_service.core.errors import PseudoError, StoreUnavailable
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.register.segments import INDEX_BYTES, check_segment
from pseudo_service.ports.journal import PendingCommit
from pseudo_service.ports.register import RegisterStore


@dataclass(frozen=True, slots=True)
class SortedRun:
    """Blind indices in order: the first 8 bytes as one integer, and the rest."""

    high: np.ndarray
    low: np.ndarray

    @classmethod
    def build(cls, indices: np.ndarray) -> "SortedRun":
        """Sort (n, 16) uint8 indices."""
        high, low = split(indices)
        order = np.argsort(high, kind="stable")
        return cls(high[order], low[order])

    def merge(self, other: "SortedRun") -> "SortedRun":
        """Return one run of both."""
        high = np.concatenate((self.high, other.high))
        order = np.argsort(high, kind="stable")
        low = np.concatenate((self.low, other.low))
        return SortedRun(high[order], low[order])

    def contains(self, high: np.ndarray, low: np.ndarray) -> np.ndarray:
        """Return which of the given indices are in the run."""
        place = np.searchsorted(self.high, high)
        found = np.zeros(len(high), dtype=bool)
        # Two people share 8 leading bytes about once in 10^19 pairs: one look
        # answers nearly all, and the loop goes on only while some still agree.
        unsure = place < len(self.high)
        while unsure.any():
            at = place[unsure]
            same = self.high[at] == high[unsure]
            hit = same & (self.low[at] == low[unsure])
            rows = np.flatnonzero(unsure)
            found[rows[hit]] = True
            place[rows] += 1
            unsure[rows] = same & ~hit & (place[rows] < len(self.high))
        return found


def split(indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the leading and the trailing 8 bytes of (n, 16) indices as integers."""
    words = np.ascontiguousarray(indices).view(">u8").reshape(-1, 2)
    return words[:, 0].astype(np.uint64), words[:, 1].astype(np.uint64)


@dataclass(eq=False)
class Claim:
    """New identities that one batch registers, and the claims it must wait for."""

    kind: str
    new: np.ndarray
    run: SortedRun
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
        self._runs: dict[str, list[SortedRun]] = {}
        self._claims: dict[str, list[Claim]] = {}
        self._read_until = 0
        self._database: str | None = None

    def load(self) -> None:
        """Read what other processes committed; all of it when the database changed.

        Raises:
            RegisterCorrupt: A segment fails its check.
        """
        with self._loading:
            database = self._register.database_id()
            if database != self._database:
                with self._lock:
                    # Claims on their way went to the other database: were they to
                    # settle into this one's runs, nobody would register them here.
                    self._runs, self._claims, self._read_until = {}, {}, 0
                    self._database = database
            for stored in self._register.read_segments(after=self._read_until):
                check_segment(stored.segment, self._mac_key)
                blind = np.frombuffer(stored.segment.blind_index, dtype=np.uint8)
                run = SortedRun.build(blind.reshape(-1, INDEX_BYTES))
                with self._lock:
                    self._add_missing(stored.segment.kind, run)
                self._read_until = max(self._read_until, stored.position)

    @property
    def database(self) -> str | None:
        """Return the identity of the database whose identities these are."""
        return self._database

    def claim(self, kind: str, blind: np.ndarray) -> Claim:
        """Decide who of a batch is new, and take them.

        Args:
            kind: The identifier kind, as text.
            blind: (n, 16) uint8, distinct.

        Returns:
            A claim whose ``new`` mask tells whom the caller must register. Whoever
            is being registered by another batch is in ``others``: wait for it.
        """
        high, low = split(blind)
        with self._lock:
            unknown = ~self._contains(kind, high, low)
            others = []
            for other in self._claims.get(kind, []):
                theirs = np.zeros(len(high), dtype=bool)
                theirs[unknown] = other.run.contains(high[unknown], low[unknown])
                if theirs.any():
                    others.append(other)
                    unknown &= ~theirs
            run = SortedRun.build(blind[unknown])
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
                self._add(claim.kind, claim.run)

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
            return sum(len(run.high) for runs in self._runs.values() for run in runs)

    def _contains(self, kind: str, high: np.ndarray, low: np.ndarray) -> np.ndarray:
        found = np.zeros(len(high), dtype=bool)
        for run in self._runs.get(kind, []):
            left = np.flatnonzero(~found)
            if not len(left):
                break
            found[left] = run.contains(high[left], low[left])
        return found

    def _add_missing(self, kind: str, run: SortedRun) -> None:
        # What this process registered itself is known already.
        missing = ~self._contains(kind, run.high, run.low)
        if missing.any():
            self._add(kind, SortedRun(run.high[missing], run.low[missing]))

    def _add(self, kind: str, run: SortedRun) -> None:
        runs = self._runs.setdefault(kind, [])
        while runs and len(runs[-1].high) <= 2 * len(run.high):
            run = runs.pop().merge(run)
        runs.append(run)
