"""What the linkage calls hand back, as plain values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from pseudo_client.administration_values import read_moment
from pseudo_client.api.v1 import linkage_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One review that may be seen."""

    reviewer: str
    guardian_of: tuple[str, ...]
    decision: str
    reason: str
    at: datetime

    @classmethod
    def from_message(cls, message: pb.Vote) -> Self:
        """Return the value of a wire message."""
        return cls(
            reviewer=message.reviewer,
            guardian_of=tuple(message.guardian_of),
            decision=message.decision,
            reason=message.reason,
            at=read_moment(message.at),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
    """A request and where it stands; ``digest`` fixes all that was asked.

    ``hidden_votes`` counts reviews that are shown only after the next one.
    """

    request_id: str
    verb: str
    mode: str
    project: str
    target_project: str
    purpose: str
    legal_basis: str
    consent_reference: str
    requester: str
    redeemer: str
    recipient_key: bytes
    submitted_at: datetime
    expires_at: datetime
    subject_count: int
    digest: bytes
    state: str
    votes: tuple[Vote, ...]
    hidden_votes: int

    @classmethod
    def from_message(cls, message: pb.Linkage) -> Self:
        """Return the value of a wire message."""
        return cls(
            request_id=message.request_id,
            verb=message.verb,
            mode=message.mode,
            project=message.project,
            target_project=message.target_project,
            purpose=message.purpose,
            legal_basis=message.legal_basis,
            consent_reference=message.consent_reference,
            requester=message.requester,
            redeemer=message.redeemer,
            recipient_key=message.recipient_key,
            submitted_at=read_moment(message.submitted_at),
            expires_at=read_moment(message.expires_at),
            subject_count=message.subject_count,
            digest=message.digest,
            state=message.state,
            votes=tuple(Vote.from_message(each) for each in message.votes),
            hidden_votes=message.hidden_votes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """An earlier request for ``shared`` of the same subjects."""

    request_id: str
    shared: int
    state: str
    requester: str
    submitted_at: datetime

    @classmethod
    def from_message(cls, message: pb.Overlap) -> Self:
        """Return the value of a wire message."""
        return cls(
            request_id=message.request_id,
            shared=message.shared,
            state=message.state,
            requester=message.requester,
            submitted_at=read_moment(message.submitted_at),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageDetails:
    """A request with exactly what it asks for; no pseudonyms for "locate"."""

    linkage: Linkage
    pseudonyms: tuple[str, ...]
    overlaps: tuple[Overlap, ...]

    @classmethod
    def from_message(cls, message: pb.GetLinkageResponse) -> Self:
        """Return the value of a wire message."""
        return cls(
            linkage=Linkage.from_message(message.linkage),
            pseudonyms=tuple(message.pseudonyms),
            overlaps=tuple(Overlap.from_message(each) for each in message.overlaps),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedResult:
    """A release's answer, which only the holder of the request's private key opens.

    ``released_now`` is false when the answer was kept from an earlier release.
    """

    request_id: str
    digest: bytes
    sealed: bytes = field(repr=False)
    available_until: datetime
    released_now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRelease:
    """One release that concerned a person."""

    request_id: str
    verb: str
    project: str
    target_project: str
    released_at: datetime
    redeemer: str
    purpose: str

    @classmethod
    def from_message(cls, message: pb.SubjectRelease) -> Self:
        """Return the value of a wire message."""
        return cls(
            request_id=message.request_id,
            verb=message.verb,
            project=message.project,
            target_project=message.target_project,
            released_at=read_moment(message.released_at),
            redeemer=message.redeemer,
            purpose=message.purpose,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectHistory:
    """Who released one person, and the releases of which that is not known."""

    releases: tuple[SubjectRelease, ...]
    open_requests: tuple[str, ...]

    @classmethod
    def from_message(cls, message: pb.TraceSubjectResponse) -> Self:
        """Return the value of a wire message."""
        return cls(
            releases=tuple(
                SubjectRelease.from_message(each) for each in message.releases
            ),
            open_requests=tuple(message.open_requests),
        )
