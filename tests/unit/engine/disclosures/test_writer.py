"""Collecting whom a stream releases: each once, in bounded memory, nobody lost."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.arrow.sorted_macs import read_prefixes
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.disclosures.disclosure import (
    DisclosureUse,
)
from pseudo_service.core.disclosures.sealing import check_disclosure, open_disclosure
from pseudo_service.core.errors import KeyVaultUnavailable, StoreUnavailable
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose, SecretKey
from pseudo_service.engine.disclosures.writer import (
    DisclosureCollector,
    DisclosureWriter,
    Released,
)
from pseudo_service.engine.register.known_identities import KnownIdentities
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.harnesses.register_writers import make_register_writer
from tests.lib.stores.memory import MemoryJournal, MemoryVault
from tests.lib.stores.stored_values import make_event

NHS, MRN = IdentifierKind.parse("nhs_number"), IdentifierKind.parse("mrn@RXH")
ROOT = Root(
    owner="_service", version=1, purpose=RootPurpose.SERVICE, key=SecretKey(b"s" * 32)
)
MAC_KEY = ROOT.derive(KeyUse.DISCLOSURE_MAC)
FINISHED = make_event(9, AuditKind.TABLE_FINISHED)


def identify(people: Sequence[int], kind: IdentifierKind = NHS) -> Identities:
    """Return people by number; nothing but the leading bytes of each is looked at."""
    words = np.array([[person, 0] for person in people], ">u8").reshape(-1, 2)
    blind = words.view(np.uint8).reshape(-1, 16)
    canonical = pa.array([str(person) for person in people], pa.string())
    return Identities(kind=kind, canonical=canonical, blind=blind)


class Bench:
    def __init__(self, *, held: bool = False) -> None:
        self.vault = MemoryVault()
        self.vault.create_key("linkage")
        self.clock = FakeClock()
        self.journal = MemoryJournal(held=held)
        segment_key = ROOT.derive(KeyUse.SEGMENT_MAC)
        self.writer = make_register_writer(
            vault=self.vault,
            clock=self.clock,
            entropy=SeededEntropy(),
            service_root=ROOT,
        )
        self.batch_commit = BatchCommit(
            journal=self.journal,
            known=KnownIdentities(
                register=self.journal, mac_key=segment_key, patience=5
            ),
            writer=self.writer,
            service_root=ROOT,
            clock=self.clock,
        )

    def collect(self, **limits: int) -> DisclosureCollector:
        return DisclosureCollector(
            writer=DisclosureWriter(writer=self.writer, clock=self.clock),
            project="asthma",
            operation="operation-1",
            key_version=2,
            **limits,
        )

    def record(self, people: DisclosureCollector) -> None:
        self.batch_commit.record_released(FINISHED, people)

    def read(self) -> list[tuple[str, str, list[int]]]:
        """Return kind, use and people of each committed disclosure."""
        keys = {
            row.data_key_id: SecretKey(
                self.vault.unwrap(
                    Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
                )
            )
            for row in self.journal.read_data_keys()
        }
        found = []
        for commit in self.journal.commits:
            assert commit.change is not None
            for one in commit.change.disclosures:
                check_disclosure(one, MAC_KEY)
                members = open_disclosure(one, keys[one.data_key_id])
                people = members.prefixes.tolist()
                found.append((one.kind, one.use.value, people))
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_each_person_is_recorded_once_by_kind_and_use(bench: Bench) -> None:
    people = bench.collect()
    people.add([identify([3, 1]), identify([7], MRN)], [])
    people.add([identify([1, 2])], [identify([2, 9])])
    bench.record(people)
    assert sorted(bench.read()) == [
        ("mrn@RXH", "pseudonym", [7]),
        ("nhs_number", "dates", [2, 9]),
        ("nhs_number", "pseudonym", [1, 2, 3]),
    ]


def test_recorded_people_are_not_recorded_again(bench: Bench) -> None:
    people = bench.collect()
    people.add([identify([1, 2])], [])
    bench.record(people)
    people.add([identify([2, 3])], [])
    bench.record(people)
    bench.record(people)
    assert [each[2] for each in bench.read()] == [[1, 2], [3]]


def test_the_times_are_of_the_first_and_the_last_batch(bench: Bench) -> None:
    people = bench.collect()
    people.add([identify([1])], [])
    bench.clock.advance(minutes=5)
    people.add([identify([2])], [])
    bench.record(people)
    (commit,) = bench.journal.commits
    assert commit.change is not None
    (disclosure,) = commit.change.disclosures
    (row,) = bench.journal.read_data_keys()
    wrapped = Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
    members = open_disclosure(disclosure, SecretKey(bench.vault.unwrap(wrapped)))
    assert set((members.last - members.first).tolist()) == {300}
    assert disclosure.key_version == 2
    assert disclosure.operation == "operation-1"


def test_a_stream_of_nobody_leaves_an_end_and_no_disclosure(bench: Bench) -> None:
    people = bench.collect()
    people.add([identify([])], [])
    bench.record(people)
    assert bench.read() == []
    assert bench.journal.trail.kinds() == ["table_finished"]


def test_many_people_are_recorded_at_once(bench: Bench) -> None:
    people = bench.collect(most=5)
    people.add([identify(range(4))], [])
    assert not people.is_full
    people.add([identify(range(2, 7))], [])
    assert people.is_full
    bench.record(people)
    assert not people.is_full


def test_beyond_a_bound_recorded_people_are_forgotten(bench: Bench) -> None:
    people = bench.collect(remembered=3)
    for person in range(5):
        people.add([identify([0, person])], [])
        bench.record(people)
    recorded = [each[2] for each in bench.read()]
    assert {person for each in recorded for person in each} == set(range(5))
    assert 0 in [person for each in recorded[1:] for person in each]


def test_what_could_not_be_recorded_is_recorded_later(bench: Bench) -> None:
    bench.journal.held = True
    people = bench.collect()
    people.add([identify([1, 2])], [])

    def fail_soon(change: object) -> object:
        commit = submit(change)
        commit.fail(StoreUnavailable("the database does not answer"))
        return commit

    submit = bench.journal.submit
    bench.journal.submit = fail_soon  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreUnavailable):
        bench.record(people)
    bench.journal.submit = submit  # type: ignore[method-assign]
    bench.journal.commits.clear()
    bench.journal.held = False
    bench.record(people)
    assert [each[2] for each in bench.read()] == [[1, 2]]


def test_without_a_data_key_nothing_is_written(bench: Bench) -> None:
    bench.vault.down = True
    people = bench.collect()
    people.add([identify([1])], [])
    with pytest.raises(KeyVaultUnavailable):
        bench.record(people)
    assert bench.journal.commits == []
    bench.vault.down = False
    bench.record(people)
    assert [each[2] for each in bench.read()] == [[1]]


def test_a_call_records_its_people_with_its_intent(bench: Bench) -> None:
    bench.batch_commit.submit(
        make_event(1, AuditKind.VALUES_INTENT),
        [identify([5, 4])],
        dated=[identify([6], MRN)],
        limit=1000,
        released=Released(project="asthma", key_version=1),
    )
    (commit,) = bench.journal.commits
    assert commit.change is not None
    assert commit.change.segments
    assert {row.data_key_id for row in commit.change.data_keys} == {
        one.data_key_id for one in commit.change.disclosures
    }
    assert bench.read() == [
        ("nhs_number", "pseudonym", [4, 5]),
        ("mrn@RXH", "dates", [6]),
    ]


BATCHES = st.lists(st.sets(st.integers(0, 60), max_size=25), max_size=12)


@given(BATCHES, st.sets(st.integers(0, 11)), st.integers(1, 40))
def test_whatever_the_order_nobody_is_lost(
    batches: list[set[int]], records: set[int], remembered: int
) -> None:
    bench = Bench()
    people = bench.collect(remembered=remembered)
    for number, batch in enumerate(batches):
        people.add([identify(sorted(batch, reverse=True))], [])
        if number in records:
            bench.record(people)
    bench.record(people)
    recorded = [each[2] for each in bench.read()]
    assert {person for each in recorded for person in each} == set().union(*batches)
    assert all(each == sorted(set(each)) for each in recorded)
    if not records:
        assert len(recorded) <= 1


def test_a_person_takes_eight_bytes_of_memory(bench: Bench) -> None:
    drawn = np.random.default_rng(3).integers(0, 2**63, 300_000)
    people = bench.collect()
    for start in range(0, len(drawn), 60_000):
        people.add([identify(drawn[start : start + 60_000].tolist())], [])
    sealed = people.seal()
    assert sum(one.count for one in sealed.disclosures) == len(np.unique(drawn))
    assert sum(len(one.sealed) for one in sealed.disclosures) < 6.5 * 300_000
    assert {one.use for one in sealed.disclosures} == {DisclosureUse.PSEUDONYM}
    assert read_prefixes(identify([5]).blind).tolist() == [5]
