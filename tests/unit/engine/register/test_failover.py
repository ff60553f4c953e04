"""After a failover nobody counts as known who is not in the database now."""

import hashlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import DatabaseReplaced
from pseudo_service.core.keys.material import Root, RootPurpose, SecretKey
from pseudo_service.core.register.packed_identities import pack_identities
from pseudo_service.core.register.segments import Segment, seal_segment
from pseudo_service.engine.register.known_identities import KnownIdentities
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.ports.journal import BatchChange
from pseudo_service.ports.register import StoredSegment
from tests.lib.harnesses.fakes import FakeClock

MAC_KEY = SecretKey(b"m" * 32)
KIND = "nhs_number"


def blind(*names: str) -> np.ndarray:
    digests = [hashlib.sha256(name.encode()).digest()[:16] for name in names]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 16)


def make_segment(*names: str) -> Segment:
    return seal_segment(
        pack_identities(pa.array(names)),
        blind_index=blind(*names),
        segment_id="-".join(names),
        kind=KIND,
        data_key_id="key",
        data_key=SecretKey(b"d" * 32),
        mac_key=MAC_KEY,
        nonce=b"n" * 12,
    )


class FailingOverRegister:
    """Two copies of one database, the second a little behind."""

    def __init__(self) -> None:
        self.current = "primary"
        self.copies = {
            "primary": [make_segment("ada"), make_segment("ben")],
            "standby": [make_segment("ada")],
        }

    def database_id(self) -> str:
        return self.current

    def read_segments(self, *, after: int) -> Iterator[StoredSegment]:
        for position, segment in enumerate(self.copies[self.current], start=1):
            if position > after:
                yield StoredSegment(position=position, segment=segment)


class FailedOverJournal:
    """Refuses what was decided on the knowledge of another database."""

    def __init__(self, register: FailingOverRegister) -> None:
        self._register = register
        self.changes: list[BatchChange] = []

    def submit(self, change: BatchChange) -> "FailedOverJournal":
        self.changes.append(change)
        return self

    def wait(self) -> None:
        if self.changes[-1].known_in.database != self._register.current:
            msg = "send the batch again"
            raise DatabaseReplaced(msg)


@pytest.fixture
def register():
    return FailingOverRegister()


@pytest.fixture
def known(register):
    known = KnownIdentities(register=register, mac_key=MAC_KEY, patience=1.0)
    known.load()
    return known


def test_loading_again_adds_only_what_others_registered(known, register):
    register.copies["primary"].append(make_segment("ben", "cat"))
    known.load()
    known.load()
    assert known.count() == 3
    assert not known.claim(KIND, blind("ada", "ben", "cat")).new.any()


def test_another_database_is_read_from_its_beginning(known, register):
    register.current = "standby"
    known.load()
    assert known.claim(KIND, blind("ada", "ben")).new.tolist() == [False, True]


def test_after_a_refused_batch_who_is_known_is_read_anew(known, register):
    journal = FailedOverJournal(register)
    root = Root(
        owner="_service",
        version=1,
        purpose=RootPurpose.SERVICE,
        key=SecretKey(b"s" * 32),
    )
    clock = FakeClock()
    batch_commit = BatchCommit(
        journal=journal, known=known, writer=None, service_root=root, clock=clock
    )
    event = AuditEvent(
        kind=AuditKind.BATCH_INTENT, at=clock.now(), actor="loader", details={}
    )
    register.current = "standby"
    entry = batch_commit.submit(event, [], limit=10)
    assert journal.changes[0].known_in.database == "primary"
    with pytest.raises(DatabaseReplaced):
        batch_commit.wait(entry)
    assert known.reading.database == "standby"
    batch_commit.wait(batch_commit.submit(event, [], limit=10))


def test_a_database_that_was_rolled_back_is_read_anew_once(known, register):
    """Its identity may be the same; only the refusal tells."""
    register.copies["primary"].pop()
    refused = known.reading
    known.load()
    assert not known.claim(KIND, blind("ben")).new.any()
    known.load(refused=refused)
    assert known.claim(KIND, blind("ada", "ben")).new.tolist() == [False, True]
    register.copies["primary"].clear()
    known.load(refused=refused)  # another thread, refused for the same reading
    assert not known.claim(KIND, blind("ada")).new.any()


class StoredBefore:
    """A commit that the database confirmed before it was replaced."""

    def wait(self) -> None:
        return


def test_a_commit_of_before_the_failover_makes_nobody_known_after_it(known, register):
    before = known.claim(KIND, blind("cleo"))
    known.send(before, StoredBefore())
    register.current = "standby"  # which never saw that commit
    known.load()

    meanwhile = known.claim(KIND, blind("cleo"))
    known.settle(before)
    afterwards = known.claim(KIND, blind("cleo", "dora"))

    assert meanwhile.new.tolist() == [True]
    assert not meanwhile.others
    assert afterwards.others == [meanwhile]
    assert afterwards.new.tolist() == [False, True]
    assert known.count() == 1
