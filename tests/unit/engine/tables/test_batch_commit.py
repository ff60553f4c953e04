"""BatchCommit and RegisterWriter: what is durable before an answer leaves."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.errors import (
    KeyVaultUnavailable,
    QuotaExceeded,
    StoreFull,
    StoreUnavailable,
)
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose, SecretKey
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.register.segments import (
    DataKeyRow,
)
from pseudo_service.engine.register.known_identities import KnownIdentities
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.harnesses.register_writers import make_register_writer
from tests.lib.stores.memory import MemoryJournal, MemoryVault
from tests.lib.stores.opened_segments import open_segment
from tests.lib.stores.stored_values import make_event
from tests.lib.values.cohort import make_numbers

NHS = IdentifierKind.parse("nhs_number")
MRN = IdentifierKind.parse("mrn@RXH")
ROOT = Root(
    owner="_service", version=1, purpose=RootPurpose.SERVICE, key=SecretKey(b"s" * 32)
)
SEGMENT_KEY = ROOT.derive(KeyUse.SEGMENT_MAC)
NUMBERS = make_numbers(50_000, 12)
UNLIMITED = 1_000_000


def identify(texts: Sequence[str], kind: IdentifierKind = NHS) -> Identities:
    canonical = pa.array(texts, pa.string())
    hashing = KeyedHash(ROOT.derive(KeyUse.BLIND_INDEX, kind.text), kind)
    macs = b"".join(hashing.mac_one(text) for text in texts)
    blind = np.frombuffer(macs, np.uint8).reshape(-1, 16)
    return Identities(kind=kind, canonical=canonical, blind=blind)


class Bench:
    def __init__(self, *, held: bool = False) -> None:
        self.vault = MemoryVault()
        self.vault.create_key("linkage")
        self.clock = FakeClock()
        self.journal = MemoryJournal(held=held)
        self.known = KnownIdentities(
            register=self.journal, mac_key=SEGMENT_KEY, patience=5
        )
        self.known.load()
        self.writer = make_register_writer(
            vault=self.vault,
            clock=self.clock,
            entropy=SeededEntropy(),
            service_root=ROOT,
        )
        self.batch_commit = BatchCommit(
            journal=self.journal,
            known=self.known,
            writer=self.writer,
            service_root=ROOT,
            clock=self.clock,
        )

    def settle(self, *identities: Identities) -> None:
        entry = self.batch_commit.submit(make_event(), identities, limit=UNLIMITED)
        self.batch_commit.wait(entry)

    def reopen(self) -> list[str]:
        """Return every identity that the linkage identity can read."""
        keys = {
            row.data_key_id: open_data_key(self.vault, row)
            for row in self.journal.read_data_keys()
        }
        return [
            identity.decode()
            for stored in self.journal.segments
            for identity in open_segment(
                stored.segment, keys[stored.segment.data_key_id]
            )
        ]


def open_data_key(vault: MemoryVault, row: DataKeyRow) -> SecretKey:
    wrapped = Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
    return SecretKey(vault.unwrap(wrapped))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_is_settled_is_registered_and_on_record(bench: Bench) -> None:
    bench.settle(identify(NUMBERS), identify(["RX1", "RX2"], MRN))
    assert sorted(bench.reopen()) == sorted([*NUMBERS, "RX1", "RX2"])
    assert bench.journal.trail.kinds() == ["batch_intent"]
    (commit,) = bench.journal.commits
    assert commit.change is not None
    assert commit.change.charge is not None
    assert len(commit.change.charge.codes) == 14
    assert bench.known.count() == 14


def test_who_is_known_is_not_written_again(bench: Bench) -> None:
    bench.settle(identify(NUMBERS[:8]))
    bench.settle(identify(NUMBERS))
    bench.settle(identify(NUMBERS))
    assert sorted(bench.reopen()) == sorted(NUMBERS)
    counts = [stored.segment.count for stored in bench.journal.segments]
    assert counts == [8, 4]
    assert len(bench.journal.trail.events) == 3  # each answer had its intent


def test_a_batch_without_patients_still_has_its_intent(bench: Bench) -> None:
    bench.settle()
    bench.settle(identify([]))
    assert bench.journal.trail.kinds() == ["batch_intent"] * 2
    assert all(
        c.change is not None and not c.change.segments for c in bench.journal.commits
    )
    assert all(
        c.change is not None and c.change.charge is None for c in bench.journal.commits
    )


def test_the_same_number_of_another_kind_is_another_identity(bench: Bench) -> None:
    bench.settle(identify(NUMBERS[:1]))
    bench.settle(identify(NUMBERS[:1], MRN))
    assert [stored.segment.kind for stored in bench.journal.segments] == [
        "nhs_number",
        "mrn@RXH",
    ]


@pytest.mark.parametrize("error", [QuotaExceeded, StoreFull, StoreUnavailable])
def test_what_is_not_durable_is_not_known(error: type) -> None:
    bench = Bench(held=True)
    entry = bench.batch_commit.submit(make_event(), [identify(NUMBERS)], limit=5)
    bench.journal.commits[0].fail(error("no"))
    with pytest.raises(error):
        bench.batch_commit.wait(entry)
    assert bench.known.count() == 0
    again = bench.batch_commit.submit(
        make_event(), [identify(NUMBERS)], limit=UNLIMITED
    )
    bench.journal.land(bench.journal.commits[1])
    bench.batch_commit.wait(again)
    assert sorted(bench.reopen()) == sorted(NUMBERS)


def test_two_batches_in_flight_register_a_patient_once() -> None:
    bench = Bench(held=True)
    first = bench.batch_commit.submit(
        make_event(1), [identify(NUMBERS)], limit=UNLIMITED
    )
    second = bench.batch_commit.submit(
        make_event(2), [identify(NUMBERS)], limit=UNLIMITED
    )
    for commit in bench.journal.commits:
        bench.journal.land(commit)
    bench.batch_commit.wait(first)
    bench.batch_commit.wait(second)
    assert sorted(bench.reopen()) == sorted(NUMBERS)


def test_what_cannot_be_queued_is_given_back(bench: Bench) -> None:
    def refuse(_: object) -> None:
        msg = "the queue is full"
        raise StoreUnavailable(msg)

    bench.journal.submit = refuse  # type: ignore[method-assign,assignment]
    with pytest.raises(StoreUnavailable):
        bench.settle(identify(NUMBERS))
    assert bench.known.claim("nhs_number", identify(NUMBERS).blind).new.all()


def test_without_a_data_key_nothing_is_claimed(bench: Bench) -> None:
    bench.vault.down = True
    with pytest.raises(KeyVaultUnavailable):
        bench.settle(identify(NUMBERS))
    assert bench.journal.commits == []
    bench.vault.down = False
    bench.settle(identify(NUMBERS))
    assert sorted(bench.reopen()) == sorted(NUMBERS)


def test_quota_codes_are_the_same_for_the_same_patient_only(bench: Bench) -> None:
    for identities in (NUMBERS, list(reversed(NUMBERS)), NUMBERS[:3]):
        bench.settle(identify(identities))
    charges = [c.change.charge for c in bench.journal.commits if c.change is not None]
    codes = [set(c.codes.tolist()) for c in charges if c is not None]
    assert codes[0] == codes[1] > codes[2]
    assert len(codes[0]) == 12
    blind = identify(NUMBERS).blind.tobytes()
    assert not [code for code in codes[0] if int(code).to_bytes(8, "little") in blind]


def test_a_data_key_is_ready_before_the_first_patient(bench: Bench) -> None:
    bench.writer.prepare()
    bench.vault.down = True
    bench.settle(identify(NUMBERS))
    bench.vault.down = False
    assert sorted(bench.reopen()) == sorted(NUMBERS)
