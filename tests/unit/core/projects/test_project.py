"""A project is made within its bounds, and moves along its transitions only."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.errors import InvalidArgument, ProjectNotActive, StateConflict
from pseudo_service.core.projects.project import (
    HIGHEST_CEILING,
    TRANSITIONS,
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
    Project,
    ProjectState,
    ShiftUnit,
    check_project_id,
)
from tests.lib.stores.stored_values import make_project as make_stored_project


def make_project(**changes: object) -> Project:
    return replace(make_stored_project("asthma"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "project_id", ["abc", "a" + "b" * 39, "asthma-2026", "a-20260302", "a12345678"]
)
def test_a_project_id(project_id: str) -> None:
    check_project_id(project_id)
    assert make_project(project_id=project_id).project_id == project_id


@pytest.mark.parametrize(
    "project_id",
    [
        "",
        "ab",
        "a" * 41,
        "Asthma",
        "1asthma",
        "-asthma",
        "as_thma",
        "asthma\n",
        "a123456789",
        "a999-000-0018",
        "a9-9-9-0-0-0-0-0-1",
        "asthm\u00e4",
    ],
)
def test_what_is_no_project_id(project_id: str) -> None:
    with pytest.raises(InvalidArgument, match="project: 3 to 40") as caught:
        check_project_id(project_id)
    assert not project_id or project_id not in caught.value.message
    with pytest.raises(InvalidArgument):
        make_project(project_id=project_id)


@pytest.mark.parametrize("state", set(ProjectState) - {ProjectState.ACTIVE})
def test_only_an_active_project_takes_data_calls(state: ProjectState) -> None:
    make_project().check_active()
    with pytest.raises(ProjectNotActive, match=f"asthma is {state};"):
        make_project(state=state).check_active()


@given(old=st.sampled_from(list(ProjectState)), new=st.sampled_from(list(ProjectState)))
def test_a_project_moves_along_its_transitions_only(
    old: ProjectState, new: ProjectState
) -> None:
    project = make_project(state=old)
    if new in TRANSITIONS[old]:
        project.check_transition(new)
        return
    with pytest.raises(StateConflict, match=f"is {old}: it cannot become {new}"):
        project.check_transition(new)


def test_the_end_of_a_project_is_for_ever_and_not_sudden() -> None:
    assert set(TRANSITIONS) == set(ProjectState)
    assert TRANSITIONS[ProjectState.DESTROYED] == frozenset()
    before = {old for old, new in TRANSITIONS.items() if ProjectState.DESTROYED in new}
    assert before == {ProjectState.CLOSING}
    assert ProjectState.ACTIVE not in TRANSITIONS[ProjectState.CLOSING]


@pytest.mark.parametrize(
    ("unit", "longest"), [(ShiftUnit.WEEKS, 520), (ShiftUnit.DAYS, 3650)]
)
def test_a_date_shift_has_bounds(unit: ShiftUnit, longest: int) -> None:
    for bound in (4, longest):
        assert DateShiftRule(unit=unit, bound=bound).bound == bound
    for bound in (-1, 0, 3, longest + 1):
        with pytest.raises(InvalidArgument, match=f"give 4 to {longest} {unit}"):
            DateShiftRule(unit=unit, bound=bound)


@pytest.mark.parametrize("basis", ["", "  ab  ", "x" * 201])
def test_opt_outs_need_a_legal_basis(basis: str) -> None:
    with pytest.raises(InvalidArgument, match="legal basis"):
        OptOutRule(application=OptOutApplication.APPLIED, legal_basis=basis)


@pytest.mark.parametrize(
    "changes",
    [
        {"daily_quota": 0},
        {"daily_quota": -1},
        {"linkage_ceiling": 0},
        {"linkage_ceiling": HIGHEST_CEILING + 1},
    ],
)
def test_quota_and_ceiling_have_bounds(changes: dict[str, int]) -> None:
    with pytest.raises(InvalidArgument, match="give"):
        make_project(**changes)
