"""What each caller may see of a linkage request."""

from collections.abc import Sequence

from pseudo_service.core.access.roles import Actor, Permission, check_may
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import AccessDenied, RequestUnknown
from pseudo_service.core.linkage.approval import ENOUGH, UNDECIDED, state_at
from pseudo_service.core.linkage.request import LinkageRequest, LinkageVerb, Vote
from pseudo_service.core.linkage.sealed_events import LinkageRecord
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.linkage.verified_history import LinkageEventIndex, read_votes
from pseudo_service.engine.linkage.views import LinkageView, OverlapView
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.linkage_requests import (
    OverlappingRequest,
    RequestStore,
    StoredRequest,
)


class RequestVisibility:
    """Finds requests for those who may see them, and hides what they may not."""

    def __init__(
        self,
        *,
        requests: RequestStore,
        book: LinkageEventIndex,
        access_control: AccessControl,
        clock: Clock,
    ) -> None:
        self._requests = requests
        self._book = book
        self._access_control = access_control
        self._clock = clock

    def find(self, request_id: str, actor: Actor) -> StoredRequest:
        """Return a request that the actor may read.

        Raises:
            RequestUnknown: There is none, or the actor may not know of it.
        """
        try:
            stored = self._requests.get(request_id)
            self.admit_to(stored.request, Permission.READ_LINKAGE, actor)
        except (RequestUnknown, AccessDenied):
            msg = "linkage request: there is none of this id that you may see"
            raise RequestUnknown(msg) from None
        return stored

    def admit_to(
        self, request: LinkageRequest, permission: Permission, actor: Actor
    ) -> None:
        """Raise unless the actor has a permission in any project of the request.

        Raises:
            AccessDenied: In none; the refusal is on record.
        """
        if not any(_may(actor, permission, each) for each in request.projects):
            self._access_control.require(actor, permission, request.project)

    def course(self, request_id: str) -> tuple[LinkageRecord, ...]:
        """Return a request's sealed records by step."""
        return self._book.course(request_id)

    def show(self, stored: StoredRequest, actor: Actor) -> LinkageView:
        """Return a request as the actor may see it now.

        While nothing is decided and one vote is in, only its voter sees it.
        """
        (view,) = self.show_all([stored], actor)
        return view

    def show_all(
        self, found: Sequence[StoredRequest], actor: Actor
    ) -> tuple[LinkageView, ...]:
        """Return several requests, as ``show`` does."""
        courses = self._book.courses([each.request.request_id for each in found])
        return tuple(
            self._view(stored, course, actor)
            for stored, course in zip(found, courses, strict=True)
        )

    def _view(
        self, stored: StoredRequest, course: Sequence[LinkageRecord], actor: Actor
    ) -> LinkageView:
        request = stored.request
        votes = read_votes(course)
        state = state_at(stored.state, request.expires_at, self._clock.now())
        shown = votes
        if state in UNDECIDED and len(votes) < ENOUGH:
            shown = tuple(vote for vote in votes if vote.reviewer == actor.subject)
        return LinkageView(
            request=request,
            digest=stored.digest,
            subject_count=_count_subjects(request, course),
            state=state,
            votes=shown,
            hidden_votes=len(votes) - len(shown),
        )

    def show_subjects(self, request: LinkageRequest, actor: Actor) -> tuple[str, ...]:
        """Return the pseudonyms, to those who know the project or must judge.

        A researcher of a translation's target has no business with the pseudonyms of
        the project it comes from.
        """
        if request.verb is LinkageVerb.LOCATE:
            return ()
        may_know = _may(actor, Permission.READ_LINKAGE, request.project)
        may_judge = any(
            _may(actor, Permission.REVIEW_LINKAGE, each) for each in request.projects
        )
        return tuple(request.subjects) if may_know or may_judge else ()

    def show_overlaps(
        self, overlaps: Sequence[OverlappingRequest], actor: Actor
    ) -> tuple[OverlapView, ...]:
        """Return what else asked for some of the same, and the actor may read.

        Who sees a translation for its target has no business with what else is asked
        in the project it comes from.
        """
        now = self._clock.now()
        permission = Permission.READ_LINKAGE
        return tuple(
            OverlapView(
                request_id=each.stored.request.request_id,
                shared=each.shared,
                state=state_at(each.stored.state, each.stored.request.expires_at, now),
                requester=each.stored.request.requester,
                submitted_at=each.stored.request.submitted_at,
            )
            for each in overlaps
            if any(
                _may(actor, permission, project)
                for project in each.stored.request.projects
            )
        )


def list_earlier_votes(course: Sequence[LinkageRecord]) -> tuple[Vote, ...]:
    """Return the votes before a release, if there was one."""
    releases = [
        record.step
        for record in course
        if record.kind is AuditKind.LINKAGE_RELEASE_INTENT
    ]
    until = min(releases, default=len(course) + 1)
    return read_votes([record for record in course if record.step < until])


def _count_subjects(request: LinkageRequest, course: Sequence[LinkageRecord]) -> int:
    if request.subjects:
        return len(request.subjects)
    is_recorded = bool(course) and course[0].kind is AuditKind.LINKAGE_SUBMITTED
    return course[0].subject_count if is_recorded else 0


def _may(actor: Actor, permission: Permission, project: str) -> bool:
    try:
        check_may(actor, permission, project)
    except AccessDenied:
        return False
    return True
