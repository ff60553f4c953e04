"""Turning what a caller asks for into a checked linkage request."""

from collections.abc import Callable
from datetime import UTC

from pseudo_service.core.access.roles import Actor, Role, check_purpose
from pseudo_service.core.errors import IdentifierRefused, RequestRefused
from pseudo_service.core.identifiers.canonical import canonicalise_one
from pseudo_service.core.identifiers.kinds import (
    NHS_NUMBER,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.identifiers.superseded import (
    NOTHING_PINNED,
    PinnedSupersededNumbers,
)
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.core.linkage.request import LinkageRequest, LinkageVerb
from pseudo_service.core.linkage.results import read_recipient_key
from pseudo_service.core.linkage.rules import (
    check_combination,
    check_expiry,
    check_note,
    check_redeemer,
    choose_subjects,
)
from pseudo_service.core.projects.project import check_project_id
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.linkage.views import LinkageSubmission
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.projects import ProjectStore

_ID_BYTES = 16


class LinkageIntake:
    """Checks submissions; the caller's permission is checked before."""

    def __init__(
        self,
        *,
        projects: ProjectStore,
        service_root: Root,
        rules: IdentifierRules,
        clock: Clock,
        entropy: Entropy,
        read_aliases: Callable[[], PinnedSupersededNumbers] = lambda: NOTHING_PINNED,
    ) -> None:
        self._projects = projects
        self._service_root = service_root
        self._rules = rules
        self._clock = clock
        self._entropy = entropy
        self._read_aliases = read_aliases

    def build(
        self, submission: LinkageSubmission, *, actor: Actor
    ) -> tuple[LinkageRequest, str]:
        """Return the request, and for LOCATE the subject's keyed code, else "".

        Raises:
            RequestRefused: A field is missing, or more is asked for than may be.
            PurposeMissing: The purpose is not usable.
            ProjectUnknown: There is no such project.
            ProjectNotActive: A project is suspended or closing.
        """
        project = self._projects.get(submission.project)
        project.check_active()
        self._check_target(submission)
        check_purpose(submission.purpose)
        check_note("consent reference", submission.consent_reference)
        read_recipient_key(submission.recipient_key)
        subjects, subject_code = self._read_subjects(
            submission, ceiling=project.linkage_ceiling
        )
        check_combination(
            submission.verb,
            submission.mode,
            submission.legal_basis,
            subjects=len(subjects),
        )
        now = self._clock.now()
        check_expiry(
            submission.mode, submitted_at=now, expires_at=submission.expires_at
        )
        request = LinkageRequest(
            request_id=self._entropy.draw(_ID_BYTES).hex(),
            verb=submission.verb,
            mode=submission.mode,
            project=submission.project,
            target_project=submission.target_project,
            subjects=subjects,
            purpose=submission.purpose,
            legal_basis=submission.legal_basis,
            consent_reference=submission.consent_reference,
            requester=actor.subject,
            redeemer=_choose_redeemer(submission, actor),
            recipient_key=submission.recipient_key,
            submitted_at=now,
            expires_at=submission.expires_at.astimezone(UTC),
        )
        return request, subject_code

    def _check_target(self, submission: LinkageSubmission) -> None:
        is_translation = submission.verb is LinkageVerb.TRANSLATE
        if is_translation != bool(submission.target_project):
            msg = "target project: " + (
                "name the project whose pseudonyms are wanted"
                if is_translation
                else "only a translation has one, leave it out"
            )
            raise RequestRefused(msg)
        if not is_translation:
            return
        if submission.target_project == submission.project:
            msg = "target project: it must be another than the project"
            raise RequestRefused(msg)
        check_project_id(submission.target_project)
        self._projects.get(submission.target_project).check_active()

    def _read_subjects(
        self, submission: LinkageSubmission, *, ceiling: int
    ) -> tuple[tuple[str, ...], str]:
        if submission.verb is LinkageVerb.LOCATE:
            if submission.pseudonyms:
                msg = "pseudonyms: to locate a person give an identifier instead"
                raise RequestRefused(msg)
            return self._index_person(submission.identifier, submission.kind)
        if submission.identifier or submission.kind:
            msg = "identifier: only to locate a person; give pseudonyms instead"
            raise RequestRefused(msg)
        return choose_subjects(submission.pseudonyms, ceiling=ceiling), ""

    def _index_person(
        self, identifier: str, kind_text: str
    ) -> tuple[tuple[str, ...], str]:
        """Return a person's blind indices and subject code; the identifier goes.

        One index for each number that the person has had: a project that does not
        follow merges knows them under the number of that time.
        """
        try:
            kind = IdentifierKind.parse(kind_text)
        except IdentifierRefused as refused:
            raise RequestRefused(refused.message) from None
        canonical, found = canonicalise_one(identifier, kind, self._rules)
        if canonical is None:
            msg = f"identifier: not accepted as {kind.text} ({found})"
            raise RequestRefused(msg)
        numbers = [canonical]
        if kind == NHS_NUMBER:
            numbers += self._read_aliases().table.list_others(canonical)
        hashing = self._hash(KeyUse.BLIND_INDEX, kind)
        subjects = {f"{kind.text}:{hashing.mac_one(each).hex()}" for each in numbers}
        code = self._hash(KeyUse.SUBJECT_CODE, kind).mac_one(canonical).hex()
        return tuple(sorted(subjects)), code

    def _hash(self, use: KeyUse, kind: IdentifierKind) -> KeyedHash:
        return KeyedHash(self._service_root.derive(use, kind.text), kind)


def _choose_redeemer(submission: LinkageSubmission, actor: Actor) -> str:
    """Return who will redeem: a linkage officer, which a researcher is not."""
    redeemer = submission.redeemer or actor.subject
    check_redeemer(redeemer)
    is_officer = Role.LINKAGE_OFFICER in actor.roles_in(submission.project)
    if redeemer == actor.subject and not is_officer:
        msg = "redeemer: name a linkage officer of the project, who receives the answer"
        raise RequestRefused(msg)
    return redeemer
