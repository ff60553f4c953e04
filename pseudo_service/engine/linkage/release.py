"""Redeeming a linkage request: one release, no matter how many callers ask for it.

The order of the steps is the guarantee, so that one function shows all of them.
docs/linkage.md lists the same steps under the same numbers.
"""

from pseudo_service.core.access.roles import Actor
from pseudo_service.core.errors import AccessDenied
from pseudo_service.core.ids import OperationId
from pseudo_service.core.linkage.approval import (
    OPENED,
    state_at,
    step_from,
    step_of_release,
)
from pseudo_service.core.linkage.request import LinkageRequest
from pseudo_service.core.linkage.results import seal_result
from pseudo_service.engine.audit.trail import AuditTrail
from pseudo_service.engine.linkage.approval_verifier import ApprovalVerifier
from pseudo_service.engine.linkage.release_answers import ReleaseAnswers
from pseudo_service.engine.linkage.release_preparation import ReleasePreparer
from pseudo_service.engine.linkage.release_recorder import ReleaseRecorder
from pseudo_service.engine.linkage.translation_record import TranslationRecord
from pseudo_service.engine.linkage.views import SealedRelease
from pseudo_service.engine.linkage.visibility import RequestVisibility
from pseudo_service.engine.register.opening import RegisterGrant
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.linkage_requests import KeptResult


class ReleaseGrant(RegisterGrant):
    """The right to open the register once, for one approved request.

    Only ``LinkageRelease.redeem`` mints it, after the intent is durable.
    """

    __slots__ = ()


class LinkageRelease:
    """Releases approved requests, each once, to the redeemer that the request names."""

    def __init__(
        self,
        *,
        visibility: RequestVisibility,
        trail: AuditTrail,
        verifier: ApprovalVerifier,
        preparer: ReleasePreparer,
        answers: ReleaseAnswers,
        translations: TranslationRecord,
        recorder: ReleaseRecorder,
        clock: Clock,
    ) -> None:
        self._visibility = visibility
        self._trail = trail
        self._verifier = verifier
        self._preparer = preparer
        self._answers = answers
        self._translations = translations
        self._recorder = recorder
        self._clock = clock

    def redeem(self, request_id: str, *, actor: Actor) -> SealedRelease:
        """Release an approved request, once; later calls return the kept result.

        Raises:
            RequestUnknown: There is none that the caller may see.
            AccessDenied: The caller is no linkage officer of the project, or is not the
                redeemer that the request names.
            RequestExpired: The request has expired.
            RequestState: The request is not approved, or its release is disputed.
            GrantRefused: The verified trail does not support the release.
            GrantSpent: The request was released, and no result was kept.
        """
        # 1. Find the request. A caller who may not read it learns nothing of it, and
        #    only a linkage officer of its project goes on.
        stored = self._visibility.find_to_redeem(request_id, actor)
        terms = stored.request.terms
        with self._recorder.record_refusals(stored.request, actor):
            # 2. Check the redeemer. Any refusal from here on is on record before it is
            #    raised.
            if actor.subject != terms.redeemer:
                msg = "only the redeemer whom the request names may redeem it"
                raise AccessDenied(msg)
            # 3. Return a kept result. Once the register was opened for a request, it is
            #    never opened for it again.
            now = self._clock.now()
            if stored.state in OPENED:
                kept = self._recorder.fetch(stored, at=now)
                return _describe(stored.request, kept, released_now=False)
            # 4. Check the state. The row may be forged: a state that passes here proves
            #    nothing yet, and step 6 asks the trail.
            state = state_at(stored.state, terms.expires_at, now)
            released = step_from(state, step_of_release(terms.mode))
            # 5. Make a checkpoint. Without the archive nothing is released, because
            #    nothing else proves that the end of the trail is whole.
            self._trail.checkpoint()
            # 6. Verify the approval. The votes come from the verified trail alone.
            approved = self._verifier.verify(stored)
            request = approved.request
            # 7. Fetch keys and lists. An outage here uses no approval up.
            prepared = self._preparer.prepare(request)
            # 8. Record the intent. It is committed together with the new state, so that
            #    one of many simultaneous calls goes on and the others stop here.
            self._recorder.use_approval(approved, old=state, new=released)
            # 9. Mint the grant. It opens the register once, and no other code mints it.
            grant = ReleaseGrant(operation=OperationId(request.request_id))
            # 10. Open the register. A failure from here on ends the approval: nobody can
            #     tell whether something was seen.
            answered = self._answers.answer(
                prepared,
                grant,
                subject_code=approved.subject_code,
                released_at=self._clock.now(),
            )
            # 11. Record the translated people. A recall in the target project must find
            #     them, even if the next steps fail.
            self._translations.record(
                request, answered.translated, key_version=answered.key_version
            )
            # 12. Seal the result. Only the officer's key opens it, for this request only.
            sealed = seal_result(request, answered.plain)
            # 13. Keep the result. It is committed with the events that count it and list
            #     the subject codes, before anybody receives it.
            kept = self._recorder.keep(approved, answered, sealed)
            # 14. Anchor the release. A checkpoint outside the database covers it; if that
            #     fails, step 5 of the next release makes up for it.
            self._trail.checkpoint_now()
            return _describe(request, kept, released_now=True)


def _describe(
    request: LinkageRequest, kept: KeptResult, *, released_now: bool
) -> SealedRelease:
    return SealedRelease(
        request_id=request.request_id,
        digest=request.digest(),
        sealed=kept.sealed,
        sealed_digest=kept.digest,
        available_until=kept.available_until,
        released_now=released_now,
    )
