"""Reads linkage requests, one with its details or a project's page by page."""

from collections.abc import Iterator, Sequence
from itertools import islice

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.keys.cursors import open_cursor, seal_cursor
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.keys.sealed_records import NONCE_BYTES
from pseudo_service.core.linkage.approval import EXPIRABLE, state_at
from pseudo_service.core.linkage.request import LinkageState
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.linkage.views import LinkageDetail, LinkagePage
from pseudo_service.engine.linkage.visibility import RequestVisibility
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.linkage_requests import RequestStore, StoredRequest

DEFAULT_PAGE = 20
LARGEST_PAGE = 100
MOST_OVERLAPS = 20


class LinkageReader:
    """Shows requests to officers, reviewers, researchers and auditors."""

    def __init__(
        self,
        *,
        requests: RequestStore,
        visibility: RequestVisibility,
        access_control: AccessControl,
        service_root: Root,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._requests = requests
        self._visibility = visibility
        self._access_control = access_control
        self._cursor_key = service_root.derive(KeyUse.CURSOR)
        self._clock = clock
        self._entropy = entropy

    def get(self, request_id: str, *, actor: Actor) -> LinkageDetail:
        """Return one request with its subjects and the requests that overlap it.

        Raises:
            RequestUnknown: There is none that the caller may see.
        """
        stored = self._visibility.find(request_id, actor)
        overlaps = self._requests.find_overlaps(stored.request, limit=MOST_OVERLAPS)
        return LinkageDetail(
            view=self._visibility.show(stored, actor),
            pseudonyms=self._visibility.show_subjects(stored.request, actor),
            overlaps=self._visibility.show_overlaps(overlaps, actor),
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
        wanted_now = self._read(project, wanted, before=before, limit=size)
        found = tuple(islice(wanted_now, size + 1))
        page, following = found[:size], b""
        if len(found) > size:
            following = seal_cursor(
                page[-1].position,
                key=self._cursor_key,
                nonce=self._entropy.draw(NONCE_BYTES),
                bound_to=bound_to,
            )
        views = self._visibility.show_all(page, actor)
        return LinkagePage(views=views, next_cursor=following)

    def _read(
        self,
        project: str,
        wanted: frozenset[LinkageState],
        *,
        before: int | None,
        limit: int,
    ) -> Iterator[StoredRequest]:
        """Yield requests that are in a wanted state now.

        EXPIRED is stored nowhere: expired requests are found among those that can
        expire.
        """
        stored_as = wanted
        if LinkageState.EXPIRED in wanted:
            stored_as |= EXPIRABLE
        now = self._clock.now()
        while True:
            page = self._requests.list(
                project, states=sorted(stored_as), before=before, limit=limit + 1
            )
            for stored in page:
                state = state_at(stored.state, stored.request.terms.expires_at, now)
                if not wanted or state in wanted:
                    yield stored
            if len(page) <= limit:
                return
            before = page[-1].position
