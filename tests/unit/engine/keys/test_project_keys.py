"""The keys that a stream derives from the roots it pins."""

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest

from pseudo_service.core.errors import KeyUnknown
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose, SecretKey
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.keys.project_keys import ProjectKeys
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.stores.memory import MemoryVault
from tests.lib.stores.memory_projects import MemoryKeyRows, Trail
from tests.lib.stores.stored_values import make_project

SERVICE_ROOT = Root(
    owner="_service", version=1, purpose=RootPurpose.SERVICE, key=SecretKey(b"s" * 32)
)
PROJECT = make_project("asthma")
NHS, MRN = map(IdentifierKind.parse, ("nhs_number", "mrn@RXH"))
NUMBER = "9990441537"


class Harness:
    def __init__(self) -> None:
        vault, self.rows, self.clock = (
            MemoryVault(),
            MemoryKeyRows(Trail()),
            FakeClock(),
        )
        for name in ("audit", "project-asthma"):
            vault.create_key(name)
        self.ring = KeyRing(
            vault=vault,
            rows=self.rows,
            clock=self.clock,
            entropy=SeededEntropy(),
            lifetime=timedelta(hours=1),
        )
        self.keys = ProjectKeys(key_ring=self.ring, service_root=SERVICE_ROOT)

    def add(self, version: int, purpose: RootPurpose = RootPurpose.PSEUDONYMS) -> None:
        row = self.ring.make_row("asthma", purpose, version=KeyVersion(version))
        self.rows.rows[row.owner, row.purpose, row.version] = row


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.add(1)
    made.add(1, RootPurpose.STABLE)
    return made


def test_the_newest_pseudonym_root_is_pinned(harness: Harness) -> None:
    before = harness.keys.pin(PROJECT)
    harness.add(2)
    after = harness.keys.pin(PROJECT)
    assert (before.pseudonyms.version, after.pseudonyms.version) == (1, 2)
    assert after.stable == before.stable
    assert after.previous is None
    assert after.check_values() != before.check_values()


def test_a_project_without_a_root_has_no_keys() -> None:
    with pytest.raises(KeyUnknown):
        Harness().keys.pin(PROJECT)


@pytest.mark.parametrize(
    ("versions", "window", "expected"),
    [(1, 1, None), (2, None, None), (2, -1, None), (2, 0, None), (2, 1, 1), (3, 1, 2)],
)
def test_the_version_before_is_pinned_while_the_window_is_open(
    harness: Harness, versions: int, window: int | None, expected: int | None
) -> None:
    for version in range(2, versions + 1):
        harness.add(version)
    now = harness.clock.now()
    until = None if window is None else now + timedelta(days=window)
    project = replace(PROJECT, overlap_until=until)
    roots = harness.keys.pin_previous(project, harness.keys.pin(project), now)
    found = roots.previous.version if roots.previous else None
    assert found == expected


def test_every_use_and_kind_has_a_key_of_its_own(harness: Harness) -> None:
    harness.add(2)
    roots = harness.keys.pin(PROJECT)
    previous = harness.ring.get("asthma", RootPurpose.PSEUDONYMS, KeyVersion(1))
    derived = harness.keys.derive(
        PROJECT, replace(roots, previous=previous), [NHS, MRN]
    )
    assert set(derived) == {"nhs_number", "mrn@RXH"}
    macs = set()
    for keys in derived.values():
        assert keys.previous is not None
        hashes = (keys.pseudonym, keys.date, keys.surrogate, keys.blind)
        macs |= {each.mac_one(NUMBER) for each in hashes}
        macs.add(keys.previous.pseudonym.mac_one(NUMBER))
        assert (keys.form.version, keys.previous.form.version) == (2, 1)
    assert len(macs) == 10


def test_the_keys_are_those_of_the_roots(harness: Harness) -> None:
    roots = harness.keys.pin(PROJECT)
    keys = harness.keys.derive(PROJECT, roots, [NHS])["nhs_number"]
    expected = {
        "pseudonym": (roots.pseudonyms, KeyUse.PSEUDONYM),
        "date": (roots.stable, KeyUse.DATE_SHIFT),
        "surrogate": (roots.stable, KeyUse.SURROGATE),
        "blind": (SERVICE_ROOT, KeyUse.BLIND_INDEX),
    }
    column = pa.array([NUMBER])
    for name, (root, use) in expected.items():
        mac = KeyedHash(root.derive(use, "nhs_number"), NHS).mac_one(NUMBER)
        assert getattr(keys, name).mac(column).tobytes() == mac
    assert keys.previous is None
    assert harness.keys.hash_blindly(NHS).mac_one(NUMBER) == keys.blind.mac_one(NUMBER)
