"""The linkage desk: submit, review and withdraw requests.

Every change follows the transitions of ``core.linkage.approval``. Its sealed event is
committed in the same transaction, and a checkpoint outside the database follows.
"""

import contextlib

from pseudo_service.core.access.roles import Actor, Permission, Role
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import (
    AccessDenied,
    RequestState,
    ReviewRefused,
    StateConflict,
)
from pseudo_service.core.linkage.approval import (
    UNDECIDED,
    Step,
    may_vote,
    state_after_votes,
    state_at,
    step_from,
    step_of_second_review,
    step_of_vote,
)
from pseudo_service.core.linkage.request import (
    Decision,
    LinkageMode,
    LinkageRequest,
    LinkageState,
    LinkageVerb,
    Vote,
)
from pseudo_service.core.linkage.rules import check_free_text
from pseudo_service.core.linkage.sealed_events import LinkageEventSealer
from pseudo_service.core.linkage.sealed_history import SealedHistory
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.trail import AuditTrail
from pseudo_service.engine.linkage.event_index import LinkageEventIndex
from pseudo_service.engine.linkage.intake import LinkageIntake
from pseudo_service.engine.linkage.views import LinkageSubmission, LinkageView
from pseudo_service.engine.linkage.visibility import RequestVisibility
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.linkage_requests import RequestStore, StoredRequest

_ATTEMPTS = 5


class LinkageDesk:
    """Takes requests in, records votes on them, and withdraws them."""

    def __init__(
        self,
        *,
        requests: RequestStore,
        intake: LinkageIntake,
        visibility: RequestVisibility,
        index: LinkageEventIndex,
        sealer: LinkageEventSealer,
        trail: AuditTrail,
        access_control: AccessControl,
        clock: Clock,
    ) -> None:
        self._requests = requests
        self._intake = intake
        self._visibility = visibility
        self._index = index
        self._sealer = sealer
        self._trail = trail
        self._access_control = access_control
        self._clock = clock

    def submit(self, submission: LinkageSubmission, *, actor: Actor) -> LinkageView:
        """Store a request; no field of it can be changed afterwards.

        Raises:
            AccessDenied: The caller may not ask for this in the project.
            RequestRefused: A field is missing, or the request asks for too much.
            PurposeMissing: The purpose is not usable.
            ProjectUnknown, ProjectNotActive: Of either project.
        """
        permission = Permission.SUBMIT_LINKAGE
        if submission.terms.verb is LinkageVerb.LOCATE:
            permission = Permission.LOCATE_SUBJECT
        self._access_control.require(actor, permission, submission.terms.project)
        request, code = self._intake.build(submission, actor=actor)
        event = self._sealer.describe_submitted(request, subject_code=code)
        self._requests.add(request, [event])
        return self._finish(request.request_id, actor)

    def review(
        self,
        request_id: str,
        *,
        digest: bytes,
        decision: Decision,
        reason: str,
        actor: Actor,
    ) -> LinkageView:
        """Record a vote; after a break-glass release, its second review.

        Args:
            request_id: The request.
            digest: The digest of the request that the reviewer saw.
            decision: The vote.
            reason: Why; may be empty for an approval.
            actor: The reviewer.

        Raises:
            RequestUnknown: There is none that the reviewer may see.
            AccessDenied: The reviewer may not review in any project of it.
            ReviewRefused: The request is the reviewer's own, the reviewer has reviewed
                it before, or it differs from the request that the reviewer saw.
            RequestState, RequestExpired: The request cannot be reviewed now.
        """
        if reason or decision is Decision.REJECT:
            check_free_text("reason", reason)
        for _ in range(_ATTEMPTS):
            stored = self._visibility.find(request_id, actor)
            self._visibility.require(stored.request, Permission.REVIEW_LINKAGE, actor)
            history = self._index.events_of(request_id)
            _check_review(stored, history, digest, actor)
            vote = Vote(
                reviewer=actor.subject,
                guardian_of=_list_guarded(stored.request, actor),
                decision=decision,
                reason=reason,
                at=self._clock.now(),
            )
            if self._try_vote(stored, history, vote):
                self._decide_by_record(request_id)
                return self._finish(request_id, actor)
        raise RequestState(_BUSY)

    def withdraw(self, request_id: str, *, reason: str, actor: Actor) -> LinkageView:
        """Withdraw a request before it is released; only its requester may.

        Raises:
            RequestUnknown: There is none that the caller may see.
            AccessDenied: The caller is not the requester.
            RequestState: The request cannot be withdrawn any more.
            RequestExpired: The request has expired.
        """
        check_free_text("reason", reason)
        for _ in range(_ATTEMPTS):
            stored = self._visibility.find(request_id, actor)
            request = stored.request
            if actor.subject != request.requester:
                self._access_control.record_refusal(
                    actor, Permission.SUBMIT_LINKAGE, request.terms.project
                )
                msg = "only the requester may withdraw a request"
                raise AccessDenied(msg)
            now = self._clock.now()
            state = state_at(stored.state, request.terms.expires_at, now)
            new = step_from(state, Step.WITHDRAW)
            step = self._index.events_of(request_id).next_step
            event = self._sealer.describe_withdrawn(
                request, reason=reason, at=now, step=step
            )
            if self._try_change(stored, new, event):
                return self._finish(request_id, actor)
        raise RequestState(_BUSY)

    def _try_vote(
        self, stored: StoredRequest, history: SealedHistory, vote: Vote
    ) -> bool:
        request = stored.request
        state = state_at(stored.state, request.terms.expires_at, vote.at)
        if state is LinkageState.AWAITING_SECOND_REVIEW:
            step = step_of_second_review(vote.decision)
        else:
            votes = [*history.votes_before_release, vote]
            step = step_of_vote(state_after_votes(request, votes))
        event = self._sealer.describe_review(request, vote, step=history.next_step)
        return self._try_change(stored, step_from(state, step), event)

    def _decide_by_record(self, request_id: str) -> None:
        """Set the state that the recorded votes lead to, if it is not set yet.

        Two people may vote at one moment, and neither of the two votes counts the
        other. Both are on record, and a release believes the record.
        """
        stored = self._requests.get(request_id)
        if stored.state is not LinkageState.PARTIALLY_REVIEWED:
            return
        votes = self._index.events_of(request_id).votes_before_release
        state = state_after_votes(stored.request, votes)
        if state not in UNDECIDED:
            with contextlib.suppress(StateConflict):  # the other voter's call did it
                self._requests.change_state(
                    request_id,
                    old=stored.state,
                    new=state,
                    at=self._clock.now(),
                    audit=[],
                )

    def _try_change(
        self, stored: StoredRequest, new: LinkageState, event: AuditEvent
    ) -> bool:
        """Change the state unless another call has changed it; return whether it did."""
        try:
            self._requests.change_state(
                stored.request.request_id,
                old=stored.state,
                new=new,
                at=event.at,
                audit=[event],
            )
        except StateConflict:
            return False
        return True

    def _finish(self, request_id: str, actor: Actor) -> LinkageView:
        self._trail.checkpoint_now()
        return self._visibility.show(self._requests.get(request_id), actor)


def _check_review(
    stored: StoredRequest,
    history: SealedHistory,
    digest: bytes,
    actor: Actor,
) -> None:
    request = stored.request
    if not digest == stored.digest == request.digest() == history.digest:
        msg = "the request is not what you reviewed: read it again before you vote"
        raise ReviewRefused(msg)
    if not may_vote(request, actor.subject):
        msg = "nobody reviews a request of their own, or one that they will redeem"
        raise ReviewRefused(msg)
    if any(vote.reviewer == actor.subject for vote in history.votes):
        msg = "you have reviewed this request before: somebody else must be the next"
        raise ReviewRefused(msg)
    is_ahead = stored.state is not LinkageState.AWAITING_SECOND_REVIEW
    if (
        request.terms.mode is LinkageMode.BREAK_GLASS
        and is_ahead
        and not _list_guarded(request, actor)
    ):
        msg = "break glass: before the release only a guardian of the project reviews"
        raise ReviewRefused(msg)


def _list_guarded(request: LinkageRequest, actor: Actor) -> tuple[str, ...]:
    """Return the request's projects whose guardian the actor is."""
    return tuple(
        project
        for project in request.terms.projects
        if Role.GUARDIAN in actor.roles_in(project)
    )


_BUSY = "others change the request at this moment: read it again and try once more"
