"""A project ends with two custodians and a cooling time, or not at all."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.errors import ClosingRefused, InvalidArgument, StateConflict
from pseudo_service.core.projects.closing import (
    CLOSURE_FORMAT,
    LONGEST_COOLING,
    PURGE_TIME_UNKNOWN,
    SHORTEST_COOLING,
    SURVIVORS,
    agree_to_closing,
    begin_closing,
    build_closure_certificate,
    check_destruction,
    require_closing,
)
from pseudo_service.core.projects.project import Project, ProjectState
from tests.lib.stores.stored_values import make_project

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIRST, SECOND, THIRD = "tenant:first", "tenant:second", "tenant:third"


def close(project: Project | None = None, *, days: int = 30) -> Project:
    """Return a project that a first custodian is closing."""
    project = project or make_project("asthma")
    closing = begin_closing(
        project, custodian=FIRST, reason="study ended", cooling_days=days, now=NOW
    )
    return replace(project, state=ProjectState.CLOSING, closing=closing)


def agree(project: Project) -> Project:
    closing = agree_to_closing(project, custodian=SECOND, now=NOW)
    return replace(project, closing=closing)


@given(days=st.integers(-10, 400))
def test_the_cooling_time_has_bounds(days: int) -> None:
    if SHORTEST_COOLING <= days <= LONGEST_COOLING:
        closing = require_closing(close(days=days))
        assert closing.not_before == NOW + timedelta(days=days)
        assert (closing.requested_by, closing.agreed_by) == (FIRST, None)
        return
    with pytest.raises(InvalidArgument, match="cooling days: give 7 to 365"):
        close(days=days)


@pytest.mark.parametrize("state", [ProjectState.CLOSING, ProjectState.DESTROYED])
def test_a_project_that_ends_cannot_be_closed_again(state: ProjectState) -> None:
    with pytest.raises(StateConflict):
        close(replace(make_project("asthma"), state=state))


def test_the_custodian_who_asked_cannot_agree() -> None:
    with pytest.raises(ClosingRefused, match="asked for its end yourself"):
        agree_to_closing(close(), custodian=FIRST, now=NOW)


def test_a_second_custodian_agrees_and_a_third_is_not_needed() -> None:
    agreed = agree(close())
    closing = require_closing(agreed)
    assert (closing.agreed_by, closing.agreed_at) == (SECOND, NOW)
    with pytest.raises(ClosingRefused, match="agreed already"):
        agree_to_closing(agreed, custodian=THIRD, now=NOW)


@pytest.mark.parametrize("state", set(ProjectState) - {ProjectState.CLOSING})
def test_what_is_not_closing_is_neither_agreed_to_nor_destroyed(
    state: ProjectState,
) -> None:
    project = replace(make_project("asthma"), state=state)
    with pytest.raises(StateConflict, match="not closing"):
        require_closing(project)
    with pytest.raises(StateConflict):
        agree_to_closing(project, custodian=SECOND, now=NOW)
    with pytest.raises(StateConflict):
        check_destruction(project, NOW)


@given(seconds=st.integers(-40 * 86_400, 40 * 86_400))
def test_nothing_is_destroyed_before_the_cooling_time_is_over(seconds: int) -> None:
    project = agree(close(days=30))
    at = NOW + timedelta(days=30, seconds=seconds)
    if seconds >= 0:
        assert check_destruction(project, at) == project.closing
        return
    with pytest.raises(ClosingRefused, match="2026-04-01 09:00 UTC"):
        check_destruction(project, at)


def test_nothing_is_destroyed_without_a_second_custodian() -> None:
    later = NOW + timedelta(days=400)
    with pytest.raises(ClosingRefused, match="second custodian must agree"):
        check_destruction(close(), later)
    closing = replace(require_closing(agree(close())), agreed_by=FIRST)
    with pytest.raises(ClosingRefused, match="second custodian must agree"):
        check_destruction(replace(close(), closing=closing), later)


@pytest.mark.parametrize("purged_at", [None, NOW + timedelta(days=90)])
def test_the_certificate_says_what_was_destroyed_and_what_survives(
    purged_at: datetime | None,
) -> None:
    project = agree(close())
    text = build_closure_certificate(
        project,
        closing=require_closing(project),
        keys=[],
        vault_key="project-asthma",
        purged_at=purged_at,
        destroyed_by=THIRD,
        issued_at=NOW + timedelta(days=31),
    )
    stated = json.loads(text)
    assert stated["format"] == CLOSURE_FORMAT
    assert stated["requested_by"] == FIRST
    assert stated["agreed_by"] == SECOND
    assert stated["destroyed_by"] == THIRD
    assert stated["survives"] == list(SURVIVORS)
    expected = purged_at.isoformat() if purged_at else PURGE_TIME_UNKNOWN
    assert stated["vault_key_purged_at"] == expected
