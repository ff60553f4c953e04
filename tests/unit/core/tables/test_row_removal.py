"""Which rows leave, and for which reason of several."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.identifiers.kinds import NHS_NUMBER, IdentifierKind
from pseudo_service.core.identifiers.superseded import REISSUED, SupersededNumbers
from pseudo_service.core.opt_outs import OptOutCheck
from pseudo_service.core.projects.project import Uncheckable
from pseudo_service.core.tables.identifier_columns import Identifiers, read_identifiers
from pseudo_service.core.tables.row_removal import (
    RemovalReason,
    Removals,
    remove_opted_out,
)
from tests.lib.harnesses.deidentification import make_context, make_opt_outs
from tests.lib.values.nhs_numbers import make_nhs_number

RULES = make_context().identifier_rules
MRN = IdentifierKind.parse("mrn@RXH")
ADA, BOB, EVE = (make_nhs_number(seed) for seed in (1, 2, 3))
OPT_OUT, UNCHECKABLE = RemovalReason.OPT_OUT, RemovalReason.UNCHECKABLE
MASKS = st.lists(
    st.tuples(
        st.sampled_from(RemovalReason), st.lists(st.booleans(), min_size=5, max_size=5)
    ),
    max_size=6,
)


def read(*values: str | None, kind: IdentifierKind = NHS_NUMBER) -> Identifiers:
    return read_identifiers(pa.array(values, pa.string()), kind, RULES)


def check(
    *patients: Identifiers,
    rows: int,
    by: OptOutCheck,
    named: Sequence[Identifiers] = (),
) -> list[RemovalReason | None]:
    removals = Removals.begin(rows)
    remove_opted_out(removals, patients, by, named=named)
    return removals.list_reasons()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(MASKS)
def test_the_first_reason_given_stands(
    masks: list[tuple[RemovalReason, list[bool]]],
) -> None:
    removals = Removals.begin(5)
    expected: list[RemovalReason | None] = [None] * 5
    for reason, mask in masks:
        removals.remove(np.array(mask), reason)
        expected = [
            reason if leaves and before is None else before
            for leaves, before in zip(mask, expected, strict=True)
        ]
    assert removals.list_reasons() == expected
    left = [reason for reason in expected if reason is not None]
    assert removals.count() == {reason.value: left.count(reason) for reason in left}
    stays = [row for row, reason in enumerate(expected) if reason is None]
    kept = removals.find_kept()
    assert (kept.tolist() if kept is not None else list(range(5))) == stays
    assert (kept is None) == (len(stays) == 5)


def test_of_no_rows_none_leaves() -> None:
    removals = Removals.begin(0)
    assert removals.find_kept() is None
    assert removals.find_judged() is None
    assert (removals.count(), removals.list_reasons()) == ({}, [])


def test_only_the_rows_that_stay_or_could_not_be_checked_are_judged() -> None:
    removals = Removals.begin(4)
    for row, reason in enumerate(RemovalReason):
        removals.remove(np.arange(4) == row, reason)
    judged = removals.find_judged()
    assert judged is not None
    assert judged.tolist() == [list(RemovalReason).index(UNCHECKABLE)]
    uncheckable = Removals.begin(2)
    uncheckable.remove(np.array([True, False]), UNCHECKABLE)
    assert uncheckable.find_judged() is None


def test_an_opted_out_patient_leaves_and_nobody_else() -> None:
    reasons = check(read(ADA, BOB, ADA), rows=3, by=make_opt_outs([ADA]))
    assert reasons == [OPT_OUT, None, OPT_OUT]


@pytest.mark.parametrize(
    ("uncheckable", "reason"),
    [(Uncheckable.REMOVE, UNCHECKABLE), (Uncheckable.KEEP, None)],
)
def test_a_row_without_a_usable_number_leaves_if_the_project_says_so(
    uncheckable: Uncheckable, reason: RemovalReason | None
) -> None:
    by = make_opt_outs([BOB], uncheckable=uncheckable)
    assert check(read(ADA, None, "123"), rows=3, by=by) == [None, reason, reason]


def test_a_local_number_says_nothing_of_an_opt_out() -> None:
    local = read("R1", "R1", kind=MRN)
    by = make_opt_outs([BOB])
    assert check(local, rows=2, by=by) == [UNCHECKABLE] * 2
    assert check(local, read(ADA, None), rows=2, by=by) == [None, UNCHECKABLE]


def test_each_number_of_a_row_can_remove_it() -> None:
    by = make_opt_outs([EVE])
    reasons = check(read(ADA, None, ADA), read(BOB, EVE, EVE), rows=3, by=by)
    assert reasons == [None, OPT_OUT, OPT_OUT]


def test_another_person_can_remove_a_row_but_not_make_it_checked() -> None:
    by = make_opt_outs([EVE])
    mother = read(EVE, BOB, "")
    reasons = check(read(ADA, None, ADA), rows=3, by=by, named=[mother])
    assert reasons == [OPT_OUT, UNCHECKABLE, None]


def test_an_allow_list_removes_whoever_it_does_not_name() -> None:
    by = make_opt_outs([ADA], is_allow_list=True)
    assert check(read(ADA, BOB), rows=2, by=by) == [None, OPT_OUT]


def test_a_reissued_number_is_nobodys_so_it_checks_no_row() -> None:
    table = SupersededNumbers.build(np.array([int(ADA)]), np.array([REISSUED]))
    by = make_opt_outs([BOB], superseded=table)
    assert check(read(ADA, EVE), rows=2, by=by) == [UNCHECKABLE, None]
    listed = make_opt_outs([ADA], superseded=table)
    assert check(read(ADA, EVE), rows=2, by=listed) == [OPT_OUT, None]


def test_without_a_patient_column_no_row_can_be_checked() -> None:
    assert check(rows=2, by=make_opt_outs([ADA])) == [UNCHECKABLE] * 2
    kept = make_opt_outs([ADA], uncheckable=Uncheckable.KEEP)
    assert check(rows=2, by=kept) == [None, None]
