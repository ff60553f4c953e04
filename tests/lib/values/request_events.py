"""Linkage events as the desk writes them, for tests of what reads the trail."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose, SecretKey
from pseudo_service.core.linkage.request import (
    Decision,
    LegalBasis,
    LinkageMode,
    LinkageVerb,
    Vote,
)
from pseudo_service.core.linkage.sealed_events import (
    LinkageEventSealer,
    describe_refused,
)
from tests.lib.values.linkage_requests import build_request

SERVICE_ROOT = Root(
    owner="_service",
    version=1,
    purpose=RootPurpose.SERVICE,
    key=SecretKey(b"service root of the tests, 32 by"),
)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(kw_only=True)
class RequestEvents:
    """A request whose events are appended one after the other, an hour apart."""

    request_id: str = "request-1"
    project: str = "asthma"
    target_project: str = ""
    verb: LinkageVerb = LinkageVerb.REIDENTIFY
    mode: LinkageMode = LinkageMode.ROUTINE
    subjects: Sequence[str] = ("one", "two")
    start: datetime = START
    lifetime: timedelta = timedelta(days=7)
    subject_code: str = ""
    events: list[AuditEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sealer = LinkageEventSealer(SERVICE_ROOT.derive(KeyUse.LINKAGE_RECORD))
        self.request = build_request(
            request_id=self.request_id,
            verb=self.verb,
            mode=self.mode,
            project=self.project,
            target_project=self.target_project,
            subjects=tuple(self.subjects),
            purpose="recall of a faulty implant",
            legal_basis=LegalBasis.DIRECT_CARE,
            consent_reference="controller 14",
            requester="researcher-1",
            redeemer="officer-1",
            recipient_key=bytes(32),
            submitted_at=self.start,
            expires_at=self.start + self.lifetime,
        )
        self.now = self.start
        self.step = 1
        self.events.append(
            self.sealer.describe_submitted(self.request, subject_code=self.subject_code)
        )

    def _next(self) -> None:
        self.now += timedelta(hours=1)
        self.step += 1

    def vote(
        self,
        reviewer: str,
        *,
        guardian_of: tuple[str, ...] = (),
        decision: Decision = Decision.APPROVE,
    ) -> "RequestEvents":
        self._next()
        vote = Vote(
            reviewer=reviewer,
            guardian_of=guardian_of,
            decision=decision,
            reason="as agreed",
            at=self.now,
        )
        self.events.append(
            self.sealer.describe_review(self.request, vote, step=self.step)
        )
        return self

    def approve(self) -> "RequestEvents":
        self.vote("officer-2")
        return self.vote("guardian-1", guardian_of=self.request.terms.projects)

    def withdraw(self) -> "RequestEvents":
        self._next()
        self.events.append(
            self.sealer.describe_withdrawn(
                self.request, reason="not needed", at=self.now, step=self.step
            )
        )
        return self

    def begin_release(self) -> "RequestEvents":
        self._next()
        self.events.append(
            self.sealer.describe_intent(self.request, at=self.now, step=self.step)
        )
        return self

    def finish_release(self, *codes: str) -> "RequestEvents":
        counts = {"found": len(codes)}
        at = self.now + timedelta(minutes=1)
        self.events.extend(
            self.sealer.describe_subjects(
                self.request, codes, at=at, step=self.step, counts=counts
            )
        )
        self.events.append(
            self.sealer.describe_released(
                self.request,
                at=at,
                step=self.step,
                counts=counts,
                register_faults=0,
                sealed_digest=bytes(32),
            )
        )
        return self

    def release(self, *codes: str) -> "RequestEvents":
        return self.approve().begin_release().finish_release(*codes)

    def fetch(self) -> "RequestEvents":
        self._next()
        self.events.append(
            self.sealer.describe_fetched(self.request, at=self.now, step=self.step)
        )
        return self

    def refuse(self, code: ErrorCode = ErrorCode.GRANT_SPENT) -> "RequestEvents":
        self._next()
        self.events.append(
            describe_refused(
                request_id=self.request_id,
                project=self.project,
                actor="officer-1",
                at=self.now,
                code=code,
            )
        )
        return self
