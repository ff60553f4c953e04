"""What a translation leaves in its target project: disclosures and new numbers."""

import pyarrow as pa
import pytest

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys.material import KeyUse
from pseudo_service.core.linkage.request import LinkageRequest, LinkageVerb
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.linkage.translation_record import Translated
from pseudo_service.ports.journal import BatchChange
from tests.lib.harnesses.linkage_fakes import NHS, NUMBERS, LinkageHarness
from tests.lib.values.linkage_requests import build_request

REQUEST = build_request(verb=LinkageVerb.TRANSLATE, target_project="stroke")
LOCAL = IdentifierKind.parse("mrn@RXH")


@pytest.fixture
def harness() -> LinkageHarness:
    return LinkageHarness()


def person(
    number: str, *, kind: IdentifierKind = NHS, is_moved: bool = False
) -> Translated:
    return Translated(kind=kind, canonical=number, is_moved=is_moved)


def record(
    harness: LinkageHarness, *people: Translated, request: LinkageRequest = REQUEST
) -> BatchChange:
    before = len(harness.journal.changes)
    harness.translations.record(request, people, key_version=3)
    (change,) = harness.journal.changes[before:]
    return change


def test_nobody_leaves_no_record(harness: LinkageHarness) -> None:
    harness.translations.record(REQUEST, [], key_version=3)
    assert harness.journal.changes == []


def test_people_are_recorded_in_the_target_by_kind(harness: LinkageHarness) -> None:
    change = record(harness, person(NUMBERS[0]), person("A1", kind=LOCAL))
    assert change.event.kind is AuditKind.DISCLOSURE_RECORDED
    assert (change.event.project, change.event.actor) == ("stroke", "ben")
    assert change.event.operation == REQUEST.request_id
    assert change.event.details["people"] == 2
    assert {one.kind for one in change.disclosures} == {"nhs_number", "mrn@RXH"}
    assert {one.project for one in change.disclosures} == {"stroke"}
    assert {one.key_version for one in change.disclosures} == {3}
    assert change.segments == []


def test_one_number_twice_is_one_person(harness: LinkageHarness) -> None:
    change = record(harness, person(NUMBERS[0]), person(NUMBERS[0]))
    (disclosed,) = change.disclosures
    assert disclosed.count == 1


def test_a_number_that_is_new_to_the_register_is_registered(
    harness: LinkageHarness,
) -> None:
    moved = person("9990000069", is_moved=True)
    change = record(harness, person(NUMBERS[0]), moved)
    (segment,) = change.segments
    assert (segment.kind, segment.count) == ("nhs_number", 1)
    key = harness.root.derive(KeyUse.BLIND_INDEX, NHS.text)
    (index,) = KeyedHash(key, NHS).mac(pa.array([moved.canonical]))
    assert segment.blind_index == bytes(index)
    assert moved.canonical.encode() not in segment.sealed
    ids = [row.data_key_id for row in change.data_keys]
    assert len(set(ids)) == len(ids)
    assert {segment.data_key_id} <= set(ids)


def test_no_number_is_in_the_event_or_a_representation(harness: LinkageHarness) -> None:
    change = record(harness, person(NUMBERS[0]))
    assert NUMBERS[0] not in repr(change.event)
    assert NUMBERS[0] not in repr(person(NUMBERS[0]))
