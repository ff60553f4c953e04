"""KnownIdentities against a plain set, and what waits for whom."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
)

from pseudo_service.core.errors import QuotaExceeded, RegisterCorrupt, StoreUnavailable
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.register.packed_identities import pack_identities
from pseudo_service.core.register.segments import seal_segment
from pseudo_service.engine.register.known_identities import (
    Claim,
    KnownIdentities,
)
from pseudo_service.ports.register import StoredSegment
from tests.lib.stores.memory import HeldCommit, MemoryJournal

MAC_KEY = SecretKey(b"m" * 32)
KINDS = ("nhs_number", "mrn@RXH")


def index(name: int) -> bytes:
    """Return a blind index; a few names share their leading eight bytes."""
    digest = hashlib.sha256(f"{name}".encode()).digest()
    return (bytes(8) if name % 7 == 0 else digest[:8]) + digest[8:16]


def blind(names: list[int]) -> np.ndarray:
    joined = b"".join(map(index, names))
    return np.frombuffer(joined, np.uint8).reshape(-1, 16)


def make_known(journal: MemoryJournal | None = None) -> KnownIdentities:
    return KnownIdentities(
        register=journal or MemoryJournal(), mac_key=MAC_KEY, patience=0.2
    )


def store(journal: MemoryJournal, names: list[int], kind: str = KINDS[0]) -> None:
    """Commit a segment as another process does."""
    segment = seal_segment(
        pack_identities(pa.array([f"{name}" for name in names])),
        blind_index=blind(names),
        segment_id=f"segment-{len(journal.segments)}",
        kind=kind,
        data_key_id="key",
        data_key=SecretKey(b"d" * 32),
        mac_key=MAC_KEY,
        nonce=len(journal.segments).to_bytes(12, "big"),
    )
    position = len(journal.segments) + 1
    journal.segments.append(StoredSegment(position=position, segment=segment))


def land(known: KnownIdentities, claim: Claim) -> None:
    """Register a claim's new identities."""
    commit = HeldCommit()
    known.send(claim, commit)
    commit.land()
    known.settle(claim)


names_lists = st.lists(st.integers(0, 60), max_size=25, unique=True)


@given(st.lists(st.tuples(st.sampled_from(KINDS), names_lists), max_size=30))
def test_it_is_a_set_by_kind(batches: list[tuple[str, list[int]]]) -> None:
    known, model = make_known(), {kind: set() for kind in KINDS}
    for kind, names in batches:
        claim = known.claim(kind, blind(names))
        assert claim.new.tolist() == [name not in model[kind] for name in names]
        assert not claim.others
        land(known, claim)
        model[kind] |= set(names)
    assert known.count() == sum(map(len, model.values()))


class ClaimsMachine(RuleBasedStateMachine):
    """Batches that claim, land, fail and leave, in every order, against plain sets."""

    def __init__(self) -> None:
        super().__init__()
        self.known = make_known()
        self.registered: set[int] = set()
        self.open: list[tuple[Claim, set[int], HeldCommit]] = []
        self.failed: set[int] = set()
        self.kept: list[Claim] = []  # so that no id is used twice

    claims = Bundle("claims")

    @rule(target=claims, names=names_lists)
    def claim(self, names: list[int]) -> Any:
        claim = self.known.claim(KINDS[0], blind(names))
        new = {name for name, fresh in zip(names, claim.new, strict=True) if fresh}
        taken = {name for other in self.open for name in other[1]}
        assert new == set(names) - self.registered - taken
        waits = {id(other[0]) for other in self.open if other[1] & set(names)}
        assert {id(other) for other in claim.others} == waits
        self.kept.append(claim)
        entry = (claim, new, HeldCommit())
        self.known.send(claim, entry[2])
        self.open.append(entry)
        return entry

    @rule(entry=consumes(claims))
    def land(self, entry: Any) -> None:
        claim, new, commit = entry
        commit.land()
        for other in self.open:  # who is waited for ends first
            if other[0] in claim.others:
                other[2].land()
        self._forget(entry)
        if any(id(other) in self.failed for other in claim.others):
            with pytest.raises(StoreUnavailable):
                self.known.settle(claim)
            self.known.abandon(claim)
        else:
            self.known.settle(claim)
            self.registered |= new

    @rule(entry=consumes(claims), durable=st.booleans())
    def leave(self, entry: Any, durable: bool) -> None:
        """The client goes, before or after its commit has landed."""
        claim, _, commit = entry
        self.known.abandon(claim)
        self.known.abandon(claim)  # twice does no harm
        if durable:
            commit.land()
        elif not commit.ended:
            commit.fail(QuotaExceeded("over"))
            self.failed.add(id(claim))
        self._forget(entry)

    @invariant()
    def counts_what_is_registered(self) -> None:
        assert self.known.count() == len(self.registered)

    def _forget(self, entry: Any) -> None:
        self.open = [other for other in self.open if other is not entry]


ClaimsMachine.TestCase.settings = settings(
    max_examples=50, stateful_step_count=15, deadline=None
)
TestClaims = ClaimsMachine.TestCase


def test_who_meets_a_claim_waits_for_its_commit() -> None:
    known = make_known()
    first = known.claim(KINDS[0], blind([1, 2, 3]))
    second = known.claim(KINDS[0], blind([2, 3, 4]))
    assert second.new.tolist() == [False, False, True]
    assert list(second.others) == [first]
    commits = [HeldCommit(), HeldCommit()]
    known.send(second, commits[1])
    commits[1].land()
    with ThreadPoolExecutor(1) as pool:
        settling = pool.submit(known.settle, second)
        assert not settling.done()
        known.send(first, commits[0])
        assert not settling.done()
        commits[0].land()
        settling.result(5)
    known.settle(first)
    assert known.count() == 4


def test_when_the_other_commit_fails_the_batch_is_to_be_sent_again() -> None:
    known = make_known()
    first = known.claim(KINDS[0], blind([1, 2]))
    second = known.claim(KINDS[0], blind([2, 3]))
    commits = [HeldCommit(), HeldCommit()]
    for claim, commit in zip((first, second), commits, strict=True):
        known.send(claim, commit)
    commits[0].fail(QuotaExceeded("over the limit"))
    commits[1].land()
    with pytest.raises(StoreUnavailable, match="send the batch again"):
        known.settle(second)
    known.abandon(second)
    again = known.claim(KINDS[0], blind([1, 2, 3]))
    assert again.new.all()
    assert not again.others


def test_when_the_other_was_never_sent_nobody_waits_for_ever() -> None:
    known = make_known()
    first = known.claim(KINDS[0], blind([1]))
    second = known.claim(KINDS[0], blind([1]))
    with pytest.raises(StoreUnavailable):
        known.settle(second)  # after its patience
    assert known.claim(KINDS[0], blind([1])).new.all()
    known.abandon(first)


def test_a_client_that_left_does_not_take_its_commit_along() -> None:
    """Its patients are on their way to the disk; who waits for them may go on."""
    known = make_known()
    first = known.claim(KINDS[0], blind([1]))
    second = known.claim(KINDS[0], blind([1]))
    commit = HeldCommit()
    known.send(first, commit)
    known.abandon(first)
    commit.land()
    known.settle(second)
    assert known.claim(KINDS[0], blind([1])).new.all()  # registered twice: harmless


def test_what_other_processes_register_is_read() -> None:
    journal = MemoryJournal()
    known = make_known(journal)
    known.load()
    store(journal, [1, 2, 3])
    store(journal, [4, 5], KINDS[1])
    known.load()
    assert known.claim(KINDS[0], blind([1, 2, 3, 4])).new.tolist() == [0, 0, 0, 1]
    assert known.claim(KINDS[1], blind([4, 5, 1])).new.tolist() == [0, 0, 1]
    assert known.count() == 5
    known.load()
    assert known.count() == 5


def test_another_database_is_another_set() -> None:
    journal = MemoryJournal()
    store(journal, [1, 2])
    known = make_known(journal)
    known.load()
    journal.database, journal.segments = "database-2", []
    store(journal, [2, 3])
    known.load()
    assert known.claim(KINDS[0], blind([1, 2, 3])).new.tolist() == [1, 0, 0]


@pytest.mark.parametrize("field", ["blind_index", "mac", "sealed", "kind", "nonce"])
def test_a_segment_that_somebody_edited_is_not_believed(field: str) -> None:
    journal = MemoryJournal()
    store(journal, [1, 2])
    (stored,) = journal.segments
    value = getattr(stored.segment, field)
    edited = KINDS[1] if field == "kind" else value[:-1] + bytes((value[-1] ^ 1,))
    segment = replace(stored.segment, **{field: edited})
    journal.segments = [replace(stored, segment=segment)]
    with pytest.raises(RegisterCorrupt, match="segment-0"):
        make_known(journal).load()


def test_many_threads_register_each_patient_once() -> None:
    known = make_known()
    draws = np.random.default_rng(7)
    batches = [draws.choice(400, 60, replace=False).tolist() for _ in range(40)]

    def register(names: list[int]) -> int:
        claim = known.claim(KINDS[0], blind(names))
        commit = HeldCommit()
        known.send(claim, commit)
        commit.land()
        known.settle(claim)
        return int(claim.new.sum())

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(register, batches))
    distinct = {name for names in batches for name in names}
    assert sum(counts) == known.count() == len(distinct)
