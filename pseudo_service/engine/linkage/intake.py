"""Checks a submission and makes it a linkage request."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from pseudo_service.core.access.roles import Actor, Role, check_purpose
from pseudo_service.core.errors import IdentifierRefused, RequestRefused
from pseudo_service.core.linkage.request import (
    LinkageRequest,
    LinkageTerms,
    LinkageVerb,
)
from pseudo_service.core.linkage.results import read_recipient_key
from pseudo_service.core.linkage.rules import (
    check_combination,
    check_expiry,
    check_free_text,
    check_redeemer,
    choose_subjects,
)
from pseudo_service.core.projects.project import check_project_id
from pseudo_service.engine.audit.subject_codes import SubjectCodes
from pseudo_service.engine.linkage.views import LinkageSubmission
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.projects import ProjectStore

_ID_BYTES = 16


class LinkageIntake:
    """Checks submissions; its caller has checked the requester's permission."""

    def __init__(
        self,
        *,
        projects: ProjectStore,
        codes: SubjectCodes,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._projects = projects
        self._codes = codes
        self._clock = clock
        self._entropy = entropy

    def build(
        self, submission: LinkageSubmission, *, actor: Actor
    ) -> tuple[LinkageRequest, str]:
        """Return the request, and for LOCATE the subject's keyed code, else "".

        Raises:
            RequestRefused: A field is missing, or the request asks for too much.
            PurposeMissing: The purpose is not usable.
            ProjectUnknown: There is no such project.
            ProjectNotActive: A project is suspended or closing.
        """
        terms = submission.terms
        project = self._projects.get(terms.project)
        project.check_active()
        self._check_target(terms)
        check_purpose(terms.purpose)
        check_free_text("consent reference", terms.consent_reference)
        read_recipient_key(terms.recipient_key)
        subjects, subject_code = self._read_subjects(
            submission, ceiling=project.linkage_ceiling
        )
        check_combination(
            terms.verb, terms.mode, terms.legal_basis, subjects=len(subjects)
        )
        now = self._clock.now()
        check_expiry(terms.mode, submitted_at=now, expires_at=terms.expires_at)
        request = LinkageRequest(
            request_id=self._entropy.draw(_ID_BYTES).hex(),
            requester=actor.subject,
            submitted_at=now,
            terms=replace(
                terms,
                redeemer=_choose_redeemer(terms, actor),
                expires_at=terms.expires_at.astimezone(UTC),
            ),
            subjects=subjects,
        )
        return request, subject_code

    def _check_target(self, terms: LinkageTerms) -> None:
        is_translation = terms.verb is LinkageVerb.TRANSLATE
        if is_translation != bool(terms.target_project):
            msg = "target project: " + (
                "name the project whose pseudonyms are wanted"
                if is_translation
                else "only a translation has one, leave it out"
            )
            raise RequestRefused(msg)
        if not is_translation:
            return
        if terms.target_project == terms.project:
            msg = "target project: it must be another than the project"
            raise RequestRefused(msg)
        check_project_id(terms.target_project)
        self._projects.get(terms.target_project).check_active()

    def _read_subjects(
        self, submission: LinkageSubmission, *, ceiling: int
    ) -> tuple[Sequence[str], str]:
        if submission.terms.verb is LinkageVerb.LOCATE:
            if submission.pseudonyms:
                msg = "pseudonyms: to locate a person give an identifier instead"
                raise RequestRefused(msg)
            return self._index_person(submission.identifier, submission.kind)
        if submission.identifier or submission.kind:
            msg = "identifier: only to locate a person; give pseudonyms instead"
            raise RequestRefused(msg)
        return choose_subjects(submission.pseudonyms, ceiling=ceiling), ""

    def _index_person(self, identifier: str, kind: str) -> tuple[Sequence[str], str]:
        """Return a person's blind indices and subject code; no number is kept.

        There is one index for each number that the person has had, because a project
        that does not follow merges knows the person under the number of that time.
        """
        try:
            person = self._codes.read_numbers(identifier, kind)
        except IdentifierRefused as refused:
            raise RequestRefused(refused.message) from None
        numbers = (person.number, *person.others)
        subjects = {self._codes.index(person.kind, each) for each in numbers}
        return tuple(sorted(subjects)), self._codes.encode(person.kind, person.number)


def _choose_redeemer(terms: LinkageTerms, actor: Actor) -> str:
    """Return the redeemer: a linkage officer, which a researcher is not."""
    redeemer = terms.redeemer or actor.subject
    check_redeemer(redeemer)
    is_officer = Role.LINKAGE_OFFICER in actor.roles_in(terms.project)
    if redeemer == actor.subject and not is_officer:
        msg = "redeemer: name a linkage officer of the project, who receives the answer"
        raise RequestRefused(msg)
    return redeemer
