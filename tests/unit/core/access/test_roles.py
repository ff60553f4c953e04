"""Roles give exactly their permissions, in exactly their scope."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.access.roles import (
    EVERYWHERE,
    ROLES_BY_PERMISSION,
    UNSCOPED_ROLES,
    Actor,
    Permission,
    Role,
    RoleGrant,
    check_may,
    check_purpose,
    holds_long_number,
)
from pseudo_service.core.errors import AccessDenied, InvalidArgument, PurposeMissing

SCOPED = sorted(set(Role) - UNSCOPED_ROLES)
DATA = {Permission.DEIDENTIFY, Permission.PSEUDONYMISE, Permission.LOCATE_SUBJECT}
grants = st.builds(
    lambda role, project: RoleGrant(
        role=role, project=EVERYWHERE if role in UNSCOPED_ROLES else project
    ),
    st.sampled_from(list(Role)),
    st.sampled_from(["asthma", "stroke"]),
)


def make_actor(*roles: str) -> Actor:
    held = frozenset(RoleGrant.parse(role) for role in roles)
    return Actor(
        subject="tenant:one", grants=held, expires_at=datetime(2026, 3, 2, tzinfo=UTC)
    )


def test_every_permission_names_its_roles() -> None:
    assert set(ROLES_BY_PERMISSION) == set(Permission)
    assert all(ROLES_BY_PERMISSION.values())


@pytest.mark.parametrize("permission", sorted(DATA))
def test_a_custodian_and_an_auditor_have_no_access_to_data(
    permission: Permission,
) -> None:
    assert not ROLES_BY_PERMISSION[permission] & UNSCOPED_ROLES


@pytest.mark.parametrize("role", SCOPED)
def test_a_scoped_role_is_read_with_its_project(role: Role) -> None:
    assert RoleGrant.parse(f"{role}:asthma") == RoleGrant(role=role, project="asthma")
    with pytest.raises(InvalidArgument, match="give its project"):
        RoleGrant.parse(role)
    with pytest.raises(InvalidArgument, match="give its project"):
        RoleGrant.parse(f"{role}:")


@pytest.mark.parametrize("role", sorted(UNSCOPED_ROLES))
def test_an_unscoped_role_is_read_without_a_project(role: Role) -> None:
    assert RoleGrant.parse(role) == RoleGrant(role=role, project=EVERYWHERE)
    with pytest.raises(InvalidArgument, match="takes no project"):
        RoleGrant.parse(f"{role}:asthma")


@pytest.mark.parametrize(
    "text", ["", ":asthma", "Pipeline:asthma", "admin", "9990000018"]
)
def test_an_unknown_role_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidArgument, match="not one of") as caught:
        RoleGrant.parse(text)
    assert not text or text not in caught.value.message


@given(
    held=st.frozensets(grants, max_size=5),
    permission=st.sampled_from(list(Permission)),
    project=st.sampled_from(["asthma", "stroke", None]),
)
def test_a_permission_is_given_by_a_role_of_the_project_alone(
    held: frozenset[RoleGrant], permission: Permission, project: str | None
) -> None:
    actor = Actor(subject="tenant:one", grants=held, expires_at=None)
    roles = {g.role for g in held if g.project in (EVERYWHERE, project)}
    is_oracle = {Role.PIPELINE, Role.RESEARCHER} <= roles
    may = bool(roles & ROLES_BY_PERMISSION[permission]) and not is_oracle
    try:
        check_may(actor, permission, project)
    except AccessDenied:
        assert not may
    else:
        assert may


def test_a_project_named_like_the_scope_of_all_gives_nothing() -> None:
    actor = Actor(
        subject="tenant:one",
        grants=frozenset({RoleGrant(role=Role.PIPELINE, project=EVERYWHERE)}),
        expires_at=None,
    )
    with pytest.raises(AccessDenied):
        check_may(actor, Permission.DEIDENTIFY, "asthma")


def test_a_refusal_names_the_role_that_is_needed() -> None:
    with pytest.raises(AccessDenied, match="in project asthma needs the role pipeline"):
        check_may(make_actor("custodian"), Permission.DEIDENTIFY, "asthma")
    with pytest.raises(AccessDenied, match="name the project"):
        check_may(make_actor("pipeline:asthma"), Permission.DEIDENTIFY, None)
    with pytest.raises(AccessDenied, match="nobody is both"):
        check_may(
            make_actor("pipeline:asthma", "researcher:asthma"),
            Permission.READ_PROJECTS,
            "asthma",
        )


@pytest.mark.parametrize(
    "purpose", ["audit", "Asthma outcomes, 2025/26 (CAG)", "x" * 120, "a-b: c.d_e"]
)
def test_a_stated_purpose_is_accepted(purpose: str) -> None:
    check_purpose(purpose)


@pytest.mark.parametrize(
    "purpose",
    [
        "",
        "ab",
        "x" * 121,
        " audit",
        "1st audit",
        "audit\n",
        "J\u00f6rg",
        "of 9990000018",
    ],
)
def test_a_purpose_of_another_form_is_refused(purpose: str) -> None:
    with pytest.raises(PurposeMissing) as caught:
        check_purpose(purpose)
    assert not purpose or purpose not in caught.value.message


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2025 to 26", False),
        ("12345", False),
        ("123456", True),
        ("12 34 56", True),
        ("12/03/1961", True),
        ("999.000.0018", True),
        ("3.1.7 to 4.2", False),
    ],
)
def test_long_numbers(text: str, found: bool) -> None:
    assert holds_long_number(text) is found
