"""Verifying the approval of a linkage request from the audit trail alone.

``ApprovalVerifier`` verifies all chains against the checkpoints outside the database. It
believes no state and no vote that is stored elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from pseudo_service.core.audit.events import AuditKind, Checkpoint, RecordedEvent
from pseudo_service.core.audit.reading import LINKAGE_MARK
from pseudo_service.core.audit.verification import verify_trail
from pseudo_service.core.errors import (
    AuditBroken,
    GrantRefused,
    KeyUnknown,
    KeyVaultRefused,
    SignatureRefused,
)
from pseudo_service.core.linkage.approval import may_vote, state_after_votes
from pseudo_service.core.linkage.request import LinkageRequest, LinkageState, Vote
from pseudo_service.core.linkage.sealed_events import (
    DECISIVE_KINDS,
    LinkageEventSealer,
    read_request,
)
from pseudo_service.core.linkage.sealed_history import SealedHistory
from pseudo_service.engine.keys.key_ring import AUDIT_KEY
from pseudo_service.ports.audit_log import AuditLog, CheckpointArchive
from pseudo_service.ports.key_vault import KeyVault, Signature
from pseudo_service.ports.linkage_requests import StoredRequest

LEEWAY = timedelta(minutes=10)
"""How far the clocks of two processes may differ."""

_BEFORE_FIRST = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedRequest:
    """A request whose approval the verified trail supports.

    ``step`` is the step of the next record. ``subject_code`` is given for LOCATE.
    """

    request: LinkageRequest
    votes: tuple[Vote, ...]
    step: int
    subject_code: str


class ApprovalVerifier:
    """Verifies approvals from the audit trail, and from nothing else."""

    def __init__(
        self,
        *,
        log: AuditLog,
        archive: CheckpointArchive,
        vault: KeyVault,
        sealer: LinkageEventSealer,
    ) -> None:
        self._log = log
        self._archive = archive
        self._vault = vault
        self._sealer = sealer

    def verify(self, stored: StoredRequest) -> ApprovedRequest:
        """Return the request as its records state it, if they approve it.

        Args:
            stored: The row. Its subjects are compared with the recorded digest, and its
                time of submission says where the reading begins.

        Raises:
            GrantRefused: The trail has a fault; a record is forged, missing or there
                twice; the row differs from the submission; or the votes do not suffice.
        """
        history = self._read_history(stored)
        _check_order(history)
        submitted, *rest = history.records
        request = read_request(submitted, stored.request.subjects)
        if request != stored.request or submitted.digest != stored.digest:
            raise GrantRefused(_DIFFERS)
        if any(record.digest != submitted.digest for record in rest):
            raise GrantRefused(_DIFFERS)
        votes = _check_votes(request, history.votes)
        if state_after_votes(request, votes) is not LinkageState.APPROVED:
            raise GrantRefused(_NOT_APPROVED)
        return ApprovedRequest(
            request=request,
            votes=votes,
            step=history.next_step,
            subject_code=submitted.subject_code,
        )

    def _read_history(self, stored: StoredRequest) -> SealedHistory:
        """Verify the trail since before the submission; return the request's records."""
        try:
            # The archive is read before the database, and the checkpoints before the
            # chains: an event that is written meanwhile is then not anchored yet, which
            # is no fault.
            start, outside = self._read_outside(stored)
            number = 0 if start is None else start.number
            inside = list(self._log.checkpoints(after=number))
        except AuditBroken:
            raise GrantRefused(_UNSOUND) from None
        request_id = stored.request.request_id
        matching: list[RecordedEvent] = []
        verdict = verify_trail(
            self._read_chains(start, request_id, matching),
            outside=outside,
            inside=inside,
            is_signed=self._is_signed,
            start=start,
        )
        if verdict.findings:
            raise GrantRefused(_UNSOUND)
        return SealedHistory.of(
            record
            for record in self._sealer.read_each(matching)
            if record.request_id == request_id and record.kind in DECISIVE_KINDS
        )

    def _read_outside(
        self, stored: StoredRequest
    ) -> tuple[Checkpoint | None, list[Checkpoint]]:
        """Return the last copy made before the submission, and the copies after it.

        The archive is read backwards: it holds a copy for every few minutes.
        """
        latest = stored.request.submitted_at - LEEWAY
        later: list[Checkpoint] = []
        for checkpoint in self._archive.read(newest_first=True):
            if checkpoint.at < latest:
                return checkpoint, later[::-1]
            later.append(checkpoint)
        return None, later[::-1]

    def _read_chains(
        self, start: Checkpoint | None, request_id: str, matching: list[RecordedEvent]
    ) -> Iterator[tuple[str, Iterator[RecordedEvent]]]:
        heads = () if start is None else start.heads
        ends = {head.chain: head.sequence for head in heads}
        for chain in self._log.chains():
            events = self._log.read(chain, after=ends.get(chain, _BEFORE_FIRST))
            yield chain, _tee_matching(events, request_id, matching)

    def _is_signed(self, checkpoint: Checkpoint) -> bool:
        signature = Signature(
            key_id=checkpoint.signing_key_id, value=checkpoint.signature
        )
        try:
            if self._vault.key_name(signature.key_id) != AUDIT_KEY:
                return False
            self._vault.verify(checkpoint.signed_bytes(), signature)
        except (SignatureRefused, KeyVaultRefused, KeyUnknown):
            return False
        return True


def _tee_matching(
    events: Iterator[RecordedEvent], request_id: str, matching: list[RecordedEvent]
) -> Iterator[RecordedEvent]:
    """Yield the events, and collect those that may concern the request."""
    for event in events:
        if request_id in event.body and LINKAGE_MARK in event.body:
            matching.append(event)
        yield event


def _check_order(history: SealedHistory) -> None:
    """Raise unless the records are a submission and then votes, with no step left out.

    Two people who vote at one moment may write the same step.
    """
    steps = {record.step for record in history.records}
    if not steps or steps != set(range(1, max(steps) + 1)):
        raise GrantRefused(_INCOMPLETE)
    first, *rest = history.records
    if first.kind is not AuditKind.LINKAGE_SUBMITTED:
        raise GrantRefused(_INCOMPLETE)
    if any(record.kind is not AuditKind.LINKAGE_REVIEWED for record in rest):
        raise GrantRefused(_MOVED_ON)


def _check_votes(request: LinkageRequest, votes: tuple[Vote, ...]) -> tuple[Vote, ...]:
    """Return the votes if each is in time, of another person, and allowed."""
    reviewers = {vote.reviewer for vote in votes}
    earliest = request.submitted_at - LEEWAY
    in_time = all(earliest <= vote.at < request.terms.expires_at for vote in votes)
    allowed = all(may_vote(request, reviewer) for reviewer in reviewers)
    if len(reviewers) != len(votes) or not in_time or not allowed:
        raise GrantRefused(_NOT_APPROVED)
    return votes


_UNSOUND = (
    "the audit trail does not verify: nothing is released; run `pseudo audit verify` and "
    "tell the security officer"
)
_INCOMPLETE = (
    "the audit trail does not hold this request's records from its submission on: "
    "nothing is released; submit a new request and tell the security officer"
)
_MOVED_ON = (
    "the audit trail holds a release or a withdrawal of this request, or a second "
    "submission: nothing is released; redeem again to fetch a kept result, else "
    "submit a new request"
)
_DIFFERS = (
    "the stored request is not the one that was submitted and reviewed: nothing is "
    "released; submit a new one and tell the security officer"
)
_NOT_APPROVED = (
    "the votes on record do not approve this request: nothing is released; "
    "have it reviewed, or submit a new one"
)
