"""The linkage desk: submit, review, withdraw, read and redeem requests.

Every change goes through the table of ``core.approval``, is recorded sealed in the
same transaction, and is anchored outside the database by a checkpoint.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from pseudo_service.core.access.roles import Actor, Permission, Role
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import (
    AccessDenied,
    RequestState,
    ReviewRefused,
    StateConflict,
)
from pseudo_service.core.keys.cursors import open_cursor, seal_cursor
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.keys.sealed_records import NONCE_BYTES
from pseudo_service.core.linkage.approval import (
    PERISHABLE,
    UNDECIDED,
    Step,
    judge_votes,
    may_vote,
    name_second_review,
    name_vote,
    state_at,
    step_from,
)
from pseudo_service.core.linkage.request import (
    Decision,
    LinkageMode,
    LinkageRequest,
    LinkageState,
    LinkageVerb,
    Vote,
)
from pseudo_service.core.linkage.rules import check_note
from pseudo_service.core.linkage.sealed_events import LinkageRecord, LinkageRecords
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.linkage.intake import LinkageIntake
from pseudo_service.engine.linkage.release import MakesCheckpoints, ReleaseDesk, anchor
from pseudo_service.engine.linkage.verified_history import read_votes
from pseudo_service.engine.linkage.views import (
    LinkageDetail,
    LinkagePage,
    LinkageSubmission,
    LinkageView,
    SealedRelease,
)
from pseudo_service.engine.linkage.visibility import (
    RequestVisibility,
    list_earlier_votes,
)
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.linkage_requests import RequestStore, StoredRequest

DEFAULT_PAGE = 20
LARGEST_PAGE = 100
MOST_OVERLAPS = 20
_ATTEMPTS = 5
Requests: TypeAlias = list[StoredRequest]  # the desk has a method of the name


class LinkageDesk:
    """What officers, researchers, reviewers and auditors ask of linkage."""

    def __init__(
        self,
        *,
        requests: RequestStore,
        intake: LinkageIntake,
        showing: RequestVisibility,
        release: ReleaseDesk,
        records: LinkageRecords,
        trail: MakesCheckpoints,
        service_root: Root,
        access_control: AccessControl,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._requests = requests
        self._intake = intake
        self._showing = showing
        self._release = release
        self._records = records
        self._trail = trail
        self._cursor_key = service_root.derive(KeyUse.CURSOR)
        self._access_control = access_control
        self._clock = clock
        self._entropy = entropy

    def submit(self, submission: LinkageSubmission, *, actor: Actor) -> LinkageView:
        """Take a request in; nothing of it can be changed afterwards.

        Raises:
            AccessDenied: The caller may not ask for this in the project.
            RequestRefused: A field is missing, or more is asked for than may be.
            PurposeMissing: The purpose is not usable.
            ProjectUnknown, ProjectNotActive: Of either project.
        """
        permission = Permission.SUBMIT_LINKAGE
        if submission.verb is LinkageVerb.LOCATE:
            permission = Permission.LOCATE_SUBJECT
        self._access_control.require(actor, permission, submission.project)
        request, code = self._intake.build(submission, actor=actor)
        event = self._records.describe_submitted(request, subject_code=code)
        self._requests.add(request, [event])
        return self._anchor_and_show(request.request_id, actor)

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
            digest: Of what the reviewer saw.
            decision: The vote.
            reason: Why; an approval may leave it empty.
            actor: The reviewer.

        Raises:
            RequestUnknown: There is none that the reviewer may see.
            AccessDenied: The reviewer may not review in any project of it.
            ReviewRefused: It is the reviewer's own, was reviewed by them before, or
                differs from what they saw.
            RequestState, RequestExpired: It cannot be reviewed now.
        """
        if reason or decision is Decision.REJECT:
            check_note("reason", reason)
        for _ in range(_ATTEMPTS):
            stored = self._showing.find(request_id, actor)
            self._showing.admit_to(stored.request, Permission.REVIEW_LINKAGE, actor)
            course = self._showing.course(request_id)
            _check_review(stored, course, digest, actor)
            vote = Vote(
                reviewer=actor.subject,
                guardian_of=_list_guarded(stored.request, actor),
                decision=decision,
                reason=reason,
                at=self._clock.now(),
            )
            if self._try_vote(stored, course, vote):
                self._settle(request_id)
                return self._anchor_and_show(request_id, actor)
        raise RequestState(_BUSY)

    def withdraw(self, request_id: str, *, reason: str, actor: Actor) -> LinkageView:
        """Take a request back, before it is released; by its requester only.

        Raises:
            RequestUnknown: There is none that the caller may see.
            AccessDenied: It is somebody else's.
            RequestState: It is not possible any more.
            RequestExpired: Its time is over.
        """
        check_note("reason", reason)
        for _ in range(_ATTEMPTS):
            stored = self._showing.find(request_id, actor)
            request = stored.request
            if actor.subject != request.requester:
                self._access_control.record_refusal(
                    actor, Permission.SUBMIT_LINKAGE, request.project
                )
                msg = "only the requester may withdraw a request"
                raise AccessDenied(msg)
            now = self._clock.now()
            state = state_at(stored.state, request.expires_at, now)
            new = step_from(state, Step.WITHDRAW)
            step = len(self._showing.course(request_id)) + 1
            event = self._records.describe_withdrawn(
                request, reason=reason, at=now, step=step
            )
            if self._try_change(stored, new, event):
                return self._anchor_and_show(request_id, actor)
        raise RequestState(_BUSY)

    def get(self, request_id: str, *, actor: Actor) -> LinkageDetail:
        """Return one request with what it asks for, and what else asked for it.

        Raises:
            RequestUnknown: There is none that the caller may see.
        """
        stored = self._showing.find(request_id, actor)
        pseudonyms = self._showing.show_subjects(stored.request, actor)
        overlaps = self._requests.find_overlaps(stored.request, limit=MOST_OVERLAPS)
        return LinkageDetail(
            view=self._showing.show(stored, actor),
            pseudonyms=pseudonyms,
            overlaps=self._showing.show_overlaps(overlaps, actor),
        )

    def list(
        self,
        project: str,
        *,
        states: Sequence[LinkageState],
        page_size: int,
        cursor: bytes,
        actor: Actor,
    ) -> LinkagePage:
        """Return requests that name a project, newest first.

        Args:
            project: As their own or as their target.
            states: Only requests that are in one of these now; all if empty.
            page_size: At most 100; 20 if 0.
            cursor: From the page before; empty for the first.
            actor: The caller.

        Raises:
            AccessDenied: The caller may not read the project's requests.
            InvalidArgument: The cursor is another list's or another caller's.
        """
        self._access_control.require(actor, Permission.READ_LINKAGE, project)
        wanted = frozenset(states)
        bound_to = ("linkages", actor.subject, project, *sorted(wanted))
        before = None
        if cursor:
            before = open_cursor(cursor, key=self._cursor_key, bound_to=bound_to)
        size = min(page_size or DEFAULT_PAGE, LARGEST_PAGE)
        found: Requests = []
        for stored in self._read(project, wanted, before=before, limit=size):
            if len(found) == size:
                return LinkagePage(
                    views=self._showing.show_all(found, actor),
                    next_cursor=seal_cursor(
                        found[-1].position,
                        key=self._cursor_key,
                        nonce=self._entropy.draw(NONCE_BYTES),
                        bound_to=bound_to,
                    ),
                )
            found.append(stored)
        return LinkagePage(views=self._showing.show_all(found, actor), next_cursor=b"")

    def redeem(self, request_id: str, *, actor: Actor) -> SealedRelease:
        """Release an approved request, once; afterwards hand out the kept result.

        Raises:
            RequestUnknown: There is none that the caller may see.
            AccessDenied: The caller is no linkage officer of the project, or another
                than the named redeemer.
            RequestState, RequestExpired: It cannot be released now.
            GrantRefused: The verified audit trail does not support it.
            GrantSpent: It was released, and its result was not kept.
        """
        stored = self._showing.find(request_id, actor)
        project = stored.request.project
        self._access_control.require(actor, Permission.REDEEM_LINKAGE, project)
        return self._release.redeem(stored, actor=actor)

    def _try_vote(
        self, stored: StoredRequest, course: Sequence[LinkageRecord], vote: Vote
    ) -> bool:
        request = stored.request
        state = state_at(stored.state, request.expires_at, vote.at)
        if state is LinkageState.AWAITING_SECOND_REVIEW:
            step = name_second_review(vote.decision)
        else:
            judged = judge_votes(request, [*list_earlier_votes(course), vote])
            step = name_vote(judged)
        event = self._records.describe_review(request, vote, step=len(course) + 1)
        return self._try_change(stored, step_from(state, step), event)

    def _settle(self, request_id: str) -> None:
        """Decide by two votes that were given at one moment, neither seeing the other.

        Both are on record already, and it is the record that a release believes.
        """
        stored = self._requests.get(request_id)
        if stored.state is not LinkageState.PARTIALLY_REVIEWED:
            return
        votes = list_earlier_votes(self._showing.course(request_id))
        judged = judge_votes(stored.request, votes)
        if judged not in UNDECIDED:
            with contextlib.suppress(StateConflict):  # the other voter did it
                self._requests.change_state(
                    request_id,
                    old=stored.state,
                    new=judged,
                    at=self._clock.now(),
                    audit=[],
                )

    def _try_change(
        self, stored: StoredRequest, new: LinkageState, event: AuditEvent
    ) -> bool:
        """Change the state if it is still the one that was read."""
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

    def _anchor_and_show(self, request_id: str, actor: Actor) -> LinkageView:
        anchor(self._trail)
        return self._showing.show(self._requests.get(request_id), actor)

    def _read(
        self,
        project: str,
        wanted: frozenset[LinkageState],
        *,
        before: int | None,
        limit: int,
    ) -> Iterator[StoredRequest]:
        """Yield requests that are in a wanted state now.

        Nobody stores that a request's time is over: those are found among the open.
        """
        stored_as = wanted
        if LinkageState.EXPIRED in wanted:
            stored_as |= PERISHABLE
        now = self._clock.now()
        while True:
            page = self._requests.list(
                project, states=sorted(stored_as), before=before, limit=limit + 1
            )
            for stored in page:
                state = state_at(stored.state, stored.request.expires_at, now)
                if not wanted or state in wanted:
                    yield stored
            if len(page) <= limit:
                return
            before = page[-1].position


def _check_review(
    stored: StoredRequest,
    course: Sequence[LinkageRecord],
    digest: bytes,
    actor: Actor,
) -> None:
    request = stored.request
    submitted = course[0].digest if course else b""
    if not digest == stored.digest == request.digest() == submitted:
        msg = "the request is not what you reviewed: read it again before you vote"
        raise ReviewRefused(msg)
    if not may_vote(request, actor.subject):
        msg = "nobody reviews a request of their own, or one that they will redeem"
        raise ReviewRefused(msg)
    if any(vote.reviewer == actor.subject for vote in read_votes(course)):
        msg = "you have reviewed this request before: somebody else must be the next"
        raise ReviewRefused(msg)
    is_ahead = stored.state is not LinkageState.AWAITING_SECOND_REVIEW
    if (
        request.mode is LinkageMode.BREAK_GLASS
        and is_ahead
        and not _list_guarded(request, actor)
    ):
        msg = "break glass: before the release only a guardian of the project reviews"
        raise ReviewRefused(msg)


def _list_guarded(request: LinkageRequest, actor: Actor) -> tuple[str, ...]:
    """Return the request's projects whose guardian the actor is."""
    return tuple(
        project
        for project in request.projects
        if Role.GUARDIAN in actor.roles_in(project)
    )


_BUSY = "others change the request at this moment: read it again and try once more"
