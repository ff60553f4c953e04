"""Linkage events on the audit trail, each sealed under a key of the service.

Anybody who can write to the database can append to a hash chain. The seal prevents more:
without the service root nobody can make a vote, change one, or move one to another
request. The seal is HMAC-SHA256 (RFC 2104) over the event's canonical JSON without the
seal.

No record holds a pseudonym or an identifier. The request's digest binds the subjects,
and keyed subject codes name the people that a release found.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pseudo_service.core.audit.events import (
    BETWEEN,
    CODES_AN_EVENT,
    AuditEvent,
    AuditKind,
    Detail,
    RecordedEvent,
    encode_event,
)
from pseudo_service.core.audit.reading import LINKAGE_MARK
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import GrantRefused
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.linkage.event_fields import parse_request, parse_vote
from pseudo_service.core.linkage.request import (
    LinkageRequest,
    Vote,
    terms_to_fields,
)

DECISIVE_KINDS = frozenset(
    {
        AuditKind.LINKAGE_SUBMITTED,
        AuditKind.LINKAGE_REVIEWED,
        AuditKind.LINKAGE_WITHDRAWN,
        AuditKind.LINKAGE_RELEASE_INTENT,
    }
)
"""The kinds of record that decide the state of a request."""

_SEALED = DECISIVE_KINDS | {
    AuditKind.LINKAGE_SUBJECTS,
    AuditKind.LINKAGE_RELEASED,
    AuditKind.LINKAGE_FETCHED,
}
_DOMAIN = b"pseudo/linkage-record/v1\x1f"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageRecord:
    """A sealed event whose seal was verified.

    ``step`` counts the decisive records of a request from 1. The other records of a
    release carry the step of its intent.
    """

    event: AuditEvent
    request_id: str
    digest: bytes
    step: int

    @property
    def kind(self) -> AuditKind:
        """What happened."""
        return self.event.kind

    @property
    def subject_count(self) -> int:
        """How many subjects a submission names."""
        return int(self.event.details["subject_count"] or 0)

    @property
    def subject_code(self) -> str:
        """The keyed code of a LOCATE submission's one subject; else empty."""
        return str(self.event.details.get("subject_code") or "")


class LinkageEventSealer:
    """Seals linkage events and verifies their seals.

    Give it ``service_root.derive(KeyUse.LINKAGE_RECORD)``.
    """

    def __init__(self, key: SecretKey) -> None:
        self._key = key

    def describe_submitted(
        self, request: LinkageRequest, *, subject_code: str = ""
    ) -> AuditEvent:
        """Return the event of a submission; it states everything except the subjects."""
        terms = terms_to_fields(request.terms)
        del terms["project"]  # the event has a place of its own for it
        return self._seal(
            request,
            AuditKind.LINKAGE_SUBMITTED,
            at=request.submitted_at,
            actor=request.requester,
            step=1,
            details={
                **terms,
                "subject_count": len(request.subjects),
                "subject_code": subject_code,
            },
        )

    def describe_review(
        self, request: LinkageRequest, vote: Vote, *, step: int
    ) -> AuditEvent:
        """Return the event of a vote."""
        return self._seal(
            request,
            AuditKind.LINKAGE_REVIEWED,
            at=vote.at,
            actor=vote.reviewer,
            step=step,
            details={
                "decision": vote.decision.value,
                "guardian_of": BETWEEN.join(vote.guardian_of),
                "reason": vote.reason,
            },
        )

    def describe_withdrawn(
        self, request: LinkageRequest, *, reason: str, at: datetime, step: int
    ) -> AuditEvent:
        """Return the event of a withdrawal, which only the requester makes."""
        return self._seal(
            request,
            AuditKind.LINKAGE_WITHDRAWN,
            at=at,
            actor=request.requester,
            step=step,
            details={"reason": reason},
        )

    def describe_intent(
        self, request: LinkageRequest, *, at: datetime, step: int
    ) -> AuditEvent:
        """Return the event that precedes the opening of the register."""
        return self._seal(
            request,
            AuditKind.LINKAGE_RELEASE_INTENT,
            at=at,
            actor=request.terms.redeemer,
            step=step,
            details={
                "verb": request.terms.verb.value,
                "target_project": request.terms.target_project,
                "subject_count": len(request.subjects),
            },
        )

    def describe_subjects(
        self,
        request: LinkageRequest,
        codes: Sequence[str],
        *,
        at: datetime,
        step: int,
        counts: Mapping[str, int],
    ) -> Iterator[AuditEvent]:
        """Yield the events that list the people that a release found, by keyed code.

        Args:
            request: What was released.
            codes: Hexadecimal subject codes.
            at: When.
            step: The step of the release's intent.
            counts: How many subjects had each outcome, in the whole release.
        """
        for part, start in enumerate(range(0, len(codes), CODES_AN_EVENT), start=1):
            listed = codes[start : start + CODES_AN_EVENT]
            yield self._seal(
                request,
                AuditKind.LINKAGE_SUBJECTS,
                at=at,
                actor=request.terms.redeemer,
                step=step,
                details={
                    "part": part,
                    "codes": BETWEEN.join(listed),
                    "listed": len(listed),
                    **counts,
                },
            )

    def describe_released(
        self,
        request: LinkageRequest,
        *,
        at: datetime,
        step: int,
        counts: Mapping[str, int],
        register_faults: int,
        sealed_digest: bytes,
    ) -> AuditEvent:
        """Return the event of a finished release; ``counts`` are by outcome."""
        return self._seal(
            request,
            AuditKind.LINKAGE_RELEASED,
            at=at,
            actor=request.terms.redeemer,
            step=step,
            details={
                "verb": request.terms.verb.value,
                "target_project": request.terms.target_project,
                "purpose": request.terms.purpose,
                "register_faults": register_faults,
                "sealed_digest": sealed_digest.hex(),
                **counts,
            },
        )

    def describe_fetched(
        self, request: LinkageRequest, *, at: datetime, step: int
    ) -> AuditEvent:
        """Return the event of handing a kept result out again."""
        return self._seal(
            request,
            AuditKind.LINKAGE_FETCHED,
            at=at,
            actor=request.terms.redeemer,
            step=step,
            details={},
        )

    def read(self, body: str) -> LinkageRecord | None:
        """Return the linkage record that an event's body holds; None for other events.

        Raises:
            GrantRefused: The event is of a linkage kind, and its seal does not verify.
        """
        event = _parse(body)
        if event is None:
            return None
        details = dict(event.details)
        seal = details.pop("seal", None)
        unsealed = replace(event, details=details)
        if not isinstance(seal, str) or not hmac.compare_digest(
            seal.encode(), self._compute(unsealed).encode()
        ):
            raise GrantRefused(_FORGED)
        return LinkageRecord(
            event=unsealed,
            request_id=str(event.operation),
            digest=bytes.fromhex(str(details["digest"])),
            step=int(details["step"] or 0),
        )

    def read_each(self, events: Iterable[RecordedEvent]) -> Iterator[LinkageRecord]:
        """Yield the linkage records among events of the trail.

        Raises:
            GrantRefused: A seal does not verify; the records before it were yielded.
        """
        for recorded in events:
            if LINKAGE_MARK in recorded.body:
                record = self.read(recorded.body)
                if record is not None:
                    yield record

    def _seal(
        self,
        request: LinkageRequest,
        kind: AuditKind,
        *,
        at: datetime,
        actor: str,
        step: int,
        details: Mapping[str, Detail],
    ) -> AuditEvent:
        stated = {**details, "digest": request.digest().hex(), "step": step}
        event = AuditEvent(
            kind=kind,
            at=at,
            actor=actor,
            project=request.terms.project,
            operation=request.request_id,
            details=stated,
        )
        return replace(event, details={**stated, "seal": self._compute(event)})

    def _compute(self, event: AuditEvent) -> str:
        message = _DOMAIN + encode_event(event).encode()
        return hmac.digest(self._key.reveal(), message, hashlib.sha256).hex()

    def __repr__(self) -> str:
        return "LinkageEventSealer(***)"


def describe_refused(
    *,
    request_id: str,
    project: str,
    actor: str,
    at: datetime,
    code: ErrorCode,
) -> AuditEvent:
    """Return the event of a release that was refused."""
    return AuditEvent(
        kind=AuditKind.LINKAGE_REFUSED,
        at=at,
        actor=actor,
        project=project,
        operation=request_id,
        details={"code": code.value},
    )


def read_request(record: LinkageRecord, subjects: Sequence[str]) -> LinkageRequest:
    """Return the request of a submission's record, for these subjects.

    Raises:
        GrantRefused: The subjects are not those of the submission.
    """
    request = parse_request(record.event, subjects)
    if request.digest() != record.digest:
        raise GrantRefused(_CHANGED)
    return request


def read_vote(record: LinkageRecord) -> Vote:
    """Return the vote of a review's record."""
    return parse_vote(record.event)


_FORGED = (
    "the audit trail holds a linkage record that this service did not write: nothing is "
    "released; run `pseudo audit verify` and tell the security officer"
)
_CHANGED = (
    "the stored request is not the one that was submitted and reviewed: nothing is "
    "released; submit a new one and tell the security officer"
)


def _parse(body: str) -> AuditEvent | None:
    """Return the event if it is of a sealed kind; an unreadable event is a forgery."""
    try:
        fields: dict[str, Any] = json.loads(body)
        if fields["kind"] not in _SEALED:
            return None
        event = AuditEvent(
            kind=AuditKind(fields["kind"]),
            at=datetime.fromisoformat(fields["at"]),
            actor=fields["actor"],
            project=fields["project"],
            operation=fields["operation"],
            details=fields["details"],
        )
        is_canonical = encode_event(event) == body
    except (ValueError, TypeError, KeyError, AttributeError):
        raise GrantRefused(_FORGED) from None
    if not is_canonical:
        raise GrantRefused(_FORGED)
    return event
