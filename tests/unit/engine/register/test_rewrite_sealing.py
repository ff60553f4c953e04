"""What maintenance rewrites is sealed under one key, made when it is first needed."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.disclosures.disclosure import (
    NO_OPERATION,
    DisclosedPeople,
    DisclosureUse,
)
from pseudo_service.core.disclosures.sealing import check_disclosure
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose, SecretKey
from pseudo_service.core.register.segments import Segment, check_segment
from pseudo_service.engine.register.rewrite_sealing import RewriteSealer
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.harnesses.register_writers import make_register_writer
from tests.lib.stores.memory import MemoryVault

ROOT = Root(
    owner="_service",
    version=1,
    purpose=RootPurpose.SERVICE,
    key=SecretKey(b"s" * 32),
)
BLIND = np.arange(16, dtype=np.uint8).reshape(1, 16)
PEOPLE = DisclosedPeople.of_one_operation(
    np.array([3, 9], np.uint64), datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
)


class Harness:
    def __init__(self) -> None:
        self.vault = MemoryVault()
        self.vault.create_key("linkage")
        self.clock = FakeClock()
        self.sealer = RewriteSealer(
            vault=self.vault,
            clock=self.clock,
            entropy=SeededEntropy(),
            service_root=ROOT,
        )

    def seal(self) -> Segment:
        return self.sealer.seal(pa.array(["9990441537"]), BLIND, kind="nhs_number")


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_a_run_that_seals_nothing_makes_no_key(harness: Harness) -> None:
    assert harness.sealer.rows == []
    assert not harness.sealer.owns("any")
    assert "wrap" not in harness.vault.asked


def test_all_that_a_run_seals_is_under_its_own_key(harness: Harness) -> None:
    first = harness.seal()
    harness.clock.advance(days=30)
    second = harness.seal()
    check_segment(first, ROOT.derive(KeyUse.SEGMENT_MAC))
    assert first.data_key_id == second.data_key_id
    assert [row.data_key_id for row in harness.sealer.rows] == [first.data_key_id]
    assert harness.sealer.owns(first.data_key_id)
    assert not harness.sealer.owns("another")


def test_a_rewritten_disclosure_is_of_the_same_release(harness: Harness) -> None:
    writer = make_register_writer(
        vault=harness.vault,
        clock=harness.clock,
        entropy=SeededEntropy("ingestion"),
        service_root=ROOT,
    )
    _, old = writer.seal_members(
        PEOPLE,
        project=ProjectId("asthma"),
        kind="mrn@RXH",
        use=DisclosureUse.DATES,
        key_version=KeyVersion(4),
        operation=OperationId("run-1"),
    )
    new = harness.sealer.seal_members(PEOPLE, like=old, operation=NO_OPERATION)
    check_disclosure(new, ROOT.derive(KeyUse.DISCLOSURE_MAC))
    kept = ("project", "kind", "use", "key_version", "count")
    assert [getattr(new, name) for name in kept] == [
        getattr(old, name) for name in kept
    ]
    assert new.operation == NO_OPERATION
    assert new.disclosure_id != old.disclosure_id
    assert harness.sealer.owns(new.data_key_id)
    assert not harness.sealer.owns(old.data_key_id)
