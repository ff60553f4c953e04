"""KeyRing: which key rows are believed, how long roots are held, and races."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from pseudo_service.core.errors import (
    KeyRowRefused,
    KeyUnknown,
    KeyVaultRefused,
    KeyVaultUnavailable,
    StateConflict,
)
from pseudo_service.core.keys.material import SERVICE_OWNER, KeyRow, RootPurpose
from pseudo_service.engine.keys.key_ring import KeyRing, name_wrapping_key
from pseudo_service.ports.key_vault import Signature, VaultKey
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryVault
from tests.lib.stores.memory_projects import MemoryKeyRows, Trail
from tests.lib.stores.stored_values import make_event

PSEUDONYMS = RootPurpose.PSEUDONYMS
STABLE = RootPurpose.STABLE
LIFETIME = timedelta(hours=1)


class Bench:
    """A key ring with two projects, each with both roots."""

    def __init__(self) -> None:
        self.vault = MemoryVault()
        self.rows = MemoryKeyRows(Trail())
        self.clock = FakeClock()
        for name in ("audit", "ingest", "linkage", "project-asthma", "project-stroke"):
            self.vault.create_key(name)
        self.ring = self.open_ring()
        for owner in ("asthma", "stroke"):
            for purpose in (PSEUDONYMS, STABLE):
                self.store(self.ring.make_row(owner, purpose, version=1))
        self.vault.asked.clear()

    def open_ring(self) -> KeyRing:
        return KeyRing(
            vault=self.vault,
            rows=self.rows,
            clock=self.clock,
            entropy=SeededEntropy(f"{len(self.rows.rows)}"),
            lifetime=LIFETIME,
        )

    def store(self, row: KeyRow) -> None:
        """Store a row as a database writer can, over whatever stands there."""
        self.rows.rows[row.owner, row.purpose, row.version] = row

    def read(self, owner: str = "asthma", purpose: RootPurpose = PSEUDONYMS) -> KeyRow:
        return self.rows.rows[owner, purpose, 1]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_root_is_unwrapped_once(bench: Bench) -> None:
    roots = [bench.ring.newest("asthma", PSEUDONYMS) for _ in range(5)]
    assert all(root is roots[0] for root in roots)
    assert bench.vault.asked.count("unwrap") == 1
    assert bench.vault.asked.count("verify") == 1
    assert roots[0].check_value() == bench.read().check_value


def test_roots_of_two_projects_and_purposes_differ(bench: Bench) -> None:
    values = {
        bench.ring.newest(owner, purpose).check_value()
        for owner in ("asthma", "stroke")
        for purpose in (PSEUDONYMS, STABLE)
    }
    assert len(values) == 4


def test_a_root_is_dropped_after_its_time(bench: Bench) -> None:
    first = bench.ring.newest("asthma", PSEUDONYMS)
    bench.clock.advance(minutes=59)
    assert bench.ring.newest("asthma", PSEUDONYMS) is first
    bench.clock.advance(minutes=1)
    again = bench.ring.newest("asthma", PSEUDONYMS)
    assert again is not first
    assert again.check_value() == first.check_value()
    bench.clock.advance(hours=2)
    bench.ring.drop_expired()
    bench.vault.down = True
    with pytest.raises(KeyVaultUnavailable):
        bench.ring.newest("asthma", PSEUDONYMS)


def test_a_root_of_a_clock_that_was_ahead_is_not_held(bench: Bench) -> None:
    bench.clock.advance(days=400)
    ahead = bench.ring.newest("asthma", PSEUDONYMS)
    bench.clock.advance(days=-400)
    assert bench.ring.newest("asthma", PSEUDONYMS) is not ahead


def test_a_correction_of_the_clock_asks_the_vault_for_nothing(bench: Bench) -> None:
    held = bench.ring.newest("asthma", PSEUDONYMS)
    bench.clock.advance(seconds=-30)
    bench.vault.down = True
    assert bench.ring.newest("asthma", PSEUDONYMS) is held


def test_drop_expired_keeps_what_is_in_time(bench: Bench) -> None:
    bench.ring.newest("asthma", PSEUDONYMS)
    bench.clock.advance(minutes=30)
    bench.ring.drop_expired()
    bench.vault.down = True
    assert bench.ring.newest("asthma", PSEUDONYMS)


def test_an_outage_stops_only_whose_root_is_not_held(bench: Bench) -> None:
    held = bench.ring.newest("asthma", PSEUDONYMS)
    bench.vault.down = True
    assert bench.ring.newest("asthma", PSEUDONYMS) is held
    with pytest.raises(KeyVaultUnavailable):
        bench.ring.newest("stroke", PSEUDONYMS)
    bench.vault.down = False
    assert bench.ring.newest("stroke", PSEUDONYMS)


def test_without_a_row_there_is_no_key(bench: Bench) -> None:
    with pytest.raises(KeyUnknown, match="kidney has no pseudonyms key"):
        bench.ring.newest("kidney", PSEUDONYMS)
    with pytest.raises(KeyUnknown):
        bench.ring.get("asthma", PSEUDONYMS, 2)
    assert "wrap" not in bench.vault.asked  # nothing was made on the way


def test_a_row_copied_between_projects_is_refused(bench: Bench) -> None:
    """With the victim's vault key both projects would share all pseudonyms."""
    bench.store(replace(bench.read("stroke"), owner="asthma"))
    with pytest.raises(KeyRowRefused):
        bench.ring.newest("asthma", PSEUDONYMS)
    bench.rows.rows["asthma", PSEUDONYMS, 1] = bench.read("stroke")  # as it stands
    with pytest.raises(KeyRowRefused, match="another owner"):
        bench.ring.newest("asthma", PSEUDONYMS)
    assert "unwrap" not in bench.vault.asked


def test_a_row_copied_between_purposes_is_refused(bench: Bench) -> None:
    """Else dates would move with the pseudonym key, and rotate with it."""
    bench.rows.rows["asthma", STABLE, 1] = bench.read("asthma", PSEUDONYMS)
    with pytest.raises(KeyRowRefused):
        bench.ring.newest("asthma", STABLE)
    bench.store(replace(bench.read("asthma", PSEUDONYMS), purpose=STABLE))
    with pytest.raises(KeyRowRefused, match="signature"):
        bench.ring.newest("asthma", STABLE)


EDITS: dict[str, Callable[[KeyRow], KeyRow]] = {
    "owner": lambda r: replace(r, owner="stroke"),
    "version": lambda r: replace(r, version=2),
    "purpose": lambda r: replace(r, purpose=STABLE),
    "wrapping_key_id": lambda r: replace(r, wrapping_key_id="memory/project-stroke/1"),
    "wrapped": lambda r: replace(
        r, wrapped=r.wrapped[:-1] + bytes((r.wrapped[-1] ^ 1,))
    ),
    "check_value": lambda r: replace(r, check_value=bytes(16)),
    "created_at": lambda r: replace(r, created_at=r.created_at + timedelta(seconds=1)),
    "signing_key_id": lambda r: replace(r, signing_key_id="memory/audit/2"),
    "signature": lambda r: replace(r, signature=bytes(32)),
}


def test_every_field_is_edited() -> None:
    assert set(EDITS) == set(KeyRow.__dataclass_fields__)


@pytest.mark.parametrize("field", EDITS)
def test_an_edited_row_is_refused(field: str, bench: Bench) -> None:
    bench.vault.rotate("audit")
    edited = EDITS[field](bench.read())
    assert edited != bench.read()
    bench.rows.rows["asthma", PSEUDONYMS, edited.version] = edited
    with pytest.raises(KeyRowRefused, match="tell the security officer"):
        bench.ring.newest("asthma", PSEUDONYMS)
    assert "unwrap" not in bench.vault.asked


def test_a_row_edited_while_its_root_is_held_is_refused(bench: Bench) -> None:
    bench.ring.newest("asthma", PSEUDONYMS)
    bench.store(replace(bench.read(), check_value=bytes(16)))
    with pytest.raises(KeyRowRefused):
        bench.ring.newest("asthma", PSEUDONYMS)


def sign_with(bench: Bench, row: KeyRow, name: str) -> KeyRow:
    key = bench.vault.current_key(name)
    unsigned = replace(row, signing_key_id=key.key_id)
    signature = bench.vault.sign(name, unsigned.signed_bytes())
    return replace(unsigned, signature=signature.value)


def test_a_row_signed_by_another_key_of_the_vault_is_refused(bench: Bench) -> None:
    bench.store(sign_with(bench, bench.read(), "linkage"))
    with pytest.raises(KeyRowRefused, match="not signed by the audit key"):
        bench.ring.newest("asthma", PSEUDONYMS)


def test_a_row_of_another_vault_is_refused(bench: Bench) -> None:
    bench.store(replace(bench.read(), signing_key_id="elsewhere/audit/1"))
    with pytest.raises(KeyVaultRefused):
        bench.ring.newest("asthma", PSEUDONYMS)


def test_a_planted_row_is_refused(bench: Bench) -> None:
    """A database writer has the public key, so wrapping proves nothing."""
    planted = bench.vault.wrap("project-asthma", b"k" * 32)
    bench.store(replace(bench.read(), version=2, wrapped=planted.ciphertext))
    with pytest.raises(KeyRowRefused):
        bench.ring.newest("asthma", PSEUDONYMS)
    assert bench.ring.get("asthma", PSEUDONYMS, 1)  # the true one still opens


def test_a_row_wrapped_by_a_foreign_key_is_refused(bench: Bench) -> None:
    row = bench.ring.make_row("stroke", PSEUDONYMS, version=2)
    moved = sign_with(bench, replace(row, owner="asthma"), "audit")
    bench.store(moved)
    with pytest.raises(KeyRowRefused, match="foreign key"):
        bench.ring.newest("asthma", PSEUDONYMS)


def test_a_row_whose_check_value_is_another_keys_is_refused(bench: Bench) -> None:
    bad = sign_with(bench, replace(bench.read(), check_value=bytes(16)), "audit")
    bench.store(bad)
    with pytest.raises(KeyRowRefused, match="check value"):
        bench.ring.newest("asthma", PSEUDONYMS)


def test_rows_of_earlier_versions_of_the_audit_key_are_believed(bench: Bench) -> None:
    bench.vault.rotate("audit")
    assert bench.ring.newest("asthma", PSEUDONYMS)


class RotatedMidway(MemoryVault):
    """The audit key is rotated between two questions."""

    def current_key(self, name: str) -> VaultKey:
        key = super().current_key(name)
        if name == "audit":
            self.rotate(name)
        return key

    def sign(self, name: str, message: bytes) -> Signature:
        return super().sign(name, message)


def test_a_row_never_names_another_key_than_signed_it(bench: Bench) -> None:
    vault = RotatedMidway()
    for name in ("audit", "project-asthma"):
        vault.create_key(name)
    bench.vault = vault
    with pytest.raises(StateConflict, match="try again"):
        bench.open_ring().make_row("asthma", PSEUDONYMS, version=2)


def test_a_new_version_is_the_newest_at_once(bench: Bench) -> None:
    old = bench.ring.newest("asthma", PSEUDONYMS)
    bench.rows.add(bench.ring.make_row("asthma", PSEUDONYMS, version=2), make_event())
    new = bench.ring.newest("asthma", PSEUDONYMS)
    assert (old.version, new.version) == (1, 2)
    assert old.check_value() != new.check_value()
    assert bench.ring.get("asthma", PSEUDONYMS, 1) is old


def test_an_older_version_does_not_come_back(bench: Bench) -> None:
    """Deleting the newest row would put a key in force that was rotated away."""
    bench.rows.add(bench.ring.make_row("asthma", PSEUDONYMS, version=2), make_event())
    bench.ring.newest("asthma", PSEUDONYMS)
    del bench.rows.rows["asthma", PSEUDONYMS, 2]
    with pytest.raises(KeyRowRefused, match="version 2 was there before"):
        bench.ring.newest("asthma", PSEUDONYMS)
    assert bench.ring.get("asthma", PSEUDONYMS, 1).version == 1
    assert bench.ring.newest("asthma", STABLE).version == 1


def test_many_threads_unwrap_once(bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        roots = list(
            pool.map(lambda _: bench.ring.newest("asthma", PSEUDONYMS), range(64))
        )
    assert all(root is roots[0] for root in roots)
    assert bench.vault.asked.count("unwrap") == 1


def test_processes_that_start_at_once_have_one_service_root(bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = [
            KeyRing(
                vault=bench.vault,
                rows=bench.rows,
                clock=bench.clock,
                entropy=SeededEntropy(f"process {number}"),
                lifetime=LIFETIME,
            )
            for number in range(8)
        ]
        roots = list(
            pool.map(lambda ring: ring.ensure_service_root("p", is_new=True), rings)
        )
    assert len({root.check_value() for root in roots}) == 1
    assert len(bench.rows.versions(SERVICE_OWNER, RootPurpose.SERVICE)) == 1
    row = bench.rows.newest(SERVICE_OWNER, RootPurpose.SERVICE)
    assert row is not None
    assert row.wrapping_key_id == "memory/ingest/1"


def test_a_database_in_use_is_given_no_second_service_root(bench: Bench) -> None:
    with pytest.raises(KeyRowRefused, match="backup"):
        bench.ring.ensure_service_root("p", is_new=False)
    assert bench.rows.newest(SERVICE_OWNER, RootPurpose.SERVICE) is None


def test_no_key_shows_in_what_is_printed(bench: Bench) -> None:
    root = bench.ring.newest("asthma", PSEUDONYMS)
    shown = f"{root!r} {bench.ring!r} {bench.ring.__dict__!r} {bench.read()!r}"
    assert root.key.reveal().hex() not in shown
    assert repr(root.key.reveal())[2:-1] not in shown


def test_wrapping_keys_have_names_of_their_own() -> None:
    assert name_wrapping_key("asthma") == "project-asthma"
    assert name_wrapping_key(SERVICE_OWNER) == "ingest"
