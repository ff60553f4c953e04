"""Roles, the permissions that they give, and the checks that refuse.

A permission that a role does not list is refused. A custodian has no access to data.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from pseudo_service.core.digit_runs import STATED_TEXT, STATED_TEXT_BROKEN
from pseudo_service.core.errors import AccessDenied, InvalidArgument, PurposeMissing

_PURPOSE = re.compile(r"[A-Za-z][A-Za-z0-9 _.,:()/\-]{2,119}")
EVERYWHERE = "*"


class Role(StrEnum):
    """What a caller is; every role but custodian and auditor is per project."""

    PIPELINE = "pipeline"
    RESEARCHER = "researcher"
    LINKAGE_OFFICER = "linkage_officer"
    GUARDIAN = "guardian"
    CUSTODIAN = "custodian"
    AUDITOR = "auditor"


UNSCOPED_ROLES = frozenset({Role.CUSTODIAN, Role.AUDITOR})


class Permission(StrEnum):
    """One thing that a call does."""

    DEIDENTIFY = "deidentify"
    PSEUDONYMISE = "pseudonymise"
    CHECK_PSEUDONYMS = "check_pseudonyms"
    MANAGE_PROJECTS = "manage_projects"
    MANAGE_KEYS = "manage_keys"
    MANAGE_POLICIES = "manage_policies"
    MANAGE_OPT_OUTS = "manage_opt_outs"
    READ_PROJECTS = "read_projects"
    READ_POLICIES = "read_policies"
    READ_AUDIT = "read_audit"
    READ_PROJECT_AUDIT = "read_project_audit"
    CLOSE_PROJECTS = "close_projects"
    MANAGE_SUPERSEDED = "manage_aliases"
    SUBMIT_LINKAGE = "submit_linkage"
    LOCATE_SUBJECT = "locate_subject"
    REVIEW_LINKAGE = "review_linkage"
    READ_LINKAGE = "read_linkage"
    REDEEM_LINKAGE = "redeem_linkage"
    TRACE_SUBJECT = "trace_subject"
    MAINTAIN_REGISTER = "care_for_register"
    ERASE_IDENTITIES = "erase_identities"
    RECALL_OPT_OUTS = "recall_opt_outs"
    MAP_KEY_VERSIONS = "map_key_versions"


ROLES_BY_PERMISSION: Mapping[Permission, frozenset[Role]] = MappingProxyType(
    {
        Permission.DEIDENTIFY: frozenset({Role.PIPELINE}),
        Permission.PSEUDONYMISE: frozenset({Role.PIPELINE}),
        Permission.CHECK_PSEUDONYMS: frozenset(
            {Role.PIPELINE, Role.RESEARCHER, Role.LINKAGE_OFFICER, Role.GUARDIAN}
        ),
        Permission.MANAGE_PROJECTS: frozenset({Role.CUSTODIAN}),
        Permission.MANAGE_KEYS: frozenset({Role.CUSTODIAN}),
        Permission.MANAGE_POLICIES: frozenset({Role.CUSTODIAN}),
        Permission.MANAGE_OPT_OUTS: frozenset({Role.CUSTODIAN}),
        Permission.READ_PROJECTS: frozenset(
            {
                Role.CUSTODIAN,
                Role.AUDITOR,
                Role.PIPELINE,
                Role.RESEARCHER,
                Role.LINKAGE_OFFICER,
                Role.GUARDIAN,
            }
        ),
        Permission.READ_POLICIES: frozenset(
            {
                Role.CUSTODIAN,
                Role.AUDITOR,
                Role.PIPELINE,
                Role.RESEARCHER,
                Role.GUARDIAN,
            }
        ),
        Permission.READ_AUDIT: frozenset({Role.AUDITOR}),
        Permission.READ_PROJECT_AUDIT: frozenset({Role.AUDITOR, Role.GUARDIAN}),
        Permission.CLOSE_PROJECTS: frozenset({Role.CUSTODIAN}),
        Permission.MANAGE_SUPERSEDED: frozenset({Role.CUSTODIAN}),
        Permission.SUBMIT_LINKAGE: frozenset({Role.LINKAGE_OFFICER, Role.RESEARCHER}),
        Permission.LOCATE_SUBJECT: frozenset({Role.LINKAGE_OFFICER}),
        Permission.REVIEW_LINKAGE: frozenset({Role.GUARDIAN, Role.LINKAGE_OFFICER}),
        Permission.READ_LINKAGE: frozenset(
            {Role.LINKAGE_OFFICER, Role.RESEARCHER, Role.GUARDIAN, Role.AUDITOR}
        ),
        Permission.REDEEM_LINKAGE: frozenset({Role.LINKAGE_OFFICER}),
        Permission.TRACE_SUBJECT: frozenset({Role.GUARDIAN, Role.AUDITOR}),
        Permission.MAINTAIN_REGISTER: frozenset({Role.CUSTODIAN}),
        Permission.ERASE_IDENTITIES: frozenset({Role.CUSTODIAN}),
        Permission.RECALL_OPT_OUTS: frozenset({Role.LINKAGE_OFFICER}),
        Permission.MAP_KEY_VERSIONS: frozenset({Role.LINKAGE_OFFICER}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGrant:
    """A role, and the project it holds in; custodians and auditors hold everywhere."""

    role: Role
    project: str = EVERYWHERE

    @classmethod
    def parse(cls, text: str) -> "RoleGrant":
        """Read ``role:project``, or the bare name of an unscoped role.

        Raises:
            InvalidArgument: The role is unknown or its scope is missing.
        """
        name, _, project = text.partition(":")
        if name not in set(Role):
            msg = "role: not one of " + ", ".join(Role)
            raise InvalidArgument(msg)
        role = Role(name)
        if (role in UNSCOPED_ROLES) == bool(project):
            msg = f"role {role}: " + (
                "takes no project" if project else f"give its project, {role}:PROJECT"
            )
            raise InvalidArgument(msg)
        return cls(role=role, project=project or EVERYWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The verified caller of one call.

    ``subject`` is a stable, opaque id (tenant and object id, or a certificate's
    name), never an e-mail address. ``expires_at`` is re-checked in long streams.
    """

    subject: str
    grants: frozenset[RoleGrant]
    expires_at: datetime | None

    def roles_in(self, project: str | None) -> frozenset[Role]:
        """Return the roles that the actor holds in a project, or unscoped ones."""
        return frozenset(
            grant.role
            for grant in self.grants
            if grant.project
            == (EVERYWHERE if grant.role in UNSCOPED_ROLES else project)
        )


def check_may(actor: Actor, permission: Permission, project: str | None) -> None:
    """Raise unless one of the actor's roles in the project gives the permission.

    Raises:
        AccessDenied: No role gives it, or the actor is pipeline and researcher in
            one project, which together would be an oracle.
    """
    roles = actor.roles_in(project)
    if {Role.PIPELINE, Role.RESEARCHER} <= roles:
        msg = (
            f"nobody is both pipeline and researcher in one project ({project}): "
            "have one of the two roles removed"
        )
        raise AccessDenied(msg)
    needed = ROLES_BY_PERMISSION[permission]
    if not roles & needed:
        where = f" in project {project}" if project is not None else ""
        msg = f"{permission}{where} needs the role " + " or ".join(sorted(needed))
        if project is None and needed - UNSCOPED_ROLES:
            msg += "; name the project in which you have it"
        raise AccessDenied(msg)


def check_purpose(purpose: str) -> None:
    """Raise unless the purpose is stated and cannot itself name a patient.

    Raises:
        PurposeMissing: Blank, too long, of unusual characters or with a number
            long enough to be an identifier.
    """
    if not _PURPOSE.fullmatch(purpose) or holds_long_number(purpose):
        msg = (
            "purpose: say what the data is for in 3 to 120 plain characters, "
            "without long numbers"
        )
        raise PurposeMissing(msg)


def holds_long_number(text: str) -> bool:
    """Return whether a text has a number long enough to be an identifier or a date.

    A number with signs between its digits counts: 999.000.0018 and 12/03/1961.
    """
    return STATED_TEXT.is_in(text) or STATED_TEXT_BROKEN.is_in(text)
