"""The register opens once a grant, and what was edited does not come out."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.errors import (
    GrantSpent,
    KeyVaultRefused,
    KeyVaultUnavailable,
    RegisterCorrupt,
)
from pseudo_service.core.keys.material import KeyUse, SecretKey
from pseudo_service.core.register.packed_identities import pack_identities
from pseudo_service.core.register.segments import (
    RegisterFault,
    RegisterFaultKind,
    Segment,
    check_segment,
    seal_segment,
)
from pseudo_service.engine.register import opening
from pseudo_service.engine.register.opening import RegisterGrant, RegisterScan
from pseudo_service.ports.journal import BatchChange
from tests.lib.harnesses.register_maintenance import (
    CUSTODIAN,
    MRN,
    NHS,
    ROOT,
    MaintainedRegister,
    cared,
    hash_blindly,
)
from tests.lib.stores.stored_values import make_event
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NUMBERS = make_numbers(60_000, 9)
LOCAL = ["RX1", "RX22", "a-longer-one"]


def scan_all(cared: MaintainedRegister) -> tuple[list[str], RegisterScan]:
    scan = cared.opening.scan(RegisterGrant(operation="test"))
    return [text for page in scan for text in page.canonical.to_pylist()], scan


def test_everyone_comes_out_with_their_blind_index(cared: MaintainedRegister) -> None:
    for number in NUMBERS[:5]:
        cared.add([number])
    cared.add(NUMBERS[5:])
    cared.add(LOCAL, MRN)
    found = {}
    scan = cared.opening.scan(RegisterGrant(operation="test"))
    for page in scan:
        texts = page.canonical.to_pylist()
        assert page.blind.tobytes() == hash_blindly(texts, _KINDS[page.kind]).tobytes()
        found[page.kind] = sorted(texts)
    assert found == {"nhs_number": sorted(NUMBERS), "mrn@RXH": sorted(LOCAL)}
    assert (scan.segments, scan.identities, scan.faults) == (7, 12, [])


_KINDS = {"nhs_number": NHS, "mrn@RXH": MRN}


def test_only_the_kind_asked_for_is_opened(cared: MaintainedRegister) -> None:
    cared.add(NUMBERS)
    cared.add(LOCAL, MRN)
    scan = cared.opening.scan(RegisterGrant(operation="test"), kind=MRN)
    assert [page.canonical.to_pylist() for page in scan] == [LOCAL]


def test_pages_are_bounded_and_complete(
    cared: MaintainedRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "PAGE_IDENTITIES", 2)
    for number in NUMBERS:
        cared.add([number])
    scan = cared.opening.scan(RegisterGrant(operation="test"))
    assert [len(page.canonical) for page in scan] == [2, 2, 2, 2, 1]


def test_a_grant_opens_once(cared: MaintainedRegister) -> None:
    grant = RegisterGrant(operation="test")
    cared.opening.open(grant)
    with pytest.raises(GrantSpent):
        cared.opening.scan(grant)


EDITS = {
    "kind": {"kind": "chi_number"},
    "count": {"count": 8},
    "nonce": {"nonce": bytes(12)},
    "sealed": {"sealed": bytes(300)},
    "blind index": {"blind_index": bytes(16 * 9)},
    "mac": {"mac": bytes(32)},
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_segment_stays_shut(
    cared: MaintainedRegister, edit: dict[str, object]
) -> None:
    where = cared.add(NUMBERS)
    cared.add(LOCAL, MRN)
    cared.edit("segment", where, **edit)
    found, scan = scan_all(cared)
    assert found == LOCAL
    assert scan.faults == [
        RegisterFault(fault=RegisterFaultKind.SEGMENT_MAC, where=where)
    ]


@pytest.mark.parametrize("name", ["segment_id", "data_key_id"])
def test_a_segment_under_another_name_stays_shut(
    cared: MaintainedRegister, name: str
) -> None:
    where = cared.add(NUMBERS)
    cared.add(LOCAL, MRN)
    other = next(iter(cared.register.read_data_keys())).data_key_id
    stored = {one.segment.segment_id: one.segment for one in _read(cared)}
    if other == stored[where].data_key_id:
        other = next(
            row.data_key_id
            for row in cared.register.read_data_keys()
            if row.data_key_id != other
        )
    cared.edit("segment", where, **{name: other})
    found, scan = scan_all(cared)
    assert found == LOCAL
    assert [fault.fault for fault in scan.faults] == [RegisterFaultKind.SEGMENT_MAC]


def _read(cared: MaintainedRegister):
    return cared.register.read_segments(after=0)


def plant(cared: MaintainedRegister, texts: list[str], **changed: object) -> Segment:
    """Commit a segment with a true MAC whose sealed part or index is another's."""
    writer = cared.make_writer()
    held = writer._data_keys.current()
    values = {
        "blind_index": hash_blindly(texts),
        "data_key": held.key,
        **changed,
    }
    segment = seal_segment(
        pack_identities(pa.array(texts)),
        segment_id="planted",
        kind=NHS.text,
        data_key_id=held.row.data_key_id,
        mac_key=ROOT.derive(KeyUse.SEGMENT_MAC),
        nonce=bytes(12),
        **values,
    )
    cared.journal.submit(
        BatchChange(event=make_event(), data_keys=[held.row], segments=[segment])
    ).wait()
    return segment


def test_an_identity_under_anothers_index_is_left_out(
    cared: MaintainedRegister,
) -> None:
    index = hash_blindly(NUMBERS)
    index[[2, 5]] = index[[5, 2]]
    plant(cared, NUMBERS, blind_index=index)
    found, scan = scan_all(cared)
    assert found == [text for at, text in enumerate(NUMBERS) if at not in {2, 5}]
    fault = RegisterFaultKind.BLIND_INDEX_DISAGREES
    assert scan.faults == [RegisterFault(fault=fault, where="planted")]


def test_what_another_key_sealed_does_not_open(cared: MaintainedRegister) -> None:
    plant(cared, NUMBERS, data_key=SecretKey(b"x" * 32))
    found, scan = scan_all(cared)
    assert not found
    fault = RegisterFaultKind.SEGMENT_DOES_NOT_OPEN
    assert scan.faults == [RegisterFault(fault=fault, where="planted")]


def test_a_count_that_does_not_fit_is_a_fault(cared: MaintainedRegister) -> None:
    plant(cared, NUMBERS[:3], blind_index=hash_blindly(NUMBERS[:2]))
    cared.add(NUMBERS[3:])
    found, scan = scan_all(cared)
    assert found == NUMBERS[3:]
    fault = RegisterFaultKind.SEGMENT_DOES_NOT_OPEN
    assert scan.faults == [RegisterFault(fault=fault, where="planted")]


@pytest.mark.parametrize(
    "edit", [{"wrapped": b"x" * 48}, {"wrapping_key_id": "memory/ingest/1"}]
)
def test_a_data_key_that_does_not_open_is_named(
    cared: MaintainedRegister, edit: dict[str, object]
) -> None:
    cared.vault.create_key("ingest")
    where = cared.add(NUMBERS)
    cared.add(LOCAL, MRN)
    stored = {one.segment.segment_id: one.segment for one in _read(cared)}
    data_key = stored[where].data_key_id
    cared.edit("data_key", data_key, **edit)
    found, scan = scan_all(cared)
    assert found == LOCAL
    assert scan.faults == [
        RegisterFault(fault=RegisterFaultKind.DATA_KEY_DOES_NOT_OPEN, where=data_key),
        RegisterFault(fault=RegisterFaultKind.SEGMENT_DOES_NOT_OPEN, where=where),
    ]


def test_who_may_unwrap_nothing_is_told_so(cared: MaintainedRegister) -> None:
    where = cared.add(NUMBERS)
    stored = {one.segment.segment_id: one.segment for one in _read(cared)}
    cared.edit("data_key", stored[where].data_key_id, wrapped=b"x" * 48)
    with pytest.raises(KeyVaultRefused):
        cared.opening.open(RegisterGrant(operation="test"))
    opened = cared.opening.open(RegisterGrant(operation="test"), tolerate_refusals=True)
    assert len(opened.faults) == 1


def test_an_outage_of_the_vault_is_no_fault_of_the_register(
    cared: MaintainedRegister,
) -> None:
    cared.add(NUMBERS)
    cared.vault.down = True
    with pytest.raises(KeyVaultUnavailable):
        cared.opening.open(RegisterGrant(operation="test"))


def test_the_check_alone_tells_every_edit(cared: MaintainedRegister) -> None:
    cared.add(NUMBERS)
    segment = next(iter(_read(cared))).segment
    mac_key = ROOT.derive(KeyUse.SEGMENT_MAC)
    check_segment(segment, mac_key)
    for edit in EDITS.values():
        with pytest.raises(RegisterCorrupt):
            check_segment(replace(segment, **edit), mac_key)


def test_nothing_of_the_register_is_shown(cared: MaintainedRegister) -> None:
    cared.add(NUMBERS)
    opened = cared.opening.open(RegisterGrant(operation="test"))
    page = next(opened.scan())
    assert not any(number in repr([opened, page]) for number in NUMBERS)
    assert np.array_equal(page.owner, np.zeros(9, np.int64))


def test_who_moves_under_a_new_data_key_meanwhile_is_still_read(
    cared: MaintainedRegister,
) -> None:
    for number in NUMBERS:
        cared.add([number])
    cared.release(NUMBERS[:2], "operation-1")
    opened = cared.opening.open(RegisterGrant(operation="test"))
    list(cared.maintenance.compact(reason="weekly", actor=CUSTODIAN))
    scan = opened.scan()
    found = [text for page in scan for text in page.canonical.to_pylist()]
    assert sorted(found) == sorted(NUMBERS)
    assert scan.faults == []
    (disclosure,) = cared.disclosures.read(project=None)
    assert opened.data_key(disclosure.data_key_id) is not None
