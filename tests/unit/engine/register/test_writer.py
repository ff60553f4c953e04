"""What is sealed for the linkage identity, with the row of its data key."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.disclosures.disclosure import DisclosedPeople, DisclosureUse
from pseudo_service.core.disclosures.sealing import check_disclosure, open_disclosure
from pseudo_service.core.errors import KeyVaultUnavailable, RegisterCorrupt
from pseudo_service.core.ids import KeyVersion, OperationId, ProjectId
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose, SecretKey
from pseudo_service.core.register.segments import DataKeyRow, Segment, check_segment
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.harnesses.register_writers import make_register_writer
from tests.lib.stores.memory import MemoryVault
from tests.lib.stores.opened_segments import open_segment

ROOT = Root(
    owner="_service",
    version=1,
    purpose=RootPurpose.SERVICE,
    key=SecretKey(b"s" * 32),
)
SEGMENT_KEY = ROOT.derive(KeyUse.SEGMENT_MAC)
DISCLOSURE_KEY = ROOT.derive(KeyUse.DISCLOSURE_MAC)
NUMBERS = ["9990441537", "9990000018", "9990000026"]
BLIND = np.arange(48, dtype=np.uint8).reshape(3, 16)


class Harness:
    def __init__(self) -> None:
        self.vault = MemoryVault()
        self.vault.create_key("linkage")
        self.clock = FakeClock()
        self.writer = make_register_writer(
            vault=self.vault,
            clock=self.clock,
            entropy=SeededEntropy(),
            service_root=ROOT,
        )

    def seal(self) -> tuple[DataKeyRow, Segment]:
        return self.writer.seal(pa.array(NUMBERS), blind=BLIND, kind="nhs_number")

    def unwrap(self, row: DataKeyRow) -> SecretKey:
        wrapped = Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
        return SecretKey(self.vault.unwrap(wrapped))


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_a_segment_opens_with_the_unwrapped_data_key(harness: Harness) -> None:
    row, segment = harness.seal()
    check_segment(segment, SEGMENT_KEY)
    opened = open_segment(segment, harness.unwrap(row))
    assert [text.decode() for text in opened] == NUMBERS
    assert segment.blind_index == BLIND.tobytes()
    stored = f"{segment.sealed!r}{segment.blind_index!r}{row!r}"
    assert not [number for number in NUMBERS if number in stored]


def test_a_disclosure_opens_with_the_unwrapped_data_key(harness: Harness) -> None:
    at = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    people = DisclosedPeople.of_one_operation(np.array([3, 9], np.uint64), at)
    row, sealed = harness.writer.seal_members(
        people,
        project=ProjectId("asthma"),
        kind="nhs_number",
        use=DisclosureUse.DATES,
        key_version=KeyVersion(2),
        operation=OperationId("run-1"),
    )
    check_disclosure(sealed, DISCLOSURE_KEY)
    with pytest.raises(RegisterCorrupt):
        check_disclosure(sealed, SEGMENT_KEY)
    opened = open_disclosure(sealed, harness.unwrap(row))
    assert opened.prefixes.tolist() == [3, 9]
    stated = (sealed.project, sealed.use, sealed.key_version, sealed.operation)
    assert stated == ("asthma", DisclosureUse.DATES, 2, "run-1")
    assert sealed.recorded_at == harness.clock.now()
    assert sealed.data_key_id == row.data_key_id


def test_no_nonce_and_no_id_comes_twice(harness: Harness) -> None:
    segments = [harness.seal()[1] for _ in range(50)]
    assert len({segment.nonce for segment in segments}) == 50
    assert len({segment.segment_id for segment in segments}) == 50
    assert len({segment.sealed for segment in segments}) == 50


def test_a_prepared_writer_needs_no_vault(harness: Harness) -> None:
    harness.writer.prepare()
    harness.vault.down = True
    assert harness.seal()[1].count == 3


def test_an_unprepared_writer_tells_of_an_outage(harness: Harness) -> None:
    harness.vault.down = True
    with pytest.raises(KeyVaultUnavailable):
        harness.writer.prepare()
    with pytest.raises(KeyVaultUnavailable):
        harness.seal()


def test_an_empty_blind_index_seals_nobody(harness: Harness) -> None:
    row, segment = harness.writer.seal(
        pa.array([], pa.string()), blind=BLIND[:0], kind="nhs_number"
    )
    assert segment.count == 0
    assert open_segment(segment, harness.unwrap(row)) == []
