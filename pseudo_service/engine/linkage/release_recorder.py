"""What a release writes: its intent, its result with its events, and its refusals."""

import contextlib
from collections.abc import Iterator
from datetime import datetime

from pseudo_service.core.access.roles import Actor
from pseudo_service.core.errors import (
    GrantRefused,
    GrantSpent,
    PseudoError,
    RequestExpired,
    StateConflict,
)
from pseudo_service.core.linkage.approval import Step, step_from
from pseudo_service.core.linkage.request import LinkageRequest, LinkageState
from pseudo_service.core.linkage.sealed_events import (
    LinkageEventSealer,
    describe_refused,
)
from pseudo_service.core.linkage.sealed_history import SealedHistory
from pseudo_service.engine.linkage.approval_verifier import ApprovedRequest
from pseudo_service.engine.linkage.event_index import LinkageEventIndex
from pseudo_service.engine.linkage.release_answers import Answered
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.linkage_requests import (
    KeptResult,
    RequestStore,
    StoredRequest,
)


class ReleaseRecorder:
    """Writes the steps of a release, and returns a kept result."""

    def __init__(
        self,
        *,
        requests: RequestStore,
        index: LinkageEventIndex,
        sealer: LinkageEventSealer,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._requests = requests
        self._index = index
        self._sealer = sealer
        self._journal = journal
        self._clock = clock

    @contextlib.contextmanager
    def record_refusals(self, request: LinkageRequest, actor: Actor) -> Iterator[None]:
        """Record a refusal of the block before it is raised further."""
        try:
            yield
        except PseudoError as refusal:
            self._journal.record(
                describe_refused(
                    request_id=request.request_id,
                    project=request.terms.project,
                    actor=actor.subject,
                    at=self._clock.now(),
                    code=refusal.code,
                )
            )
            raise

    def use_approval(
        self, approved: ApprovedRequest, *, old: LinkageState, new: LinkageState
    ) -> None:
        """Change the state and record the intent, in one transaction.

        Raises:
            RequestExpired: The request has expired.
            GrantSpent: Another call changed the state at this moment.
        """
        request, now = approved.request, self._clock.now()
        if now >= request.terms.expires_at:
            msg = "the request's time is over: submit a new one"
            raise RequestExpired(msg)
        intent = self._sealer.describe_intent(request, at=now, step=approved.step)
        try:
            self._requests.change_state(
                request.request_id, old=old, new=new, at=now, audit=[intent]
            )
        except StateConflict:
            msg = (
                "the request was released or withdrawn at this moment: read it again; "
                "a kept result is fetched by redeeming again"
            )
            raise GrantSpent(msg) from None

    def keep(
        self, approved: ApprovedRequest, answered: Answered, sealed: bytes
    ) -> KeptResult:
        """Store the sealed result with the events of the release, and return it."""
        request, now = approved.request, self._clock.now()
        kept = KeptResult(sealed=sealed, available_until=request.terms.expires_at)
        subjects = self._sealer.describe_subjects(
            request,
            answered.subject_codes,
            at=now,
            step=approved.step,
            counts=answered.counts,
        )
        released = self._sealer.describe_released(
            request,
            at=now,
            step=approved.step,
            counts=answered.counts,
            register_faults=answered.register_faults,
            sealed_digest=kept.digest,
        )
        self._requests.keep_result(request.request_id, kept, [*subjects, released])
        return kept

    def fetch(self, stored: StoredRequest, *, at: datetime) -> KeptResult:
        """Return the kept result of an earlier release; an event records it.

        Raises:
            RequestState: The release is disputed.
            RequestExpired: The request has expired, and its result with it.
            GrantSpent: No result was kept.
            GrantRefused: The kept result is not the one that was released.
        """
        request = stored.request
        step_from(stored.state, Step.FETCH)
        if at >= request.terms.expires_at:
            msg = "the request's time is over, and its result with it: submit a new one"
            raise RequestExpired(msg)
        kept = self._requests.read_result(request.request_id)
        if kept is None:
            msg = (
                "the release of this request is under way, or did not finish: redeem "
                "again in a minute; if its result is not there then, submit a new request"
            )
            raise GrantSpent(msg)
        history = self._index.events_of(request.request_id)
        self._check_kept(request, kept, history)
        step = history.release_step or 0
        self._journal.record(self._sealer.describe_fetched(request, at=at, step=step))
        return kept

    def _check_kept(
        self, request: LinkageRequest, kept: KeptResult, history: SealedHistory
    ) -> None:
        """Raise unless the records state this request and this very result.

        Anybody can seal to a public key. Without this check, a person who can write to
        the database could name the wrong people to the officer, or make a result outlive
        its request.
        """
        recorded = self._index.result_digest(request.request_id)
        is_stated = history.digest == request.digest()
        if not is_stated or recorded != kept.digest:
            msg = (
                "the kept result is not what was released: it is not handed out; submit "
                "a new request and tell the security officer"
            )
            raise GrantRefused(msg)
