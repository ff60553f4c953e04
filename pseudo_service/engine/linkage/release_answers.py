"""Answering a release: which identity is behind each pseudonym, and in whose words.

What can fail for want of a key or a list is fetched before (``prepare``), so that no
approval is used up by an outage; then the register is opened once.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.arrow.arrays import MAC_BYTES
from pseudo_service.core.errors import KeyUnknown, ProjectNotActive
from pseudo_service.core.identifiers.kinds import NHS_NUMBER, IdentifierKind
from pseudo_service.core.identifiers.superseded import (
    NOTHING_PINNED,
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
from pseudo_service.core.linkage.results import (
    SubjectAnswer,
    encode_answers,
    encode_location,
)
from pseudo_service.core.opt_outs import OptOutCheck
from pseudo_service.core.projects.project import Project, ProjectState
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.matching import MacIndex
from pseudo_service.core.pseudonyms.text_form import (
    Pseudonym,
    PseudonymFormat,
    parse_pseudonym,
)
from pseudo_service.engine.disclosures.subject_location import LocatedSubject
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.linkage.translation_record import Translated
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.register.opening import RegisterGrant, RegisterOpening
from pseudo_service.ports.projects import ProjectStore

ReadsAliases = Callable[[], PinnedSupersededNumbers]
"""Returns the table of superseded numbers in force."""


class LocatesSubject(Protocol):
    """What is asked of ``SubjectLocation``."""

    def locate(
        self, warrant: RegisterGrant, *, subjects: Sequence[str]
    ) -> LocatedSubject:
        """Return where one person, ``<kind>:<blind index in hexadecimal>``, is held."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The plain result, whom it names, and what is counted of it.

    ``subject_codes`` are of those whose identity or pseudonym the result gives away.
    ``translated`` are the people whom the target project now holds, under its
    ``key_version``.
    """

    plain: bytes = field(repr=False)
    counts: Mapping[str, int]
    subject_codes: tuple[str, ...]
    register_faults: int
    translated: Sequence[Translated] = field(default=(), repr=False)
    key_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a release needs besides the register.

    ``versions`` are the project's pseudonym roots that its subjects name.
    """

    request: LinkageRequest
    wanted: Mapping[str, Pseudonym] = field(repr=False)
    tag: str
    versions: Mapping[int, Root]
    aliases: PinnedSupersededNumbers
    target: "_Target | None"


class ReleaseAnswers:
    """Builds the answer of one release of any verb."""

    def __init__(
        self,
        *,
        projects: ProjectStore,
        key_ring: KeyRing,
        opt_outs: OptOutLists,
        opening: RegisterOpening,
        location: LocatesSubject,
        service_root: Root,
        read_aliases: ReadsAliases | None = None,
    ) -> None:
        self._projects = projects
        self._key_ring = key_ring
        self._opt_outs = opt_outs
        self._opening = opening
        self._location = location
        self._service_root = service_root
        self._read_aliases = read_aliases or _read_none

    def prepare(self, request: LinkageRequest) -> Prepared:
        """Fetch keys and lists, before anything is used up.

        Raises:
            ProjectNotActive: A project is suspended, closing or destroyed.
            KeyVaultUnavailable: The vault does not answer.
            KeyVaultRefused: This process may not unwrap with "linkage".
            OptOutListMissing: The target applies opt-outs and there is no list.
            OptOutListStale: The list has expired.
            AliasTableRefused: The table of superseded numbers is not what was loaded.
        """
        project = self._projects.get(request.project)
        if project.state is ProjectState.DESTROYED:
            msg = f"project {project.project_id} is destroyed: its keys are gone"
            raise ProjectNotActive(msg)
        project.check_active()
        self._opening.check()
        aliases = self._read_aliases()
        wanted = {}
        if request.verb is not LinkageVerb.LOCATE:
            wanted = {text: parse_pseudonym(text) for text in request.subjects}
        asked = {each.version for each in wanted.values() if each.tag == project.tag}
        return Prepared(
            request=request,
            wanted=wanted,
            tag=project.tag,
            versions=dict(self._read_versions(project, asked)),
            aliases=aliases,
            target=self._prepare_target(request, aliases),
        )

    def answer(
        self,
        prepared: Prepared,
        warrant: RegisterGrant,
        *,
        subject_code: str,
        released_at: datetime,
    ) -> Answered:
        """Open the register, once, and answer.

        Args:
            prepared: What ``prepare`` returned.
            warrant: Spent by this.
            subject_code: For LOCATE, the code of the one subject.
            released_at: Stated in the result.
        """
        request = prepared.request
        if request.verb is LinkageVerb.LOCATE:
            return self._locate(request, warrant, subject_code, released_at)
        search = _Search(prepared)
        scan = self._opening.scan(warrant, kind=search.only_kind())
        for page in scan:
            search.look(page.kind, page.canonical)
        answers = [self._answer_one(prepared, search, text) for text in prepared.wanted]
        named = [a for a in answers if a.outcome is LinkageOutcome.FOUND]
        counts = Counter(answer.outcome.value for answer in answers)
        target = prepared.target
        codes = {self._encode_subject(*search.found[a.subject]) for a in named}
        return Answered(
            plain=encode_answers(
                request,
                answers,
                released_at=released_at,
                register_faults=len(scan.faults),
            ),
            counts=dict(sorted(counts.items())),
            subject_codes=tuple(sorted(codes)),
            register_faults=len(scan.faults),
            translated=(
                [target.name(*search.found[a.subject]) for a in named] if target else ()
            ),
            key_version=target.root.version if target else 0,
        )

    def _locate(
        self,
        request: LinkageRequest,
        warrant: RegisterGrant,
        subject_code: str,
        released_at: datetime,
    ) -> Answered:
        located = self._location.locate(warrant, subjects=request.subjects)
        rows = located.rows
        unaccounted = [
            f"{one.project}: {one.describe()}" for one in located.unaccounted
        ]
        return Answered(
            plain=encode_location(
                request, rows, unaccounted=unaccounted, released_at=released_at
            ),
            counts={
                "projects": len({row.project for row in rows}),
                "unaccounted": len(unaccounted),
            },
            subject_codes=(subject_code,),
            register_faults=0,
        )

    def _answer_one(
        self, prepared: Prepared, search: "_Search", text: str
    ) -> SubjectAnswer:
        wanted = prepared.wanted[text]
        if wanted.tag != prepared.tag:
            return SubjectAnswer(subject=text, outcome=LinkageOutcome.WRONG_PROJECT)
        if wanted.version not in prepared.versions:
            outcome = LinkageOutcome.CLOSED_KEY_VERSION
            return SubjectAnswer(subject=text, outcome=outcome)
        found = search.found.get(text)
        if found is None:
            return SubjectAnswer(subject=text, outcome=LinkageOutcome.UNKNOWN)
        kind, canonical = found
        if prepared.target is not None:
            return prepared.target.translate(text, kind, canonical)
        survivor = None
        if kind == NHS_NUMBER:
            survivor = prepared.aliases.table.find_survivor(canonical)
        return SubjectAnswer(
            subject=text,
            outcome=LinkageOutcome.FOUND,
            kind=kind.text,
            identifier=canonical,
            superseded_by=survivor or "",
        )

    def _encode_subject(self, kind: IdentifierKind, canonical: str) -> str:
        key = self._service_root.derive(KeyUse.SUBJECT_CODE, kind.text)
        return KeyedHash(key, kind).mac_one(canonical).hex()

    def _read_versions(
        self, project: Project, asked: Iterable[int]
    ) -> Iterator[tuple[int, Root]]:
        for version in sorted(asked):
            try:
                root = self._key_ring.get(
                    project.project_id, RootPurpose.PSEUDONYMS, KeyVersion(version)
                )
            except KeyUnknown:
                continue  # answered subject by subject, as CLOSED_KEY_VERSION
            yield version, root

    def _prepare_target(
        self, request: LinkageRequest, aliases: PinnedSupersededNumbers
    ) -> "_Target | None":
        if request.verb is not LinkageVerb.TRANSLATE:
            return None
        project = self._projects.get(request.target_project)
        project.check_active()
        in_force = self._opt_outs.check_for(project, aliases)
        return _Target(
            project=project,
            root=self._key_ring.newest(project.project_id, RootPurpose.PSEUDONYMS),
            check=None if in_force is None else in_force[0],
            aliases=aliases.for_project(follows_merges=project.follows_merges),
        )


class _Search:
    """Looks for wanted pseudonyms in page after page of identities."""

    def __init__(self, prepared: Prepared) -> None:
        self.found: dict[str, tuple[IdentifierKind, str]] = {}
        self._versions = prepared.versions
        self._texts: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
        for text, each in prepared.wanted.items():
            if each.tag == prepared.tag and each.version in prepared.versions:
                self._texts[each.letter, each.version].append(text)
        self._wanted = {
            place: MacIndex.build(_stack(prepared.wanted[text].mac for text in texts))
            for place, texts in self._texts.items()
        }
        self._hashes: dict[tuple[str, int], KeyedHash] = {}

    def only_kind(self) -> IdentifierKind | None:
        """Return the one kind that is looked for, if there can be only one."""
        letters = {letter for letter, _ in self._texts}
        return NHS_NUMBER if letters == {NHS_NUMBER.letter} else None

    def look(self, kind_text: str, canonical: pa.StringArray) -> None:
        """Look for the wanted ones among identities of a kind."""
        kind = IdentifierKind.parse(kind_text)
        for (letter, version), wanted in self._wanted.items():
            if letter != kind.letter:
                continue
            macs = self._hash(kind, version).mac(canonical)
            rows, which = wanted.find(macs)
            texts = self._texts[letter, version]
            for row, at in zip(rows.tolist(), which.tolist(), strict=True):
                self.found.setdefault(texts[at], (kind, canonical[row].as_py()))

    def _hash(self, kind: IdentifierKind, version: int) -> KeyedHash:
        place = (kind.text, version)
        if place not in self._hashes:
            key = self._versions[version].derive(KeyUse.PSEUDONYM, kind.text)
            self._hashes[place] = KeyedHash(key, kind)
        return self._hashes[place]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """The project into which a translation speaks."""

    project: Project
    root: Root
    check: OptOutCheck | None
    aliases: ProjectSupersededNumbers

    def name(self, kind: IdentifierKind, canonical: str) -> Translated:
        """Return a person whom the target gives a pseudonym, by its own number."""
        number, _ = self.aliases.resolve_one(canonical, kind)
        known = number or canonical
        return Translated(kind=kind, canonical=known, is_moved=known != canonical)

    def translate(
        self, subject: str, kind: IdentifierKind, canonical: str
    ) -> SubjectAnswer:
        """Return the target's pseudonym, if the target may hold the person.

        A number that the target would give no pseudonym, as it was re-issued, is
        UNKNOWN there.
        """
        if self._keeps_out(kind, canonical):
            return SubjectAnswer(subject=subject, outcome=LinkageOutcome.OPTED_OUT)
        number, _ = self.aliases.resolve_one(canonical, kind)
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

    def _keeps_out(self, kind: IdentifierKind, canonical: str) -> bool:
        """Tell whether a person opted out under any number, or cannot be checked."""
        if self.check is None:
            return False
        if kind != NHS_NUMBER:
            return self.check.removes_uncheckable
        one = pa.array([canonical], pa.string())
        if not self.check.find_checkable(one)[0] and self.check.removes_uncheckable:
            return True
        return bool(self.check.find_opted_out(one)[0])


def _stack(macs: Iterable[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(macs), dtype=np.uint8).reshape(-1, MAC_BYTES)


def _read_none() -> PinnedSupersededNumbers:
    return NOTHING_PINNED
