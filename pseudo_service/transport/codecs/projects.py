"""Projects, their keys and their policies to wire messages and back."""

from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from pseudo_service.api.v1 import administration_pb2 as administration
from pseudo_service.core.keys.material import KeyRow
from pseudo_service.core.projects.project import (
    DEFAULT_CEILING,
    Closing,
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
    Project,
    ShiftDirection,
    ShiftUnit,
    Uncheckable,
)
from pseudo_service.engine.projects.lifecycle import ProjectFacts, ProjectRequest
from pseudo_service.ports.policies import StoredPolicy
from pseudo_service.transport.codecs.fields import choose, encode_time


def encode_project(facts: ProjectFacts) -> administration.Project:
    """Return a project with its key versions."""
    return administration.Project(
        **_describe(facts.project),
        key_versions=[encode_key_version(row) for row in facts.keys],
    )


def encode_bare_project(project: Project) -> administration.Project:
    """Return a project as a list shows it."""
    return administration.Project(**_describe(project))


def _describe(project: Project) -> dict[str, Any]:
    return {
        "project": project.project_id,
        "tag": project.tag,
        "title": project.title,
        "state": project.state.value,
        "date_shift": administration.DateShift(
            unit=project.date_shift.unit.value,
            bound=project.date_shift.bound,
            direction=project.date_shift.direction.value,
        ),
        "opt_outs": administration.OptOuts(
            application=project.opt_outs.application.value,
            legal_basis=project.opt_outs.legal_basis,
            uncheckable=project.opt_outs.uncheckable.value,
        ),
        "daily_quota": project.daily_quota,
        "created_at": encode_time(project.created_at),
        "linkage_ceiling": project.linkage_ceiling,
        "follows_merges": project.follows_merges,
        "overlap_until": _encode_optional_time(project.overlap_until),
        "closing": _encode_closing(project.closing),
    }


def _encode_optional_time(moment: datetime | None) -> Timestamp | None:
    return encode_time(moment) if moment is not None else None


def _encode_closing(closing: Closing | None) -> administration.Closing | None:
    if closing is None:
        return None
    return administration.Closing(
        requested_by=closing.requested_by,
        requested_at=encode_time(closing.requested_at),
        reason=closing.reason,
        agreed_by=closing.agreed_by or "",
        not_before=encode_time(closing.not_before),
    )


def encode_key_version(row: KeyRow) -> administration.KeyVersion:
    """Return what may be known of a key row."""
    return administration.KeyVersion(
        version=row.version,
        check_value=row.check_value,
        created_at=encode_time(row.created_at),
        wrapping_key_id=row.wrapping_key_id,
    )


def decode_project_request(
    message: administration.CreateProjectRequest,
) -> ProjectRequest:
    """Return a custodian's decisions; every choice must be one of its list.

    Raises:
        InvalidArgument: A choice is missing or unknown.
    """
    return ProjectRequest(
        project_id=message.project,
        title=message.title,
        date_shift=DateShiftRule(
            unit=choose(ShiftUnit, message.date_shift.unit, "date_shift.unit"),
            bound=message.date_shift.bound,
            direction=choose(
                ShiftDirection, message.date_shift.direction, "date_shift.direction"
            ),
        ),
        opt_outs=OptOutRule(
            application=choose(
                OptOutApplication, message.opt_outs.application, "opt_outs.application"
            ),
            legal_basis=message.opt_outs.legal_basis,
            uncheckable=choose(
                Uncheckable, message.opt_outs.uncheckable, "opt_outs.uncheckable"
            ),
        ),
        daily_quota=message.daily_quota,
        linkage_ceiling=message.linkage_ceiling or DEFAULT_CEILING,
        follows_merges=message.follows_merges,
    )


def encode_policy(policy: StoredPolicy) -> administration.Policy:
    """Return a registered policy."""
    return administration.Policy(
        address=f"{policy.project}/{policy.release}@{policy.number}",
        text=policy.text,
        digest=policy.digest,
        registered_at=encode_time(policy.registered_at),
        registered_by=policy.registered_by,
    )
