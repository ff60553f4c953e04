"""Disclosures are read whole, or the reading ends."""

import pytest

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.disclosures.disclosure import DisclosureUse
from pseudo_service.core.disclosures.unrecorded import UnaccountedOperation
from pseudo_service.core.errors import RegisterCorrupt
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.engine.register.opening import RegisterGrant
from tests.lib.harnesses.register_maintenance import (
    NHS,
    MaintainedRegister,
    cared,
)
from tests.lib.harnesses.register_queries import STUDY, QueriedRegister
from tests.lib.stores.stored_values import make_event
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NUMBERS = make_numbers(84_000, 5)


@pytest.fixture
def queried(cared: MaintainedRegister) -> QueriedRegister:
    return QueriedRegister(cared)


def read_operations(
    queried: QueriedRegister,
    project: ProjectId | None = STUDY,
    *,
    kind: str = NHS.text,
    use: DisclosureUse | None = None,
) -> list[str]:
    opened = queried.cared.opening.open(RegisterGrant(operation="test"))
    read = queried.reader.read(opened, project=project, kind=kind, use=use)
    return [disclosure.operation for disclosure, _ in read]


def test_only_what_is_asked_for_is_read(queried: QueriedRegister) -> None:
    queried.cared.release(NUMBERS[:2], "run-1")
    queried.cared.release(NUMBERS[2:], "run-2", use=DisclosureUse.DATES)
    assert read_operations(queried) == ["run-1", "run-2"]
    assert read_operations(queried, None) == ["run-1", "run-2"]
    assert read_operations(queried, use=DisclosureUse.DATES) == ["run-2"]
    assert read_operations(queried, kind="mrn@RXH") == []
    assert read_operations(queried, ProjectId("another-study")) == []


def test_an_edited_disclosure_ends_the_reading(queried: QueriedRegister) -> None:
    queried.cared.release(NUMBERS, "run-1")
    edited = queried.cared.release(NUMBERS, "run-2")
    queried.cared.edit("disclosure", edited, count=4)
    with pytest.raises(RegisterCorrupt, match=edited):
        read_operations(queried)


def test_a_data_key_that_does_not_open_is_named(queried: QueriedRegister) -> None:
    queried.cared.release(NUMBERS, "run-1")
    lost = queried.cared.release(NUMBERS, "run-2")
    (stored,) = (
        each
        for each in queried.cared.disclosures.read(project=STUDY)
        if each.disclosure_id == lost
    )
    queried.cared.edit("data_key", stored.data_key_id, wrapped=b"something else")
    with pytest.raises(RegisterCorrupt, match=stored.data_key_id):
        read_operations(queried)


def test_kinds_are_listed_by_use_and_version(queried: QueriedRegister) -> None:
    queried.cared.release(NUMBERS, "run-1")
    queried.cared.release(NUMBERS, "run-2", use=DisclosureUse.DATES, key_version=2)

    def list_kinds(use: DisclosureUse, version: int) -> list[str]:
        return queried.reader.list_kinds(
            project=STUDY, use=use, key_version=KeyVersion(version)
        )

    assert list_kinds(DisclosureUse.PSEUDONYM, 1) == [NHS.text]
    assert list_kinds(DisclosureUse.PSEUDONYM, 2) == []
    assert list_kinds(DisclosureUse.DATES, 2) == [NHS.text]


def test_an_operation_without_an_end_is_unaccounted(queried: QueriedRegister) -> None:
    for kind in (AuditKind.TABLE_OPENED, AuditKind.BATCH_INTENT):
        queried.cared.journal.record(make_event(1, kind))
    (found,) = queried.unaccounted.find(STUDY)
    assert isinstance(found, UnaccountedOperation)
    assert (found.project, found.operation) == (STUDY, "operation-1")
    assert queried.unaccounted.find(ProjectId("another-study")) == []
