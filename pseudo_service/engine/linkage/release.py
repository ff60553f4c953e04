"""Redeeming a linkage request: one release, however many ask for it.

The order is the guarantee: the votes are derived from the verified trail, the state is
compared and set together with the intent, and only then is the grant minted that opens
the register. What comes out is sealed to the officer and kept before anybody sees it.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pseudo_service.core.access.roles import Actor
from pseudo_service.core.audit.events import AuditEvent, AuditKind, Checkpoint
from pseudo_service.core.errors import (
    AccessDenied,
    GrantRefused,
    GrantSpent,
    PseudoError,
    RequestExpired,
    StateConflict,
)
from pseudo_service.core.ids import OperationId
from pseudo_service.core.linkage.approval import (
    OPENED,
    Step,
    name_release,
    state_at,
    step_from,
)
from pseudo_service.core.linkage.request import LinkageRequest, LinkageState
from pseudo_service.core.linkage.results import seal_result
from pseudo_service.core.linkage.sealed_events import (
    LinkageRecord,
    LinkageRecords,
    describe_refused,
)
from pseudo_service.engine.linkage.release_answers import Answered, ReleaseAnswers
from pseudo_service.engine.linkage.translation_record import TranslationRecord
from pseudo_service.engine.linkage.verified_history import (
    ApprovalVerifier,
    ApprovedRequest,
    LinkageEventIndex,
)
from pseudo_service.engine.linkage.views import SealedRelease
from pseudo_service.engine.register.opening import RegisterGrant
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.linkage_requests import (
    KeptResult,
    RequestStore,
    StoredRequest,
)


class MakesCheckpoints(Protocol):
    """What is asked of ``AuditTrail``."""

    def checkpoint(self) -> Checkpoint | None:
        """Sign the heads of all chains and copy them outside the database."""
        ...


def anchor(trail: MakesCheckpoints) -> None:
    """Make a checkpoint over what was just written, if it can be made now.

    What was written stands either way, so its caller is not told of a failure; a
    release makes up for it first, or is refused.
    """
    with contextlib.suppress(PseudoError):
        # None may mean that another process made one just before the last event.
        trail.checkpoint() or trail.checkpoint()


class ReleaseGrant(RegisterGrant):
    """The right to open the register once, for one approved request.

    Minted only here, after the release's intent is durable.
    """

    __slots__ = ()


class ReleaseDesk:
    """Releases approved requests, each once, to their named redeemer."""

    def __init__(
        self,
        *,
        requests: RequestStore,
        history: ApprovalVerifier,
        book: LinkageEventIndex,
        records: LinkageRecords,
        answers: ReleaseAnswers,
        translations: TranslationRecord,
        trail: MakesCheckpoints,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._requests = requests
        self._history = history
        self._book = book
        self._records = records
        self._answers = answers
        self._translations = translations
        self._trail = trail
        self._journal = journal
        self._clock = clock

    def redeem(self, stored: StoredRequest, *, actor: Actor) -> SealedRelease:
        """Release a request, or hand the kept result out again.

        A refusal is on record before it is raised.

        Args:
            stored: The request, with its subjects.
            actor: May redeem in the request's project; checked by the caller.

        Raises:
            AccessDenied: Somebody else is the named redeemer.
            RequestExpired: The request's time is over.
            RequestState: It is not approved, or the release is disputed.
            GrantRefused: The verified trail does not support it.
            GrantSpent: It was released, and the result was not kept.
        """
        try:
            return self._redeem(stored, actor)
        except PseudoError as refusal:
            self._journal.record(
                describe_refused(
                    request_id=stored.request.request_id,
                    project=stored.request.project,
                    actor=actor.subject,
                    at=self._clock.now(),
                    code=refusal.code,
                )
            )
            raise

    def _redeem(self, stored: StoredRequest, actor: Actor) -> SealedRelease:
        request = stored.request
        if actor.subject != request.redeemer:
            msg = "only the redeemer whom the request names may redeem it"
            raise AccessDenied(msg)
        now = self._clock.now()
        if stored.state in OPENED:
            return self._hand_out_again(stored, now)
        release = name_release(request.mode)
        state = state_at(stored.state, request.expires_at, now)
        released = step_from(state, release)
        self._trail.checkpoint()  # out of reach of the archive nothing is released
        approved = self._history.derive(stored)
        return self._release(approved, state, released)

    def _release(
        self, approved: ApprovedRequest, old: LinkageState, new: LinkageState
    ) -> SealedRelease:
        request = approved.request
        prepared = self._answers.prepare(request)
        grant = self._mint(approved, old, new)
        answered = self._answers.answer(
            prepared,
            grant,
            subject_code=approved.subject_code,
            released_at=self._clock.now(),
        )
        self._translations.record(
            request, answered.translated, key_version=answered.key_version
        )
        kept = KeptResult(
            sealed=seal_result(request, answered.plain),
            available_until=request.expires_at,
        )
        events = self._describe(approved, answered, kept)
        self._requests.keep_result(request.request_id, kept, events)
        anchor(self._trail)
        return _show(request, kept, released_now=True)

    def _mint(
        self, approved: ApprovedRequest, old: LinkageState, new: LinkageState
    ) -> ReleaseGrant:
        """Use the approval up, with its intent, and mint the one grant."""
        request = approved.request
        now = self._clock.now()
        if now >= request.expires_at:
            msg = "the request's time is over: submit a new one"
            raise RequestExpired(msg)
        intent = self._records.describe_intent(request, at=now, step=approved.step)
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
        return ReleaseGrant(operation=OperationId(request.request_id))

    def _describe(
        self, approved: ApprovedRequest, answered: Answered, kept: KeptResult
    ) -> Sequence[AuditEvent]:
        request, now = approved.request, self._clock.now()
        subjects = self._records.describe_subjects(
            request,
            answered.subject_codes,
            at=now,
            step=approved.step,
            counts=answered.counts,
        )
        released = self._records.describe_released(
            request,
            at=now,
            step=approved.step,
            counts=answered.counts,
            register_faults=answered.register_faults,
            sealed_digest=hashlib.sha256(kept.sealed).digest(),
        )
        return [*subjects, released]

    def _hand_out_again(self, stored: StoredRequest, now: datetime) -> SealedRelease:
        request = stored.request
        step_from(stored.state, Step.FETCH)
        if now >= request.expires_at:
            msg = "the request's time is over, and its result with it: submit a new one"
            raise RequestExpired(msg)
        kept = self._requests.read_result(request.request_id)
        if kept is None:
            msg = (
                "the release of this request is under way, or did not finish: redeem "
                "again in a minute; if its result is not there then, submit a new request"
            )
            raise GrantSpent(msg)
        course = self._book.course(request.request_id)
        self._check_kept(stored, kept, course)
        fetched = self._records.describe_fetched(
            request, at=now, step=_find_release(course)
        )
        self._journal.record(fetched)
        return _show(request, kept, released_now=False)

    def _check_kept(
        self, stored: StoredRequest, kept: KeptResult, course: Sequence[LinkageRecord]
    ) -> None:
        """Raise unless the records state this request and this very result.

        Anybody can seal to a public key: whoever writes to the database could name
        the wrong people to the officer, or have a result outlive its request.
        """
        request = stored.request
        is_stated = bool(course) and course[0].digest == request.digest()
        sealed_digest = hashlib.sha256(kept.sealed).digest()
        if (
            not is_stated
            or self._book.result_digest(request.request_id) != sealed_digest
        ):
            msg = (
                "the kept result is not what was released: it is not handed out; submit "
                "a new request and tell the security officer"
            )
            raise GrantRefused(msg)


def _find_release(course: Sequence[LinkageRecord]) -> int:
    """Return the step of the release that a kept result is from."""
    return next(
        (
            record.step
            for record in course
            if record.kind is AuditKind.LINKAGE_RELEASE_INTENT
        ),
        0,
    )


def _show(
    request: LinkageRequest, kept: KeptResult, *, released_now: bool
) -> SealedRelease:
    return SealedRelease(
        request_id=request.request_id,
        digest=request.digest(),
        sealed=kept.sealed,
        sealed_digest=hashlib.sha256(kept.sealed).digest(),
        available_until=kept.available_until,
        released_now=released_now,
    )
