"""Wire messages to values of the core and back; nothing is decided here."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from pseudo_service.api.v1 import administration_pb2 as administration
from pseudo_service.api.v1 import common_pb2 as common
from pseudo_service.api.v1 import deidentification_pb2 as deidentification
from pseudo_service.core.audit.events import ChainHead, Checkpoint, RecordedEvent
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.keys.material import KeyRow
from pseudo_service.core.keys.statements import SignedStatement
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
from pseudo_service.core.tables.quality import Counts, RejectedCells
from pseudo_service.core.tables.receipt import PinSet
from pseudo_service.engine.projects.lifecycle import ProjectFacts, ProjectRequest
from pseudo_service.ports.policies import StoredPolicy

_Choice = TypeVar("_Choice", bound=StrEnum)


def encode_time(moment: datetime) -> Timestamp:
    """Return a zoned time as a timestamp."""
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


def decode_time(stamp: Timestamp) -> datetime:
    """Return a timestamp as a time in UTC.

    Raises:
        InvalidArgument: Outside the years 1 to 9999.
    """
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        msg = "time: not between the years 1 and 9999"
        raise InvalidArgument(msg) from None


def encode_pins(pins: PinSet) -> common.Pins:
    """Return what an answer depends on."""
    return common.Pins(
        key_version=pins.key_version,
        key_check_value=pins.key_check_value,
        policy=pins.policy,
        policy_digest=pins.policy_digest,
        opt_out_list=pins.opt_out_list,
        opt_out_digest=pins.opt_out_digest,
        date_parameters_digest=pins.date_parameters_digest,
        alias_table=pins.alias_table,
        library_versions=dict(pins.library_versions),
        patient_table_digest=pins.patient_table_digest,
        previous_key_version=pins.previous_key_version,
    )


def decode_pins(message: common.Pins) -> PinSet:
    """Return the pins that a client expects."""
    return PinSet(
        key_version=message.key_version,
        key_check_value=message.key_check_value,
        policy=message.policy,
        policy_digest=message.policy_digest,
        opt_out_list=message.opt_out_list,
        opt_out_digest=message.opt_out_digest,
        date_parameters_digest=message.date_parameters_digest,
        alias_table=message.alias_table,
        library_versions=dict(message.library_versions),
        patient_table_digest=message.patient_table_digest,
        previous_key_version=message.previous_key_version,
    )


def encode_statement(signed: SignedStatement) -> common.SignedStatement:
    """Return a signed statement."""
    return common.SignedStatement(
        statement=signed.statement,
        signature=signed.signature,
        certificate=signed.certificate,
        certificate_signature=signed.certificate_signature,
        certificate_key_id=signed.certificate_key_id,
    )


def encode_counts(counts: Mapping[str, int]) -> list[common.Count]:
    """Return counts by name, in the order of the names."""
    return [
        common.Count(name=name, count=count) for name, count in sorted(counts.items())
    ]


def encode_column_counts(columns: Counts) -> list[common.ColumnCounts]:
    """Return the counts of every column."""
    return [
        common.ColumnCounts(column=column, counts=encode_counts(counts))
        for column, counts in columns.items()
    ]


def encode_rejected(
    rejected: Sequence[RejectedCells],
) -> list[deidentification.RejectedCells]:
    """Return the positions of marked cells."""
    return [
        deidentification.RejectedCells(
            column=cells.column, code=cells.code, rows=cells.rows.tolist()
        )
        for cells in rejected
    ]


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
            unit=_choose(ShiftUnit, message.date_shift.unit, "date_shift.unit"),
            bound=message.date_shift.bound,
            direction=_choose(
                ShiftDirection, message.date_shift.direction, "date_shift.direction"
            ),
        ),
        opt_outs=OptOutRule(
            application=_choose(
                OptOutApplication, message.opt_outs.application, "opt_outs.application"
            ),
            legal_basis=message.opt_outs.legal_basis,
            uncheckable=_choose(
                Uncheckable, message.opt_outs.uncheckable, "opt_outs.uncheckable"
            ),
        ),
        daily_quota=message.daily_quota,
        linkage_ceiling=message.linkage_ceiling or DEFAULT_CEILING,
        follows_merges=message.follows_merges,
    )


def _choose(options: type[_Choice], text: str, field: str) -> _Choice:
    try:
        return options(text)
    except ValueError:
        msg = f"{field}: give one of " + ", ".join(options)
        raise InvalidArgument(msg) from None


def encode_policy(policy: StoredPolicy) -> administration.Policy:
    """Return a registered policy."""
    return administration.Policy(
        address=f"{policy.project}/{policy.release}@{policy.number}",
        text=policy.text,
        digest=policy.digest,
        registered_at=encode_time(policy.registered_at),
        registered_by=policy.registered_by,
    )


def encode_event(event: RecordedEvent) -> common.RecordedEvent:
    """Return an event in its place."""
    return common.RecordedEvent(
        chain=event.chain,
        sequence=event.sequence,
        body=event.body,
        previous=event.previous,
        digest=event.digest,
    )


def encode_checkpoint(checkpoint: Checkpoint) -> common.Checkpoint:
    """Return a checkpoint."""
    return common.Checkpoint(
        number=checkpoint.number,
        at=encode_time(checkpoint.at),
        heads=[_encode_head(head) for head in checkpoint.heads],
        previous=checkpoint.previous,
        signing_key_id=checkpoint.signing_key_id,
        signature=checkpoint.signature,
    )


def _encode_head(head: ChainHead) -> common.Checkpoint.Head:
    return common.Checkpoint.Head(
        chain=head.chain, sequence=head.sequence, digest=head.digest
    )
