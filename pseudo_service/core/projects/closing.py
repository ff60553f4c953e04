"""How a project ends: who must ask, agree and wait, and what the certificate says.

One custodian asks, which stops data calls; a second agrees; after the cooling time
any custodian destroys the keys. Each step can be called off but the last.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pseudo_service.core.errors import (
    ClosingRefused,
    InvalidArgument,
    StateConflict,
)
from pseudo_service.core.keys.material import KeyRow
from pseudo_service.core.keys.statements import encode_statement
from pseudo_service.core.projects.project import Closing, Project, ProjectState

CLOSURE_FORMAT: Final = "pseudo/closure-certificate/v1"
SHORTEST_COOLING: Final = 7
LONGEST_COOLING: Final = 365
"""The fewest and the most days between the request and the earliest destruction."""

PURGE_TIME_UNKNOWN: Final = "not told by the vault"
SURVIVORS: Final = (
    "data that was released, with its pseudonyms",
    "maps from old to new pseudonyms, and results of linkage, where they were delivered",
    "translations into the pseudonyms of other projects",
    "sealed memberships: that a person was released in this project, not as whom",
    "the sealed register of identities, which belongs to all projects",
    "the audit trail and the policies",
    "wrapped keys in backups of the database, of use until the vault key is purged",
    "backups of the vault key itself, which their keeper must destroy",
    "key bytes in the memory of running processes, until their bounded time is over",
)
"""What remains after the keys are destroyed; the certificate lists it."""


def begin_closing(
    project: Project, *, custodian: str, reason: str, cooling_days: int, now: datetime
) -> Closing:
    """Return the closing that a first custodian asks for.

    Raises:
        InvalidArgument: The cooling time is too short or too long.
        StateConflict: The project is closing already, or destroyed.
    """
    if not SHORTEST_COOLING <= cooling_days <= LONGEST_COOLING:
        msg = f"cooling days: give {SHORTEST_COOLING} to {LONGEST_COOLING}"
        raise InvalidArgument(msg)
    project.check_transition(ProjectState.CLOSING)
    return Closing(
        requested_by=custodian,
        requested_at=now,
        reason=reason,
        agreed_by=None,
        not_before=now + timedelta(days=cooling_days),
    )


def agree_to_closing(project: Project, *, custodian: str, now: datetime) -> Closing:
    """Return the closing with the word of a second custodian.

    Raises:
        StateConflict: The project is not closing.
        ClosingRefused: The same custodian asked for it, or another agreed before.
    """
    closing = require_closing(project)
    if closing.requested_by == custodian:
        msg = (
            f"project {project.project_id}: you asked for its end yourself; "
            "another custodian must agree"
        )
        raise ClosingRefused(msg)
    if closing.agreed_by is not None:
        msg = (
            f"project {project.project_id}: a second custodian has agreed already; "
            "look with `pseudo project show`"
        )
        raise ClosingRefused(msg)
    return replace(closing, agreed_by=custodian, agreed_at=now)


def check_destruction(project: Project, now: datetime) -> Closing:
    """Return the closing of a project, once its keys may be destroyed.

    Raises:
        StateConflict: The project is not closing.
        ClosingRefused: Nobody has agreed, or the cooling time is not over.
    """
    closing = require_closing(project)
    if closing.agreed_by is None or closing.agreed_by == closing.requested_by:
        msg = (
            f"project {project.project_id}: a second custodian must agree first, with "
            "`pseudo project agree-close`"
        )
        raise ClosingRefused(msg)
    if now < closing.not_before:
        msg = (
            f"project {project.project_id}: its cooling time lasts until "
            f"{closing.not_before:%Y-%m-%d %H:%M} UTC; destroy it after that"
        )
        raise ClosingRefused(msg)
    return closing


def require_closing(project: Project) -> Closing:
    """Return how the project is closing.

    Raises:
        StateConflict: It is not closing.
    """
    if project.state is not ProjectState.CLOSING or project.closing is None:
        msg = (
            f"project {project.project_id} is {project.state}, not closing: ask for "
            "its end with `pseudo project close`"
        )
        raise StateConflict(msg)
    return project.closing


def build_closure_certificate(
    project: Project,
    *,
    closing: Closing,
    keys: Sequence[KeyRow],
    vault_key: str,
    purged_at: datetime | None,
    destroyed_by: str,
    issued_at: datetime,
) -> bytes:
    """Return the statement of what was destroyed and what survives, to be signed."""
    return encode_statement(
        {
            "format": CLOSURE_FORMAT,
            "project": project.project_id,
            "tag": project.tag,
            "title": project.title,
            "requested_by": closing.requested_by,
            "requested_at": closing.requested_at.isoformat(),
            "reason": closing.reason,
            "agreed_by": closing.agreed_by,
            "agreed_at": closing.agreed_at.isoformat() if closing.agreed_at else None,
            "not_before": closing.not_before.isoformat(),
            "destroyed_by": destroyed_by,
            "issued_at": issued_at.isoformat(),
            "keys": [_encode_key(row) for row in keys],
            "vault_key": vault_key,
            "vault_key_purged_at": purged_at.isoformat()
            if purged_at
            else PURGE_TIME_UNKNOWN,
            "survives": list(SURVIVORS),
        }
    )


def _encode_key(row: KeyRow) -> dict[str, object]:
    return {
        "purpose": row.purpose.value,
        "version": row.version,
        "check_value": row.check_value.hex(),
        "created_at": row.created_at.isoformat(),
        "wrapping_key_id": row.wrapping_key_id,
    }
