"""Reads what a project's data are de-identified with, and holds it for one operation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from pseudo_service.core.identifiers.kinds import IdentifierKind, IdentifierRules
from pseudo_service.core.identifiers.superseded import (
    PinnedSupersededNumbers,
    ProjectSupersededNumbers,
)
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.opt_outs import OptOutCheck
from pseudo_service.core.projects.project import Project
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.kind_keys import KindKeys
from pseudo_service.core.redaction import RedactTexts, withhold_texts
from pseudo_service.core.tables.batch_values import BatchContext
from pseudo_service.core.tables.patient_table import PatientTable
from pseudo_service.engine.keys.project_keys import PinnedRoots, ProjectKeys
from pseudo_service.engine.projects.policy_registry import (
    PolicyRegistry,
    RegisteredPolicy,
)
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.reference_lists.superseded import SupersededLists
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.opt_outs import OptOutList
from pseudo_service.ports.projects import ProjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectContext:
    """A project with the keys and lists that one operation keeps till its end.

    Attributes:
        project: As it stood when the operation began.
        roots: The roots that the keys are derived from.
        keys: The keyed hashes of each identifier kind, by its text.
        pinned_superseded: The table of superseded numbers in force.
        opt_outs: The check; None where the project does not apply opt-outs.
        opt_out_list: The list that the check asks; None where there is no check.
    """

    project: Project
    roots: PinnedRoots
    keys: Mapping[str, KindKeys] = field(repr=False)
    pinned_superseded: PinnedSupersededNumbers
    opt_outs: OptOutCheck | None
    opt_out_list: OptOutList | None

    @property
    def key_version(self) -> KeyVersion:
        """Return the version of the key that pseudonyms are made with."""
        return self.roots.pseudonyms.version

    @property
    def superseded(self) -> ProjectSupersededNumbers:
        """Return the superseded numbers as the project follows them."""
        return self.pinned_superseded.for_project(
            follows_merges=self.project.follows_merges
        )

    def make_batch_context(
        self,
        rules: IdentifierRules,
        *,
        sentinels: frozenset[date] = frozenset(),
        redact: RedactTexts = withhold_texts,
        patient_table: PatientTable | None = None,
    ) -> BatchContext:
        """Return what the operation's batches share.

        Args:
            rules: The deployment's rules for identifiers.
            sentinels: The deployment's dates that are no dates.
            redact: Redacts texts.
            patient_table: Further known identifiers; None for none.
        """
        return BatchContext(
            keys=self.keys,
            date_shift=self.project.date_shift,
            identifier_rules=rules,
            sentinels=sentinels,
            opt_outs=self.opt_outs,
            redact=redact,
            patient_table=patient_table,
            superseded=self.superseded,
        )


class ProjectResolver:
    """Finds active projects and their policies, and pins keys and lists for them."""

    def __init__(
        self,
        *,
        projects: ProjectStore,
        policies: PolicyRegistry,
        keys: ProjectKeys,
        opt_outs: OptOutLists,
        superseded: SupersededLists,
        clock: Clock,
    ) -> None:
        self._projects = projects
        self._policies = policies
        self._keys = keys
        self._opt_outs = opt_outs
        self._superseded = superseded
        self._clock = clock

    def find_active(self, project_id: str) -> Project:
        """Return a project that takes data.

        Raises:
            ProjectUnknown, ProjectNotActive
        """
        project = self._projects.get(project_id)
        project.check_active()
        return project

    def find_policy(self, project_id: str, address: str) -> RegisteredPolicy:
        """Return a registered policy of the project.

        Raises:
            PolicyUnknown, PolicyInvalid: As ``PolicyRegistry.resolve``.
        """
        return self._policies.resolve(project_id, address)

    def hash_blindly(self, kind: IdentifierKind) -> KeyedHash:
        """Return the blind index of a kind, which remembers nothing."""
        return self._keys.hash_blindly(kind)

    def pin(
        self,
        project: Project,
        kinds: Iterable[IdentifierKind],
        *,
        needs_previous: bool = False,
        is_stream: bool = False,
    ) -> ProjectContext:
        """Return the keys and lists in force; the caller keeps them till its end.

        Args:
            project: An active project.
            kinds: The identifier kinds that need keys.
            needs_previous: Whether pseudonyms of the key version before are asked for.
            is_stream: Whether many batches follow, in which people recur.

        Raises:
            KeyVaultUnavailable, KeyRowRefused: As ``ProjectKeys.pin``.
            AliasTableRefused, OptOutListMissing, OptOutListStale: As
                ``OptOutLists.check_for``.
        """
        roots = self._keys.pin(project)
        if needs_previous:
            roots = self._keys.pin_previous(project, roots, self._clock.now())
        superseded = self._superseded.current()
        check = self._opt_outs.check_for(project, superseded)
        return ProjectContext(
            project=project,
            roots=roots,
            keys=self._keys.derive(project, roots, kinds, is_stream=is_stream),
            pinned_superseded=superseded,
            opt_outs=check[0] if check else None,
            opt_out_list=check[1] if check else None,
        )
