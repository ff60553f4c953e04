"""What the administration calls take and hand back, as plain values."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from google.protobuf.timestamp_pb2 import Timestamp

from pseudo_client.api.v1 import administration_pb2 as pb
from pseudo_client.api.v1 import common_pb2


def read_moment(message: Timestamp) -> datetime:
    """Return a wire timestamp in UTC."""
    return message.ToDatetime(tzinfo=UTC)


def write_moment(moment: datetime) -> Timestamp:
    """Return the wire timestamp of a moment, which must have a time zone."""
    if moment.tzinfo is None:
        msg = "give a moment with its time zone"
        raise ValueError(msg)
    message = Timestamp()
    message.FromDatetime(moment.astimezone(UTC))
    return message


@dataclass(frozen=True, slots=True, kw_only=True)
class DateShift:
    """How far a project's dates move: ``bound`` counts "weeks" or "days"."""

    unit: str = "weeks"
    bound: int = 52
    direction: str = "past"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOuts:
    """Whether opt-outs are "applied" or "not_applicable", and on what basis."""

    application: str
    legal_basis: str
    uncheckable: str = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVersion:
    """A version of a project's pseudonym key; never the key."""

    version: int
    check_value: bytes
    created_at: datetime
    wrapping_key_id: str

    @classmethod
    def from_message(cls, message: pb.KeyVersion) -> Self:
        """Return the value of a wire message."""
        return cls(
            version=message.version,
            check_value=message.check_value,
            created_at=read_moment(message.created_at),
            wrapping_key_id=message.wrapping_key_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How a project ends; ``agreed_by`` is None until a second custodian agreed."""

    requested_by: str
    requested_at: datetime
    reason: str
    agreed_by: str | None
    not_before: datetime

    @classmethod
    def from_message(cls, message: pb.Closing) -> Self:
        """Return the value of a wire message."""
        return cls(
            requested_by=message.requested_by,
            requested_at=read_moment(message.requested_at),
            reason=message.reason,
            agreed_by=message.agreed_by or None,
            not_before=read_moment(message.not_before),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """What the service stated, in the exact bytes that it signed.

    They are checked against the audit public key by the command line; this client
    holds no such key.
    """

    statement: bytes
    signature: bytes
    certificate: bytes
    certificate_signature: bytes
    certificate_key_id: str

    @classmethod
    def from_message(cls, message: common_pb2.SignedStatement) -> Self:
        """Return the value of a wire message."""
        return cls(
            statement=message.statement,
            signature=message.signature,
            certificate=message.certificate,
            certificate_signature=message.certificate_signature,
            certificate_key_id=message.certificate_key_id,
        )

    def read_statement(self) -> dict[str, Any]:
        """Return the statement, decoded and unverified."""
        decoded: dict[str, Any] = json.loads(self.statement)
        return decoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project as the service holds it.

    Until ``overlap_until`` tables may ask for the pseudonyms of the key version
    before, too. ``closing`` is given while it closes, and once it is destroyed.
    """

    project: str
    tag: str
    title: str
    state: str
    date_shift: DateShift
    opt_outs: OptOuts
    daily_quota: int
    created_at: datetime
    key_versions: tuple[KeyVersion, ...]
    linkage_ceiling: int = 1_000
    follows_merges: bool = False
    overlap_until: datetime | None = None
    closing: Closing | None = None

    @classmethod
    def from_message(cls, message: pb.Project) -> Self:
        """Return the value of a wire message."""
        return cls(
            project=message.project,
            tag=message.tag,
            title=message.title,
            state=message.state,
            date_shift=DateShift(
                unit=message.date_shift.unit,
                bound=message.date_shift.bound,
                direction=message.date_shift.direction,
            ),
            opt_outs=OptOuts(
                application=message.opt_outs.application,
                legal_basis=message.opt_outs.legal_basis,
                uncheckable=message.opt_outs.uncheckable,
            ),
            daily_quota=message.daily_quota,
            created_at=read_moment(message.created_at),
            key_versions=tuple(map(KeyVersion.from_message, message.key_versions)),
            linkage_ceiling=message.linkage_ceiling,
            follows_merges=message.follows_merges,
            overlap_until=(
                read_moment(message.overlap_until)
                if message.HasField("overlap_until")
                else None
            ),
            closing=(
                Closing.from_message(message.closing)
                if message.HasField("closing")
                else None
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A registered policy: its address ("project/release@n"), text and digest."""

    address: str
    text: str
    digest: bytes
    registered_at: datetime
    registered_by: str

    @classmethod
    def from_message(cls, message: pb.Policy) -> Self:
        """Return the value of a wire message."""
        return cls(
            address=message.address,
            text=message.text,
            digest=message.digest,
            registered_at=read_moment(message.registered_at),
            registered_by=message.registered_by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedOptOuts:
    """An opt-out list that is now in force."""

    list_id: str
    entries: int
    expires_at: datetime

    @classmethod
    def from_message(cls, message: pb.LoadOptOutsResponse) -> Self:
        """Return the value of a wire message."""
        return cls(
            list_id=message.list_id,
            entries=message.entries,
            expires_at=read_moment(message.expires_at),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedAliases:
    """A table of superseded and re-issued numbers that is now in force."""

    list_id: str
    merged: int
    reissued: int

    @classmethod
    def from_message(cls, message: pb.LoadAliasesResponse) -> Self:
        """Return the value of a wire message."""
        return cls(
            list_id=message.list_id, merged=message.merged, reissued=message.reissued
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event of the audit trail in its place in a chain."""

    chain: str
    sequence: int
    body: str
    previous: bytes
    digest: bytes

    @classmethod
    def from_message(cls, message: common_pb2.RecordedEvent) -> Self:
        """Return the value of a wire message."""
        return cls(
            chain=message.chain,
            sequence=message.sequence,
            body=message.body,
            previous=message.previous,
            digest=message.digest,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """The last event of a chain at some moment."""

    chain: str
    sequence: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The signed heads of all audit chains."""

    number: int
    at: datetime
    heads: tuple[ChainHead, ...]
    previous: bytes
    signing_key_id: str
    signature: bytes

    @classmethod
    def from_message(cls, message: common_pb2.Checkpoint) -> Self:
        """Return the value of a wire message."""
        heads = (
            ChainHead(chain=each.chain, sequence=each.sequence, digest=each.digest)
            for each in message.heads
        )
        return cls(
            number=message.number,
            at=read_moment(message.at),
            heads=tuple(heads),
            previous=message.previous,
            signing_key_id=message.signing_key_id,
            signature=message.signature,
        )
