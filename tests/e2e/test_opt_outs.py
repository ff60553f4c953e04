"""National data opt-outs: no list, no data; and those on it leave before all else."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

import grpc
import pytest

from pseudo_client import LoadedOptOuts, OptOuts, PseudoClientError
from tests.lib.services.service import RunningService
from tests.lib.services.wire import make_header, refuse_table
from tests.lib.stores.reopened_register import reopen_register
from tests.lib.values.cohort import make_cohort, make_numbers

NUMBERS = make_numbers(5_000, 12)
APPLIED = OptOuts(
    application="applied", legal_basis="section 251", uncheckable="remove"
)
FAILED = grpc.StatusCode.FAILED_PRECONDITION


@pytest.fixture
def strict(service: RunningService) -> RunningService:
    """A service with a project that applies opt-outs."""
    service.create_project("kidney", opt_outs=APPLIED)
    return service


def load(
    service: RunningService,
    numbers: Sequence[str],
    *,
    kind: str = "opt_out",
    days: float = 7,
    entries: int | None = None,
) -> LoadedOptOuts:
    return service.custodian().load_opt_outs(
        kind=kind,
        expires_at=service.clock.now() + timedelta(days=days),
        entries=len(numbers) if entries is None else entries,
        chunks=[numbers[:5], numbers[5:]] if len(numbers) > 5 else [numbers],
    )


def test_without_a_list_nothing_is_answered(strict: RunningService) -> None:
    refusal = refuse_table(strict, make_header(project="kidney"), project="kidney")
    assert (refusal.code, refusal.status) == ("OPT_OUT_LIST_MISSING", FAILED)
    with pytest.raises(PseudoClientError) as caught:
        strict.pseudonymise(NUMBERS[0], "kidney")
    assert caught.value.code == "OPT_OUT_LIST_MISSING"
    assert strict.pseudonymise(NUMBERS[0], "asthma")  # which does not apply them


def test_a_stale_list_is_refused(strict: RunningService) -> None:
    load(strict, NUMBERS[:2], days=7)
    assert strict.deidentify(make_cohort(NUMBERS), "kidney").num_rows == 10
    strict.clock.advance(days=7, seconds=1)
    refusal = refuse_table(strict, make_header(project="kidney"), project="kidney")
    assert (refusal.code, refusal.status) == ("OPT_OUT_LIST_STALE", FAILED)
    with pytest.raises(PseudoClientError) as caught:
        strict.pseudonymise(NUMBERS[5], "kidney")
    assert caught.value.code == "OPT_OUT_LIST_STALE"
    load(strict, NUMBERS[:3])
    assert strict.deidentify(make_cohort(NUMBERS), "kidney").num_rows == 9


CHANGES = {
    "a patient is taken out": "UPDATE opt_out_chunks SET indices = "
    "CAST(substr(indices, 1, 16) || zeroblob(16) AS BLOB)",
    "who may stay becomes who must go": "UPDATE opt_out_lists SET kind = 'allow'",
    "its end is put off": "UPDATE opt_out_lists SET expires_at = "
    "'2035' || substr(expires_at, 5)",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_list_that_was_changed_in_the_database_is_not_used(
    change: str, strict: RunningService
) -> None:
    load(strict, NUMBERS[:2])
    with closing(sqlite3.connect(strict.state / "pseudo.sqlite")) as database:
        assert database.execute(CHANGES[change]).rowcount == 1
        database.commit()
    refusal = refuse_table(strict, make_header(project="kidney"), project="kidney")
    assert (refusal.code, refusal.status) == ("OPT_OUT_LIST_MISSING", FAILED)
    assert "security officer" in refusal.message
    load(strict, NUMBERS[:2])
    assert strict.deidentify(make_cohort(NUMBERS), "kidney").num_rows == 10


@pytest.mark.parametrize(("kind", "left"), [("opt_out", 8), ("allow", 4)])
def test_rows_leave_before_they_are_registered(
    kind: str, left: int, strict: RunningService
) -> None:
    listed = NUMBERS[2:6]
    load(strict, listed, kind=kind)
    sent = [*NUMBERS, None, "not a number"]
    answer = strict.pipeline("kidney").deidentify(
        make_cohort(sent), project="kidney", policy="cohort@1", purpose="evaluation"
    )
    assert answer.read_all().num_rows == left
    receipt = answer.receipt
    assert (receipt.rows_in, receipt.rows_out) == (14, left)
    assert sum(receipt.removed.values()) == 14 - left
    stays = set(listed) if kind == "allow" else set(NUMBERS) - set(listed)
    with reopen_register(strict.config) as register:
        assert set(register.identities["nhs_number"]) == stays


def test_single_identifiers_are_checked_too(strict: RunningService) -> None:
    load(strict, NUMBERS[:1])
    results = strict.pipeline("kidney").pseudonymise(
        NUMBERS[:2], kind="nhs_number", project="kidney", purpose="evaluation"
    )
    assert results[0].pseudonym is None
    assert results[0].refusal == "OPTED_OUT"
    assert results[1].pseudonym


BAD_LISTS = {
    "it ends early": ({"entries": 13}, NUMBERS, "12 of 13"),
    "it is longer": ({"entries": 11}, NUMBERS, "12 of 11"),
    "it is empty": ({}, [], "0"),
    "an entry is no NHS number": ({}, [*NUMBERS[:3], "9990000000"], "position 3"),
    "it has expired": ({"days": -1}, NUMBERS, "expire"),
    "it expires too far ahead": ({"days": 40}, NUMBERS, "31 days"),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_a_bad_list_leaves_the_one_before(name: str, strict: RunningService) -> None:
    options, numbers, mention = BAD_LISTS[name]
    load(strict, NUMBERS[:2])
    with pytest.raises(PseudoClientError) as caught:
        load(strict, numbers, **options)
    assert caught.value.code == "OPT_OUT_LIST_REFUSED"
    assert mention in caught.value.message
    assert "9990000000" not in caught.value.message
    assert strict.deidentify(make_cohort(NUMBERS), "kidney").num_rows == 10
