"""Fetching what a release needs besides the register, before its approval is used up.

A missing key or list stops a release here, so that an outage costs no approval.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from pseudo_service.core.errors import KeyUnknown, ProjectNotActive
from pseudo_service.core.identifiers.kinds import NHS_NUMBER, IdentifierKind
from pseudo_service.core.identifiers.superseded import (
    PinnedSupersededNumbers,
    ProjectSupersededNumbers,
)
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose
from pseudo_service.core.linkage.request import (
    LinkageOutcome,
    LinkageRequest,
    LinkageVerb,
)
from pseudo_service.core.linkage.results import SubjectAnswer
from pseudo_service.core.opt_outs import OptOutCheck
from pseudo_service.core.projects.project import Project, ProjectState
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.text_form import (
    Pseudonym,
    PseudonymFormat,
    parse_pseudonym,
)
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.linkage.translation_record import Translated
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.register.opening import RegisterOpening
from pseudo_service.ports.projects import ProjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationTarget:
    """The project whose pseudonyms a translation gives.

    ``check`` is None if the project applies no opt-outs.
    """

    project: Project
    root: Root
    check: OptOutCheck | None
    superseded: ProjectSupersededNumbers

    def describe_person(self, kind: IdentifierKind, canonical: str) -> Translated:
        """Return a translated person under the number that the target uses."""
        number, _ = self.superseded.resolve_one(canonical, kind)
        known = number or canonical
        return Translated(kind=kind, canonical=known, is_moved=known != canonical)

    def translate(
        self, subject: str, kind: IdentifierKind, canonical: str
    ) -> SubjectAnswer:
        """Return the target's pseudonym, if the target may hold the person.

        A re-issued number gets no pseudonym in the target, so that its answer is
        UNKNOWN.
        """
        if self._excludes(kind, canonical):
            return SubjectAnswer(subject=subject, outcome=LinkageOutcome.OPTED_OUT)
        number, _ = self.superseded.resolve_one(canonical, kind)
        if number is None:
            return SubjectAnswer(subject=subject, outcome=LinkageOutcome.UNKNOWN)
        mac = KeyedHash(self.root.derive(KeyUse.PSEUDONYM, kind.text), kind)
        form = PseudonymFormat(
            tag=self.project.tag, kind=kind, version=self.root.version
        )
        return SubjectAnswer(
            subject=subject,
            outcome=LinkageOutcome.FOUND,
            kind=kind.text,
            pseudonym=form.encode_one(mac.mac_one(number)),
        )

    def _excludes(self, kind: IdentifierKind, canonical: str) -> bool:
        """Return whether a person opted out under any number, or cannot be checked."""
        if self.check is None:
            return False
        if kind != NHS_NUMBER:
            return self.check.removes_uncheckable
        one = pa.array([canonical], pa.string())
        if not self.check.find_checkable(one)[0] and self.check.removes_uncheckable:
            return True
        return bool(self.check.find_opted_out(one)[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a release needs besides the register.

    ``wanted`` holds the pseudonyms by their text, and ``tag`` is the project's.
    ``versions`` holds those pseudonym roots of the project that the pseudonyms name.
    """

    request: LinkageRequest
    wanted: Mapping[str, Pseudonym] = field(repr=False)
    tag: str
    versions: Mapping[KeyVersion, Root]
    superseded: PinnedSupersededNumbers
    target: TranslationTarget | None


class ReleasePreparer:
    """Fetches the keys and lists of one release of any verb."""

    def __init__(
        self,
        *,
        projects: ProjectStore,
        key_ring: KeyRing,
        opt_outs: OptOutLists,
        opening: RegisterOpening,
        read_superseded: Callable[[], PinnedSupersededNumbers],
    ) -> None:
        self._projects = projects
        self._key_ring = key_ring
        self._opt_outs = opt_outs
        self._opening = opening
        self._read_superseded = read_superseded

    def prepare(self, request: LinkageRequest) -> Prepared:
        """Return keys and lists, before the approval is used up.

        Raises:
            ProjectNotActive: A project is suspended, closing or destroyed.
            KeyVaultUnavailable: The vault does not answer.
            KeyVaultRefused: This process may not unwrap with "linkage".
            OptOutListMissing: The target applies opt-outs and there is no list.
            OptOutListStale: The list has expired.
            AliasTableRefused: The table of superseded numbers differs from what was loaded.
        """
        project = self._projects.get(request.terms.project)
        if project.state is ProjectState.DESTROYED:
            msg = f"project {project.project_id} is destroyed: its keys are gone"
            raise ProjectNotActive(msg)
        project.check_active()
        self._opening.check()
        superseded = self._read_superseded()
        wanted = {}
        if request.terms.verb is not LinkageVerb.LOCATE:
            wanted = {text: parse_pseudonym(text) for text in request.subjects}
        asked = {each.version for each in wanted.values() if each.tag == project.tag}
        return Prepared(
            request=request,
            wanted=wanted,
            tag=project.tag,
            versions=dict(self._read_versions(project, asked)),
            superseded=superseded,
            target=self._prepare_target(request, superseded),
        )

    def _read_versions(
        self, project: Project, asked: Iterable[KeyVersion]
    ) -> Iterator[tuple[KeyVersion, Root]]:
        for version in sorted(asked):
            try:
                root = self._key_ring.get(
                    project.project_id, RootPurpose.PSEUDONYMS, version
                )
            except KeyUnknown:
                continue  # each of its subjects is answered CLOSED_KEY_VERSION
            yield version, root

    def _prepare_target(
        self, request: LinkageRequest, superseded: PinnedSupersededNumbers
    ) -> TranslationTarget | None:
        if request.terms.verb is not LinkageVerb.TRANSLATE:
            return None
        project = self._projects.get(request.terms.target_project)
        project.check_active()
        in_force = self._opt_outs.check_for(project, superseded)
        return TranslationTarget(
            project=project,
            root=self._key_ring.newest(project.project_id, RootPurpose.PSEUDONYMS),
            check=None if in_force is None else in_force[0],
            superseded=superseded.for_project(follows_merges=project.follows_merges),
        )
