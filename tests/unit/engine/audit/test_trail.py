"""AuditTrail: checkpoints over all chains, their copies outside, and the export."""

import pytest

from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.audit.events import Checkpoint, RecordedEvent
from pseudo_service.core.audit.verification import verify_trail
from pseudo_service.core.errors import (
    AccessDenied,
    AuditBroken,
    KeyVaultUnavailable,
    SignatureRefused,
    StateConflict,
    StoreUnavailable,
)
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.audit.trail import AuditTrail
from pseudo_service.ports.key_vault import Signature, VaultKey
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.stores.memory import (
    MemoryArchive,
    MemoryAuditLog,
    MemoryJournal,
    MemoryVault,
)
from tests.lib.stores.stored_values import make_event

AUDITOR = Actor(
    subject="local:auditor",
    grants=frozenset({RoleGrant.parse("auditor")}),
    expires_at=None,
)


class Bench:
    def __init__(self, vault: MemoryVault | None = None) -> None:
        self.vault = vault or MemoryVault()
        self.vault.create_key("audit")
        self.clock = FakeClock()
        self.log = MemoryAuditLog()
        self.archive = MemoryArchive()
        self.journal = MemoryJournal()
        self.trail = self.start()

    def start(self) -> AuditTrail:
        """Start another process over the same stores."""
        return AuditTrail(
            log=self.log,
            archive=self.archive,
            vault=self.vault,
            recorder=AuditRecorder(self.journal, self.clock),
            clock=self.clock,
            access_control=AccessControl(journal=self.journal, clock=self.clock),
        )

    def write(self, *chains: str) -> None:
        for chain in chains:
            self.log.extend(chain, make_event())

    def is_signed(self, checkpoint: Checkpoint) -> bool:
        signature = Signature(
            key_id=checkpoint.signing_key_id, value=checkpoint.signature
        )
        try:
            self.vault.verify(checkpoint.signed_bytes(), signature)
        except SignatureRefused:
            return False
        return True

    def verify(self) -> tuple[int, int]:
        """Return the events in all and those that are not anchored; no findings."""
        verdict = verify_trail(
            [(name, list(self.log.read(name))) for name in self.log.chains()],
            inside=self.log.checkpoints(),
            outside=self.archive.read(),
            is_signed=self.is_signed,
        )
        assert verdict.findings == ()
        return verdict.events, verdict.unanchored_events


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_checkpoint_joins_all_chains(bench: Bench) -> None:
    bench.write("a", "b", "a", "c")
    made = bench.trail.checkpoint()
    assert made is not None
    assert [(head.chain, head.sequence) for head in made.heads] == [
        ("a", 2),
        ("b", 1),
        ("c", 1),
    ]
    assert bench.verify() == (4, 0)
    bench.write("b")
    assert bench.verify() == (5, 1)


def test_checkpoints_continue_one_another(bench: Bench) -> None:
    for _ in range(4):
        bench.write("a", "b")
        bench.clock.advance(minutes=5)
        assert bench.trail.checkpoint() is not None
    numbers = [checkpoint.number for checkpoint in bench.log.stored]
    assert numbers == [1, 2, 3, 4] == sorted(bench.archive.copies)
    for before, after in zip(bench.log.stored, bench.log.stored[1:], strict=False):
        assert after.previous == before.digest()
    assert bench.verify() == (8, 0)


def test_without_news_there_is_no_checkpoint(bench: Bench) -> None:
    bench.write("a")
    assert bench.trail.checkpoint() is not None
    assert bench.trail.checkpoint() is None
    assert bench.start().checkpoint() is None
    assert len(bench.log.stored) == 1
    assert bench.vault.asked.count("sign") == 1


def test_an_empty_trail_has_nothing_to_sign(bench: Bench) -> None:
    with pytest.raises(StateConflict, match="nothing to checkpoint"):
        bench.trail.checkpoint_for(AUDITOR)


def test_an_auditor_gets_the_newest(bench: Bench) -> None:
    bench.write("a")
    made = bench.trail.checkpoint_for(AUDITOR)
    assert bench.trail.checkpoint_for(AUDITOR) == made


def test_copies_that_failed_are_made_up_for(bench: Bench) -> None:
    bench.archive.failure = StoreUnavailable("the mount is gone")
    for _ in range(3):
        bench.write("a")
        with pytest.raises(StoreUnavailable):
            bench.trail.checkpoint()
    assert len(bench.log.stored) == 3
    assert bench.archive.copies == {}
    bench.archive.failure = None
    assert bench.trail.checkpoint() is None  # no news, and yet:
    assert sorted(bench.archive.copies) == [1, 2, 3]
    assert bench.verify() == (3, 0)


def test_a_new_process_makes_up_for_the_one_before(bench: Bench) -> None:
    bench.write("a")
    bench.trail.checkpoint()
    bench.archive.copies.clear()
    bench.start().checkpoint()
    assert sorted(bench.archive.copies) == [1]


def test_of_two_processes_one_makes_the_checkpoint(bench: Bench) -> None:
    """The other, which looked before the first wrote, finds the number taken."""
    other = bench.start()
    bench.write("a")

    def look_too_early() -> Checkpoint | None:
        return None

    bench.trail.checkpoint()
    bench.log.last_checkpoint = look_too_early  # type: ignore[method-assign]
    assert other.checkpoint() is None
    assert len(bench.log.stored) == 1
    assert bench.verify() == (1, 0)


def test_a_vault_outage_makes_no_checkpoint(bench: Bench) -> None:
    bench.write("a")
    bench.vault.down = True
    with pytest.raises(KeyVaultUnavailable):
        bench.trail.checkpoint()
    assert bench.log.stored == []
    bench.vault.down = False
    assert bench.trail.checkpoint() is not None


def test_a_checkpoint_never_names_another_key_than_signed_it() -> None:
    class RotatedMidway(MemoryVault):
        def current_key(self, name: str) -> VaultKey:
            key = super().current_key(name)
            self.rotate(name)
            return key

    bench = Bench(RotatedMidway())
    bench.write("a")
    with pytest.raises(StateConflict, match="rotated just now"):
        bench.trail.checkpoint()
    assert bench.log.stored == []


def test_the_export_is_on_record_before_its_first_event(bench: Bench) -> None:
    bench.write("a", "b")
    bench.trail.checkpoint()
    exported = bench.trail.export(AUDITOR)
    assert bench.journal.trail.kinds() == ["audit_exported"]
    kinds = [type(each) for each in exported]
    assert kinds == [Checkpoint, RecordedEvent, RecordedEvent]


def test_events_written_during_an_export_break_nothing(bench: Bench) -> None:
    bench.write("a")
    bench.trail.checkpoint()
    exported = bench.trail.export(AUDITOR)
    first = next(exported)
    bench.write("a", "b")
    bench.trail.checkpoint()
    rest = list(exported)
    assert isinstance(first, Checkpoint)
    assert not [each for each in rest if isinstance(each, Checkpoint)]
    verdict = verify_trail(
        [
            (
                name,
                [e for e in rest if isinstance(e, RecordedEvent) and e.chain == name],
            )
            for name in ("a", "b")
        ],
        inside=[first],
        outside=[first],
        is_signed=bench.is_signed,
    )
    assert verdict.findings == ()


def test_only_an_auditor_reads(bench: Bench) -> None:
    custodian = Actor(
        subject="local:custodian",
        grants=frozenset({RoleGrant.parse("custodian")}),
        expires_at=None,
    )
    bench.write("a")
    with pytest.raises(AccessDenied):
        bench.trail.export(custodian)
    with pytest.raises(AccessDenied):
        bench.trail.checkpoint_for(custodian)
    assert bench.journal.trail.kinds() == ["call_refused"] * 2
    assert bench.log.stored == []


def test_what_was_copied_before_is_not_read_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    read = bench.log.checkpoints

    def watch(*, after: int = -1) -> object:
        asked.append(after)
        return read(after=after)

    monkeypatch.setattr(bench.log, "checkpoints", watch)
    for _ in range(3):
        bench.write("a")
        bench.trail.checkpoint()
    assert asked == [0, 1, 2]


def test_a_database_that_went_back_is_not_taken_for_anchored(bench: Bench) -> None:
    """Its numbers are made again, and those outside are of other heads."""
    for _ in range(3):
        bench.write("a")
        bench.trail.checkpoint()
    outside = dict(bench.archive.copies)
    del bench.log.stored[1:]
    bench.write("b")
    with pytest.raises(AuditBroken, match="checkpoint 2 is another outside"):
        bench.trail.checkpoint()
    assert bench.archive.copies == outside
