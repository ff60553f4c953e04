"""What the audit trail says of a linkage request: for showing, and for releasing.

For showing, ``LinkageEventIndex`` follows the chains. For releasing, ``ApprovalVerifier``
verifies them all against the checkpoints outside the database, and believes nothing
that is stored elsewhere.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
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
from pseudo_service.core.linkage.approval import judge_votes, may_vote
from pseudo_service.core.linkage.request import LinkageRequest, LinkageState, Vote
from pseudo_service.core.linkage.sealed_events import (
    COURSE,
    LinkageRecord,
    LinkageRecords,
    read_request,
    read_vote,
)
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


class LinkageEventIndex:
    """Follows the chains and remembers each request's course, as far as its seals hold.

    The first look reads the whole trail, the later ones what came since. Records
    whose seal does not verify are left out here; a release refuses them.
    """

    def __init__(self, *, log: AuditLog, records: LinkageRecords) -> None:
        self._log = log
        self._records = records
        self._read_up_to: dict[str, int] = {}
        self._courses: defaultdict[str, list[LinkageRecord]] = defaultdict(list)
        self._results: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def course(self, request_id: str) -> tuple[LinkageRecord, ...]:
        """Return a request's records by step, as of now."""
        (course,) = self.courses([request_id])
        return course

    def courses(self, request_ids: Sequence[str]) -> list[tuple[LinkageRecord, ...]]:
        """Return the records of several requests, by step, as of one look."""
        with self._lock:
            self._catch_up()
            return [
                tuple(sorted(self._courses.get(each, ()), key=_read_step))
                for each in request_ids
            ]

    def result_digest(self, request_id: str) -> bytes | None:
        """Return SHA-256 of the sealed result that a release left; None of none."""
        with self._lock:
            self._catch_up()
            return self._results.get(request_id)

    def _catch_up(self) -> None:
        for chain in self._log.chains():
            after = self._read_up_to.get(chain, _BEFORE_FIRST)
            for event in self._log.read(chain, after=after):
                self._note(event)
                self._read_up_to[chain] = event.sequence

    def _note(self, event: RecordedEvent) -> None:
        if LINKAGE_MARK not in event.body:
            return
        try:
            record = self._records.read(event.body)
        except GrantRefused:
            return
        if record is None:
            return
        if record.kind in COURSE:
            self._courses[record.request_id].append(record)
        elif record.kind is AuditKind.LINKAGE_RELEASED:
            digest = bytes.fromhex(str(record.event.details["sealed_digest"]))
            self._results[record.request_id] = digest


def read_votes(course: Sequence[LinkageRecord]) -> tuple[Vote, ...]:
    """Return the votes of a course, those after a release included."""
    return tuple(
        read_vote(record)
        for record in course
        if record.kind is AuditKind.LINKAGE_REVIEWED
    )


class ApprovalVerifier:
    """Derives what may be released from the verified trail, and from nothing else."""

    def __init__(
        self,
        *,
        log: AuditLog,
        archive: CheckpointArchive,
        vault: KeyVault,
        records: LinkageRecords,
    ) -> None:
        self._log = log
        self._archive = archive
        self._vault = vault
        self._records = records

    def derive(self, stored: StoredRequest) -> ApprovedRequest:
        """Return the request as its records state it, if they approve it.

        Args:
            stored: The row: its subjects are compared with the recorded digest, its
                time of submission tells where to begin to read.

        Raises:
            GrantRefused: The trail has a fault, a record is forged, missing or there
                twice, the row differs from what was submitted, or the votes do not
                suffice.
        """
        course = self._read_course(stored)
        _check_order(course)
        submitted, *rest = course
        request = read_request(submitted, stored.request.subjects)
        if request != stored.request or submitted.digest != stored.digest:
            raise GrantRefused(_DIFFERS)
        if any(record.digest != submitted.digest for record in rest):
            raise GrantRefused(_DIFFERS)
        votes = _read_valid_votes(request, rest)
        if judge_votes(request, votes) is not LinkageState.APPROVED:
            raise GrantRefused(_NOT_APPROVED)
        return ApprovedRequest(
            request=request,
            votes=votes,
            step=len(course) + 1,
            subject_code=submitted.subject_code,
        )

    def _read_course(self, stored: StoredRequest) -> list[LinkageRecord]:
        """Verify the trail since before the submission; return the request's records."""
        try:
            # Outside before inside, inside before the chains: what is written
            # meanwhile is then merely not anchored yet.
            start, outside = self._read_outside(stored)
            number = 0 if start is None else start.number
            inside = list(self._log.checkpoints(after=number))
        except AuditBroken:
            raise GrantRefused(_UNSOUND) from None
        bodies: list[str] = []
        request_id = stored.request.request_id
        verdict = verify_trail(
            self._read_chains(start, request_id, bodies),
            outside=outside,
            inside=inside,
            is_signed=self._is_signed,
            start=start,
        )
        if verdict.findings:
            raise GrantRefused(_UNSOUND)
        read = filter(None, map(self._records.read, bodies))
        course = [
            record
            for record in read
            if record.request_id == request_id and record.kind in COURSE
        ]
        return sorted(course, key=_read_step)

    def _read_outside(
        self, stored: StoredRequest
    ) -> tuple[Checkpoint | None, list[Checkpoint]]:
        """Return the last copy from surely before the submission, and those after it.

        Read backwards: the archive holds a copy for every few minutes of the service.
        """
        latest = stored.request.submitted_at - LEEWAY
        later: list[Checkpoint] = []
        for checkpoint in self._archive.read(newest_first=True):
            if checkpoint.at < latest:
                return checkpoint, later[::-1]
            later.append(checkpoint)
        return None, later[::-1]

    def _read_chains(
        self, start: Checkpoint | None, request_id: str, bodies: list[str]
    ) -> Iterator[tuple[str, Iterator[RecordedEvent]]]:
        heads = () if start is None else start.heads
        ends = {head.chain: head.sequence for head in heads}
        for chain in self._log.chains():
            events = self._log.read(chain, after=ends.get(chain, _BEFORE_FIRST))
            yield chain, _overhear(events, request_id, bodies)

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


def _overhear(
    events: Iterator[RecordedEvent], request_id: str, bodies: list[str]
) -> Iterator[RecordedEvent]:
    """Pass events on, and keep the bodies of those that may concern the request."""
    for event in events:
        if request_id in event.body and LINKAGE_MARK in event.body:
            bodies.append(event.body)
        yield event


def _check_order(course: Sequence[LinkageRecord]) -> None:
    """Raise unless the course is a submission and then votes, none left out or doubled.

    Two people who vote at one moment may write the same step.
    """
    steps = [record.step for record in course]
    if not course or set(steps) != set(range(1, max(steps) + 1)):
        raise GrantRefused(_INCOMPLETE)
    first, *rest = course
    if first.kind is not AuditKind.LINKAGE_SUBMITTED:
        raise GrantRefused(_INCOMPLETE)
    if any(record.kind is not AuditKind.LINKAGE_REVIEWED for record in rest):
        raise GrantRefused(_MOVED_ON)


def _read_valid_votes(
    request: LinkageRequest, reviews: Sequence[LinkageRecord]
) -> tuple[Vote, ...]:
    votes = read_votes(reviews)
    reviewers = {vote.reviewer for vote in votes}
    in_time = all(
        request.submitted_at - LEEWAY <= vote.at < request.expires_at for vote in votes
    )
    allowed = all(may_vote(request, reviewer) for reviewer in reviewers)
    if len(reviewers) != len(votes) or not in_time or not allowed:
        raise GrantRefused(_NOT_APPROVED)
    return votes


def _read_step(record: LinkageRecord) -> int:
    return record.step


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
