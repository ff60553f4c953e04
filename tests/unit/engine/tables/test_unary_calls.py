"""What unary calls put on record, and when nothing of them leaves."""

import pytest

from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import (
    AnswerUnsound,
    InvalidArgument,
    OracleSuspected,
    StoreUnavailable,
)
from pseudo_service.engine.tables import unary_calls
from pseudo_service.engine.tables.unary_calls import check_count
from tests.lib.harnesses.deidentification import VERSION
from tests.lib.harnesses.unary_calls import PURPOSE, UnaryHarness
from tests.lib.values.nhs_numbers import make_nhs_number

ADA, BOB = make_nhs_number(1), make_nhs_number(2)


def test_the_intent_and_the_people_are_one_change() -> None:
    harness = UnaryHarness()
    harness.pseudonymise([ADA, BOB, ADA, "123"])
    (commit,) = harness.journal.commits
    assert commit.change is not None
    assert commit.change.event.kind is AuditKind.VALUES_INTENT
    assert commit.change.event.details == {
        "purpose": PURPOSE,
        "kind": "nhs_number",
        "asked": 4,
        "identities": 2,
        "key_version": VERSION,
        "membership": "recorded",
    }
    assert len(commit.change.disclosures) == 1
    assert commit.change.charge is not None
    assert len(commit.change.charge.codes) == 2
    assert harness.monitor.counted == [(2, 2)]


def test_people_are_new_once() -> None:
    harness = UnaryHarness()
    for _ in range(2):
        harness.pseudonymise([ADA])
    assert harness.monitor.counted == [(1, 1), (1, 0)]
    assert len(harness.journal.segments) == 1


def test_nothing_is_registered_where_trying_out_is_refused(monkeypatch) -> None:
    harness = UnaryHarness()

    def refuse(*_: object, **__: object) -> None:
        raise OracleSuspected("this use looks like trying identifiers out")

    monkeypatch.setattr(harness.monitor, "check_call", refuse)
    with pytest.raises(OracleSuspected):
        harness.pseudonymise([ADA])
    assert harness.journal.commits == []


def test_an_unsound_answer_gives_its_claims_back(monkeypatch) -> None:
    harness = UnaryHarness()

    def err(batch: object) -> None:
        raise AnswerUnsound("the answer is not what the plan says; report it")

    with monkeypatch.context() as patch:
        patch.setattr(unary_calls, "treat_batch", err)
        with pytest.raises(AnswerUnsound):
            harness.pseudonymise([ADA])
    assert not any(harness.known._claims.values())
    assert harness.pseudonymise([ADA]).results[0].pseudonym is not None


def test_nothing_leaves_before_the_commit(monkeypatch) -> None:
    harness = UnaryHarness()
    harness.journal.held = True
    submit = harness.journal.submit

    def fail(change):
        commit = submit(change)
        commit.fail(StoreUnavailable("the database is locked; try again"))
        return commit

    monkeypatch.setattr(harness.journal, "submit", fail)
    with pytest.raises(StoreUnavailable):
        harness.pseudonymise([ADA])
    assert harness.monitor.counted == []


@pytest.mark.parametrize("count", [0, 11])
def test_counts_out_of_bounds_are_refused(count: int) -> None:
    check_count("texts", 1, 10)
    check_count("texts", 10, 10)
    with pytest.raises(InvalidArgument, match="texts: send 1 to 10"):
        check_count("texts", count, 10)
