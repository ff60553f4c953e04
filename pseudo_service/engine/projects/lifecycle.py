"""Making, suspending and resuming projects."""

from collections.abc import Sequence
from dataclasses import dataclass

from pseudo_service.core.access.justifications import parse_justification
from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import ProjectExists, StateConflict
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.core.keys.material import KeyRow, RootPurpose
from pseudo_service.core.projects.project import (
    DEFAULT_CEILING,
    DateShiftRule,
    OptOutRule,
    Project,
    ProjectState,
    check_project_id,
)
from pseudo_service.core.pseudonyms.text_form import draw_tag
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.keys.key_ring import KeyRing, name_wrapping_key
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.key_vault import KeyVault
from pseudo_service.ports.projects import KeyRowStore, ProjectStore

_TAG_DRAWS = 8

_EVENTS = {
    ProjectState.SUSPENDED: AuditKind.PROJECT_SUSPENDED,
    ProjectState.ACTIVE: AuditKind.PROJECT_RESUMED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRequest:
    """What a custodian decides about a new project, for its whole life."""

    project_id: str
    title: str
    date_shift: DateShiftRule
    opt_outs: OptOutRule
    daily_quota: int
    linkage_ceiling: int = DEFAULT_CEILING
    follows_merges: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """A project and the rows of its pseudonym keys, wrapped."""

    project: Project
    keys: Sequence[KeyRow]


class ProjectLifecycle:
    """Creates projects with their keys, and suspends and resumes them."""

    def __init__(
        self,
        *,
        projects: ProjectStore,
        rows: KeyRowStore,
        key_ring: KeyRing,
        vault: KeyVault,
        clock: Clock,
        entropy: Entropy,
        access_control: AccessControl,
    ) -> None:
        self._projects = projects
        self._rows = rows
        self._key_ring = key_ring
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        self._access_control = access_control

    def create(self, request: ProjectRequest, actor: Actor) -> ProjectFacts:
        """Make a project, its vault key and its two roots.

        Raises:
            ProjectExists: The id was used before; ids are never used twice.
            StateConflict: No free tag was found.
        """
        self._access_control.require(actor, Permission.MANAGE_PROJECTS)
        parse_justification("opt-outs legal basis", request.opt_outs.legal_basis)
        project = self._build_project(request)
        self._require_new_id(project.project_id)
        self._vault.create_key(name_wrapping_key(project.project_id))
        keys = [
            self._key_ring.make_row(project.project_id, purpose, version=KeyVersion(1))
            for purpose in (RootPurpose.PSEUDONYMS, RootPurpose.STABLE)
        ]
        for _ in range(_TAG_DRAWS):
            try:
                self._projects.create(
                    project, keys, self._make_event(project, keys, actor)
                )
            except StateConflict:
                project = self._build_project(
                    request
                )  # the tag was taken: draw another
            else:
                return self.get(project.project_id, actor)
        msg = "no free project tag was found: try again"
        raise StateConflict(msg)

    def get(self, project_id: str, actor: Actor) -> ProjectFacts:
        """Return a project; raises ``ProjectUnknown``."""
        self._access_control.require(actor, Permission.READ_PROJECTS, project_id)
        project = self._projects.get(project_id)
        keys = self._rows.versions(project_id, RootPurpose.PSEUDONYMS)
        return ProjectFacts(project=project, keys=keys)

    def list(self, actor: Actor) -> Sequence[Project]:
        """Return all projects; for custodians and auditors."""
        self._access_control.require(actor, Permission.READ_PROJECTS)
        return self._projects.list()

    def suspend(self, project_id: str, *, reason: str, actor: Actor) -> ProjectFacts:
        """Stop the project's data calls, running streams included."""
        return self._change_state(project_id, ProjectState.SUSPENDED, reason, actor)

    def resume(self, project_id: str, *, reason: str, actor: Actor) -> ProjectFacts:
        """Let data calls in again."""
        return self._change_state(project_id, ProjectState.ACTIVE, reason, actor)

    def _change_state(
        self, project_id: str, target: ProjectState, reason: str, actor: Actor
    ) -> ProjectFacts:
        self._access_control.require(actor, Permission.MANAGE_PROJECTS)
        check_project_id(project_id)
        note = parse_justification("reason", reason)
        project = self._projects.get(project_id)
        _require_not_closing(project)
        project.check_transition(target)
        event = AuditEvent(
            kind=_EVENTS[target],
            at=self._clock.now(),
            actor=actor.subject,
            project=project_id,
            details={"reason": note},
        )
        self._projects.change_state(
            project_id, old=project.state, new=target, audit=event
        )
        return self.get(project_id, actor)

    def _require_new_id(self, project_id: str) -> None:
        if any(project.project_id == project_id for project in self._projects.list()):
            msg = f"project {project_id} exists already: ids are never used twice"
            raise ProjectExists(msg)

    def _build_project(self, request: ProjectRequest) -> Project:
        return Project(
            project_id=ProjectId(request.project_id),
            tag=draw_tag(self._entropy.draw(8)),
            title=parse_justification("title", request.title),
            state=ProjectState.ACTIVE,
            date_shift=request.date_shift,
            opt_outs=request.opt_outs,
            daily_quota=request.daily_quota,
            created_at=self._clock.now(),
            linkage_ceiling=request.linkage_ceiling,
            follows_merges=request.follows_merges,
        )

    def _make_event(
        self, project: Project, keys: Sequence[KeyRow], actor: Actor
    ) -> AuditEvent:
        return AuditEvent(
            kind=AuditKind.PROJECT_CREATED,
            at=project.created_at,
            actor=actor.subject,
            project=project.project_id,
            details={
                "tag": project.tag,
                "date_unit": project.date_shift.unit.value,
                "date_bound": project.date_shift.bound,
                "date_direction": project.date_shift.direction.value,
                "opt_outs": project.opt_outs.application.value,
                "legal_basis": project.opt_outs.legal_basis,
                "uncheckable": project.opt_outs.uncheckable.value,
                "daily_quota": project.daily_quota,
                "linkage_ceiling": project.linkage_ceiling,
                "follows_merges": project.follows_merges,
                "pseudonym_key": keys[0].check_value.hex(),
                "stable_key": keys[1].check_value.hex(),
            },
        )


def _require_not_closing(project: Project) -> None:
    if project.state is ProjectState.CLOSING:
        msg = (
            f"project {project.project_id} is closing: call that off with "
            "`pseudo project cancel-close`, which suspends it"
        )
        raise StateConflict(msg)
