"""Compaction keeps everyone, erasure takes out whom it must, verification finds faults."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from pseudo_service.core.access.roles import Actor
from pseudo_service.core.arrow.sorted_macs import read_prefixes
from pseudo_service.core.errors import (
    AccessDenied,
    DatabaseReplaced,
    InvalidArgument,
    PseudoError,
    RegisterCorrupt,
    StateConflict,
    StoreUnavailable,
)
from pseudo_service.core.keys.material import KeyUse
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.register.reports import (
    CompactionReport,
    ErasureReport,
    RegisterVerdict,
)
from pseudo_service.core.register.segments import RegisterFault, RegisterFaultKind
from pseudo_service.engine.disclosures.reader import DisclosureReader
from pseudo_service.engine.register import opening
from pseudo_service.engine.register.opening import RegisterGrant
from tests.lib.harnesses.register_maintenance import (
    CUSTODIAN,
    MRN,
    NHS,
    PROJECT,
    ROOT,
    MaintainedRegister,
    cared,
    hash_blindly,
    identify,
)
from tests.lib.stores.stored_values import make_event
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NUMBERS = make_numbers(70_000, 12)
LOCAL = ["RX1", "RX22", "RX333"]
UNLIMITED = 1_000_000


def compact(cared: MaintainedRegister) -> CompactionReport:
    *_, report = cared.maintenance.compact(reason="maintenance", actor=CUSTODIAN)
    assert isinstance(report, CompactionReport)
    return report


def verify(cared: MaintainedRegister) -> RegisterVerdict:
    *_, verdict = cared.maintenance.verify(CUSTODIAN)
    assert isinstance(verdict, RegisterVerdict)
    return verdict


def erase(cared: MaintainedRegister, identifiers: Sequence[str]) -> ErasureReport:
    return cared.maintenance.erase(
        identifiers, kind="nhs_number", order="DPO-2026-17", actor=CUSTODIAN
    )


def fill(cared: MaintainedRegister) -> list[tuple[str, str]]:
    """Register people as single calls and tables would; return each once."""
    for number in NUMBERS[:4]:
        cared.add([number])
    cared.add(NUMBERS[3:])  # one of them for the second time
    cared.add(LOCAL, MRN)
    return sorted(
        [("nhs_number", number) for number in NUMBERS]
        + [("mrn@RXH", local) for local in LOCAL]
    )


def read_members(cared: MaintainedRegister) -> dict[int, int]:
    """Return how many operations released each prefix."""
    opened = cared.opening.open(RegisterGrant(operation="test"))
    reader = DisclosureReader(disclosures=cared.disclosures, service_root=ROOT)
    found: dict[int, int] = {}
    for _, members in reader.read(opened, project=PROJECT, kind=NHS.text):
        found |= dict(
            zip(members.prefixes.tolist(), members.operations.tolist(), strict=True)
        )
    return found


def prefixes_of(texts: Sequence[str]) -> list[int]:
    return read_prefixes(hash_blindly(texts)).tolist()


def test_compaction_keeps_everyone_once(cared: MaintainedRegister) -> None:
    everyone = fill(cared)
    cared.clock.advance(hours=13)
    report = compact(cared)
    assert cared.read() == everyone
    assert (report.segments_before, report.segments_after) == (6, 2)
    assert (report.data_keys_before, report.data_keys_after) == (6, 1)
    assert (report.identities, report.faults) == (15, ())
    assert (cared.count_segments(), cared.count_data_keys()) == (2, 1)


def test_compacting_again_changes_nobody(cared: MaintainedRegister) -> None:
    everyone = fill(cared)
    compact(cared)
    cared.clock.advance(hours=13)
    assert compact(cared).segments_after == 2
    assert cared.read() == everyone
    assert cared.count_data_keys() == 1


def test_a_young_data_key_stays(cared: MaintainedRegister) -> None:
    fill(cared)
    assert compact(cared).data_keys_after == 7
    cared.clock.advance(hours=13)
    assert compact(cared).data_keys_after == 1


def test_who_was_known_is_known_after_compaction(cared: MaintainedRegister) -> None:
    fill(cared)
    known = cared.load_known()
    compact(cared)
    known.load()
    for process in (known, cared.load_known()):
        claim = process.claim(NHS.text, hash_blindly(NUMBERS))
        assert not claim.new.any()


def test_a_compaction_that_is_cut_off_loses_nobody(
    cared: MaintainedRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "PAGE_IDENTITIES", 3)
    everyone = fill(cared)
    run = cared.maintenance.compact(reason="maintenance", actor=CUSTODIAN)
    next(run)
    run.close()
    assert set(cared.read()) == set(everyone)
    assert cared.list_events("register_rewritten")
    assert not cared.list_events("register_compacted")
    compact(cared)
    assert cared.read() == everyone


def test_a_commit_that_fails_between_pages_loses_nobody(
    cared: MaintainedRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "PAGE_IDENTITIES", 3)
    everyone = fill(cared)
    replace_segments, calls = cared.keeper.replace_segments, []

    def fail_at_the_second(**change: Any) -> None:
        calls.append(change)
        if len(calls) == 2:
            msg = "gone"
            raise StoreUnavailable(msg)
        replace_segments(**change)

    monkeypatch.setattr(cared.keeper, "replace_segments", fail_at_the_second)
    with pytest.raises(StoreUnavailable):
        compact(cared)
    assert set(cared.read()) == set(everyone)


def test_whom_ingestion_adds_meanwhile_is_kept(
    cared: MaintainedRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "PAGE_IDENTITIES", 3)
    everyone = fill(cared)
    newcomers = make_numbers(71_000, 6)
    left = list(newcomers)
    for _ in cared.maintenance.compact(reason="maintenance", actor=CUSTODIAN):
        if left:
            cared.add([left.pop()])
    while left:
        cared.add([left.pop()])
    assert cared.read() == sorted(everyone + [("nhs_number", one) for one in newcomers])


def test_two_compactions_at_once_lose_nobody(
    cared: MaintainedRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = fill(cared)
    replace_segments, raced = cared.keeper.replace_segments, []

    def race(**change: Any) -> None:
        if not raced:
            raced.append(True)
            compact(cared)  # the other one is quicker
        replace_segments(**change)

    monkeypatch.setattr(cared.keeper, "replace_segments", race)
    with pytest.raises(StateConflict):
        compact(cared)
    assert cared.read() == everyone


def test_what_disagrees_is_left_as_it_is_and_named(cared: MaintainedRegister) -> None:
    fill(cared)
    where = cared.add(make_numbers(72_000, 3))
    cared.edit("segment", where, sealed=b"edited")
    report = compact(cared)
    fault = RegisterFault(fault=RegisterFaultKind.SEGMENT_MAC, where=where)
    assert report.faults == (fault,)
    assert report.segments_after == 3
    stored = {one.segment.segment_id for one in cared.register.read_segments(after=0)}
    assert where in stored


def test_disclosures_are_merged_and_counted(cared: MaintainedRegister) -> None:
    fill(cared)
    cared.release(NUMBERS[:3], "operation-1")
    cared.release(NUMBERS[3:5], "operation-1")
    cared.release(NUMBERS[2:4], "operation-2")
    report = compact(cared)
    assert (report.disclosures_before, report.disclosures_after) == (3, 1)
    counts = [1, 1, 2, 2, 1]
    assert read_members(cared) == dict(
        zip(prefixes_of(NUMBERS[:5]), counts, strict=True)
    )


def test_a_sound_register_verifies(cared: MaintainedRegister) -> None:
    fill(cared)
    cared.release(NUMBERS, "operation-1")
    verdict = verify(cared)
    assert verdict == RegisterVerdict(
        segments=6,
        identities=16,
        distinct_identities=15,
        data_keys=7,
        disclosures=1,
        faults=(),
    )


def test_verification_names_every_fault(cared: MaintainedRegister) -> None:
    fill(cared)
    edited, shut = cared.add(NUMBERS[:2]), cared.add(NUMBERS[2:4])
    member, lost = cared.release(NUMBERS, "one"), cared.release(NUMBERS, "two")
    keys = {
        one.segment.segment_id: one.segment.data_key_id
        for one in cared.register.read_segments(after=0)
    } | {
        one.disclosure_id: one.data_key_id
        for one in cared.disclosures.read(project=None)
    }
    cared.edit("segment", edited, mac=bytes(32))
    cared.edit("data_key", keys[shut], wrapped=b"x" * 48)
    cared.edit("disclosure", member, count=1)
    cared.edit("data_key", keys[lost], wrapped=b"x" * 48)
    found = {(fault.fault.value, fault.where) for fault in verify(cared).faults}
    assert found == {
        ("segment_mac", edited),
        ("data_key_does_not_open", keys[shut]),
        ("segment_does_not_open", shut),
        ("membership_mac", member),
        ("data_key_does_not_open", keys[lost]),
        ("membership_does_not_open", lost),
    }


def test_the_erased_are_gone_and_the_others_are_not(cared: MaintainedRegister) -> None:
    everyone = fill(cared)
    cared.release(NUMBERS, "operation-1")
    gone = [NUMBERS[3], NUMBERS[9]]
    stranger = make_numbers(73_000, 1)
    report = erase(cared, [*gone, *stranger, gone[0]])
    assert report == ErasureReport(erased=2, not_registered=1)
    expected = [one for one in everyone if one[1] not in gone]
    assert sorted(set(cared.read())) == expected
    left = prefixes_of([number for number in NUMBERS if number not in gone])
    assert sorted(read_members(cared)) == sorted(left)
    assert not verify(cared).faults
    assert erase(cared, gone) == ErasureReport(erased=0, not_registered=2)


def test_a_disclosure_of_the_erased_alone_goes(cared: MaintainedRegister) -> None:
    fill(cared)
    cared.release(NUMBERS[:1], "operation-1")
    erase(cared, NUMBERS[:1])
    assert list(cared.disclosures.read(project=None)) == []


def test_who_comes_again_is_registered_again(cared: MaintainedRegister) -> None:
    fill(cared)
    known = cared.load_known()
    batch_commit = cared.make_batch_commit(known)
    erase(cared, NUMBERS[:1])
    entry = batch_commit.submit(make_event(), [identify(NUMBERS[:2])], limit=UNLIMITED)
    with pytest.raises(DatabaseReplaced):
        batch_commit.wait(entry)
    again = batch_commit.submit(make_event(), [identify(NUMBERS[:2])], limit=UNLIMITED)
    batch_commit.wait(again)
    assert again.new == 1
    assert ("nhs_number", NUMBERS[0]) in cared.read()


def test_an_erasure_that_cannot_look_everywhere_says_so(
    cared: MaintainedRegister,
) -> None:
    fill(cared)
    where = cared.add(NUMBERS[5:7])
    cared.edit("segment", where, mac=bytes(32))
    with pytest.raises(RegisterCorrupt, match="1 people were erased, but 1 parts"):
        erase(cared, NUMBERS[5:6])
    sealed = {one.segment.segment_id for one in cared.register.read_segments(after=0)}
    assert where in sealed


@pytest.mark.parametrize(
    ("identifiers", "order"),
    [
        ([], "DPO-1"),
        (NUMBERS[:1] * 1001, "DPO-1"),
        ([NUMBERS[0], "999 000 0000"], "DPO-1"),
        (NUMBERS[:1], " "),
        (NUMBERS[:1], f"about {NUMBERS[0]}"),
    ],
)
def test_an_unclear_erasure_erases_nobody(
    cared: MaintainedRegister, identifiers: list[str], order: str
) -> None:
    everyone = fill(cared)
    with pytest.raises(InvalidArgument) as refused:
        cared.maintenance.erase(
            identifiers, kind="nhs_number", order=order, actor=CUSTODIAN
        )
    assert NUMBERS[0] not in refused.value.message
    assert set(cared.read()) == set(everyone)
    assert not cared.list_events("identities_erase_intent")


def test_only_custodians_maintain(cared: MaintainedRegister) -> None:
    nobody = Actor(subject="nobody", grants=frozenset(), expires_at=None)
    attempts = [
        lambda: cared.maintenance.verify(nobody),
        lambda: cared.maintenance.compact(reason="maintenance", actor=nobody),
        lambda: cared.maintenance.erase(
            NUMBERS[:1], kind="nhs_number", order="DPO-1", actor=nobody
        ),
    ]
    for attempt in attempts:
        with pytest.raises(AccessDenied):
            attempt()
    assert len(cared.list_events("call_refused")) == 3


def test_intent_and_outcome_are_on_record_without_identifiers(
    cared: MaintainedRegister,
) -> None:
    fill(cared)
    verify(cared)
    compact(cared)
    erase(cared, NUMBERS[:2])
    kinds = (
        ("register_verify_intent", "register_verified"),
        ("register_compact_intent", "register_compacted"),
        ("identities_erase_intent", "identities_erased"),
    )
    for intent, outcome in kinds:
        first = json.loads(cared.list_events(intent)[0])
        (told,) = cared.list_events(outcome)
        last = json.loads(told)
        assert first["operation"] == last["operation"] is not None
    whole = "".join(
        event for pair in kinds for kind in pair for event in cared.list_events(kind)
    )
    assert not any(number in whole for number in NUMBERS)
    (named,) = cared.list_events("identities_erase_intent")
    codes = json.loads(named)["details"]["subjects"].split(",")
    assert codes == [_code(number) for number in NUMBERS[:2]]


def _code(number: str) -> str:
    key = ROOT.derive(KeyUse.SUBJECT_CODE, NHS.text)
    return KeyedHash(key, NHS).mac_one(number).hex()


def test_the_register_opens_only_after_its_intent(
    cared: MaintainedRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(cared)

    def refuse(event: object) -> None:
        msg = "no event"
        raise StoreUnavailable(msg)

    monkeypatch.setattr(cared.journal, "record", refuse)
    before = cared.vault.asked.count("unwrap")
    for attempt in (verify, compact, lambda one: erase(one, NUMBERS[:1])):
        with pytest.raises(PseudoError):
            attempt(cared)
    assert cared.vault.asked.count("unwrap") == before
