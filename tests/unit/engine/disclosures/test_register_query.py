"""A query: authorised, on record before the register opens, read by key version."""

import pytest

from pseudo_service.core.access.roles import Permission
from pseudo_service.core.arrow.sorted_macs import read_prefixes
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import AccessDenied, ProjectUnknown, PurposeMissing
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.engine.disclosures.register_query import RegisterQuery
from tests.lib.harnesses.register_maintenance import (
    CUSTODIAN,
    NHS,
    MaintainedRegister,
    cared,
    hash_blindly,
)
from tests.lib.harnesses.register_queries import OFFICER, STUDY, QueriedRegister
from tests.lib.values.cohort import make_numbers

__all__ = ["cared"]

NUMBERS = make_numbers(85_000, 6)
RECALL = Permission.RECALL_OPT_OUTS


@pytest.fixture
def queried(cared: MaintainedRegister) -> QueriedRegister:
    return QueriedRegister(cared)


def begin(queried: QueriedRegister) -> RegisterQuery:
    project = queried.queries.authorise(
        STUDY, RECALL, purpose="a test of queries", actor=OFFICER
    )
    return queried.queries.begin(
        project,
        AuditKind.RECALL_INTENT,
        name="recall",
        actor=OFFICER,
        details={"purpose": "a test of queries"},
    )


def test_who_may_not_is_refused_before_anything_is_read(
    queried: QueriedRegister,
) -> None:
    with pytest.raises(AccessDenied):
        queried.queries.authorise(STUDY, RECALL, purpose="a test", actor=CUSTODIAN)
    with pytest.raises(PurposeMissing):
        queried.queries.authorise(STUDY, RECALL, purpose="", actor=OFFICER)
    with pytest.raises((AccessDenied, ProjectUnknown)):
        queried.queries.authorise(
            ProjectId("no-such-study"), RECALL, purpose="a test of it", actor=OFFICER
        )
    assert queried.cared.list_events("opt_out_recall_intent") == []


def test_the_intent_is_on_record_before_the_register_opens(
    queried: QueriedRegister,
) -> None:
    query = begin(queried)
    (body,) = queried.cared.list_events(AuditKind.RECALL_INTENT.value)
    assert query.operation in body
    assert query.operation.startswith("recall-")
    assert '"actor":"officer"' in body
    assert "unwrap" not in queried.cared.vault.asked
    assert begin(queried).operation != query.operation


def test_people_are_gathered_by_key_version(queried: QueriedRegister) -> None:
    queried.cared.release(NUMBERS[:3], "run-1")
    queried.cared.release(NUMBERS[2:4], "run-2")
    queried.cared.release(NUMBERS[4:], "run-3", key_version=2)
    opened = begin(queried).open()
    found = opened.gather_released(NHS)
    expected = {1: NUMBERS[:4], 2: NUMBERS[4:]}
    assert {version: people.tolist() for version, people in found.items()} == {
        version: sorted(read_prefixes(hash_blindly(numbers)).tolist())
        for version, numbers in expected.items()
    }
    only = opened.gather_released(NHS, key_version=KeyVersion(2))
    assert list(only) == [2]
    assert opened.gather_released(NHS, key_version=KeyVersion(3)) == {}
    assert opened.list_kinds(KeyVersion(1)) == [NHS]
    assert opened.list_kinds(KeyVersion(3)) == []


def test_what_was_not_looked_into_is_listed(queried: QueriedRegister) -> None:
    opened = begin(queried).open()
    assert opened.list_unaccounted(unmatched=0, faults=0) == []
    (line,) = opened.list_unaccounted(unmatched=2, faults=1)
    assert "2 released people" in line


def test_each_opening_has_a_grant_of_its_own(queried: QueriedRegister) -> None:
    queried.cared.add(NUMBERS)
    query = begin(queried)
    for _ in range(2):
        scan = query.open().scan(NHS)
        assert sum(len(page.canonical) for page in scan) == len(NUMBERS)
