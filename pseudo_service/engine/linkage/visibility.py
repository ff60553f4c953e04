"""Finds linkage requests for their callers, and shows what each caller may see."""

from collections.abc import Sequence

from pseudo_service.core.access.roles import Actor, Permission, check_may
from pseudo_service.core.errors import AccessDenied, RequestUnknown
from pseudo_service.core.linkage.approval import REVIEWERS_NEEDED, UNDECIDED, state_at
from pseudo_service.core.linkage.request import LinkageRequest, LinkageVerb
from pseudo_service.core.linkage.sealed_history import SealedHistory
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.linkage.event_index import LinkageEventIndex
from pseudo_service.engine.linkage.views import LinkageView, OverlapView
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.linkage_requests import (
    OverlappingRequest,
    RequestStore,
    StoredRequest,
)


class RequestVisibility:
    """Finds requests for the callers who may see them, and hides what they may not see."""

    def __init__(
        self,
        *,
        requests: RequestStore,
        index: LinkageEventIndex,
        access_control: AccessControl,
        clock: Clock,
    ) -> None:
        self._requests = requests
        self._index = index
        self._access_control = access_control
        self._clock = clock

    def find(self, request_id: str, actor: Actor) -> StoredRequest:
        """Return a request that the actor may read.

        Raises:
            RequestUnknown: There is none, or the actor may not know of it.
        """
        try:
            stored = self._requests.get(request_id)
            self.require(stored.request, Permission.READ_LINKAGE, actor)
        except (RequestUnknown, AccessDenied):  # one answer, whether it exists or not
            msg = "linkage request: there is none of this id that you may see"
            raise RequestUnknown(msg) from None
        return stored

    def find_to_redeem(self, request_id: str, actor: Actor) -> StoredRequest:
        """Return a request for a linkage officer of its project.

        Raises:
            RequestUnknown: There is none, or the actor may not know of it.
            AccessDenied: The actor is no linkage officer of the project; the refusal is
                on record.
        """
        stored = self.find(request_id, actor)
        project = stored.request.terms.project
        self._access_control.require(actor, Permission.REDEEM_LINKAGE, project)
        return stored

    def require(
        self, request: LinkageRequest, permission: Permission, actor: Actor
    ) -> None:
        """Raise unless the actor has a permission in any project of the request.

        Raises:
            AccessDenied: In none; the refusal is on record.
        """
        if not any(_may(actor, permission, each) for each in request.terms.projects):
            self._access_control.require(actor, permission, request.terms.project)

    def show(self, stored: StoredRequest, actor: Actor) -> LinkageView:
        """Return a request as the actor may see it now.

        While the request is undecided and has one vote, only its voter sees that vote.
        """
        (view,) = self.show_all([stored], actor)
        return view

    def show_all(
        self, found: Sequence[StoredRequest], actor: Actor
    ) -> tuple[LinkageView, ...]:
        """Return several requests, as ``show`` does."""
        histories = self._index.events_of_each(
            [each.request.request_id for each in found]
        )
        return tuple(
            self._view(stored, history, actor)
            for stored, history in zip(found, histories, strict=True)
        )

    def _view(
        self, stored: StoredRequest, history: SealedHistory, actor: Actor
    ) -> LinkageView:
        request, votes = stored.request, history.votes
        state = state_at(stored.state, request.terms.expires_at, self._clock.now())
        shown = votes
        if state in UNDECIDED and len(votes) < REVIEWERS_NEEDED:
            shown = tuple(vote for vote in votes if vote.reviewer == actor.subject)
        return LinkageView(
            request=request,
            digest=stored.digest,
            subject_count=len(request.subjects) or history.subject_count,
            state=state,
            votes=shown,
            hidden_votes=len(votes) - len(shown),
        )

    def show_subjects(self, request: LinkageRequest, actor: Actor) -> tuple[str, ...]:
        """Return the pseudonyms to members of the project and to reviewers.

        A researcher of a translation's target project does not see the pseudonyms of
        the other project.
        """
        if request.terms.verb is LinkageVerb.LOCATE:
            return ()
        may_read = _may(actor, Permission.READ_LINKAGE, request.terms.project)
        may_review = any(
            _may(actor, Permission.REVIEW_LINKAGE, each)
            for each in request.terms.projects
        )
        return tuple(request.subjects) if may_read or may_review else ()

    def show_overlaps(
        self, overlaps: Sequence[OverlappingRequest], actor: Actor
    ) -> tuple[OverlapView, ...]:
        """Return the overlapping requests that the actor may read.

        A member of a translation's target project does not see the requests of the
        other project.
        """
        now = self._clock.now()
        permission = Permission.READ_LINKAGE
        return tuple(
            OverlapView(
                request_id=each.stored.request.request_id,
                shared=each.shared,
                state=state_at(
                    each.stored.state, each.stored.request.terms.expires_at, now
                ),
                requester=each.stored.request.requester,
                submitted_at=each.stored.request.submitted_at,
            )
            for each in overlaps
            if any(
                _may(actor, permission, project)
                for project in each.stored.request.terms.projects
            )
        )


def _may(actor: Actor, permission: Permission, project: str) -> bool:
    try:
        check_may(actor, permission, project)
    except AccessDenied:
        return False
    return True
