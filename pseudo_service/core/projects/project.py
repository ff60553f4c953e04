"""A project: what is fixed for its life when it is created, and its state."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from pseudo_service.core.digit_runs import PROJECT_ID
from pseudo_service.core.errors import InvalidArgument, ProjectNotActive, StateConflict
from pseudo_service.core.ids import ProjectId

_PROJECT_ID = re.compile(r"[a-z][a-z0-9-]{2,39}")
TAG_LENGTH = 4
DEFAULT_CEILING = 1_000
HIGHEST_CEILING = 100_000
SHORTEST_BOUND = 4
"""Units; a smaller bound would hide next to nothing."""


class ProjectState(StrEnum):
    """Whether a project takes data calls."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSING = "closing"
    DESTROYED = "destroyed"


TRANSITIONS: Mapping[ProjectState, frozenset[ProjectState]] = MappingProxyType(
    {
        ProjectState.ACTIVE: frozenset({ProjectState.SUSPENDED, ProjectState.CLOSING}),
        ProjectState.SUSPENDED: frozenset({ProjectState.ACTIVE, ProjectState.CLOSING}),
        ProjectState.CLOSING: frozenset(
            {ProjectState.SUSPENDED, ProjectState.DESTROYED}
        ),
        ProjectState.DESTROYED: frozenset(),
    }
)


_ADVICE: Mapping[ProjectState, str] = MappingProxyType(
    {
        ProjectState.SUSPENDED: "a custodian can resume it with `pseudo project resume`",
        ProjectState.CLOSING: (
            "its end was asked for: a custodian can call that off with "
            "`pseudo project cancel-close`, and then resume it"
        ),
        ProjectState.DESTROYED: (
            "its keys are gone for ever: make a new project, under another id"
        ),
    }
)


class ShiftUnit(StrEnum):
    """The unit of a date offset; whole weeks keep the weekday."""

    DAYS = "days"
    WEEKS = "weeks"


class ShiftDirection(StrEnum):
    """Past only is the default: a date after the extract would bound the offset."""

    PAST = "past"
    BOTH = "both"


class OptOutApplication(StrEnum):
    """Whether the national data opt-out applies to a project."""

    APPLIED = "applied"
    NOT_APPLICABLE = "not_applicable"


class Uncheckable(StrEnum):
    """What happens to a row if its patient cannot be checked for an opt-out."""

    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateShiftRule:
    """Unit, bound and direction of a project's date offsets.

    ``bound`` counts units: with weeks and 26, offsets reach half a year.
    """

    unit: ShiftUnit = ShiftUnit.WEEKS
    bound: int = 52
    direction: ShiftDirection = ShiftDirection.PAST

    def __post_init__(self) -> None:
        longest = 520 if self.unit is ShiftUnit.WEEKS else 3650
        if not SHORTEST_BOUND <= self.bound <= longest:
            msg = f"date shift bound: give {SHORTEST_BOUND} to {longest} {self.unit}"
            raise InvalidArgument(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutRule:
    """Whether opt-outs are applied, on what legal basis, and to the uncheckable."""

    application: OptOutApplication
    legal_basis: str
    uncheckable: Uncheckable = Uncheckable.REMOVE

    def __post_init__(self) -> None:
        if not 3 <= len(self.legal_basis.strip()) <= 200:  # noqa: PLR2004
            msg = "opt-outs: state the legal basis, in 3 to 200 characters"
            raise InvalidArgument(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A project's end as it was asked for; ``agreed_by`` is None until a second agrees."""

    requested_by: str
    requested_at: datetime
    reason: str
    agreed_by: str | None
    agreed_at: datetime | None = None
    not_before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project as it is stored.

    ``tag`` begins every pseudonym of the project and is never used again.
    ``daily_quota`` is distinct identifiers per caller and day. ``linkage_ceiling`` is
    the most pseudonyms that one linkage request may list. With ``follows_merges`` a
    superseded NHS number counts as the number that replaced it. Until ``overlap_until``
    tables may ask for the pseudonyms of the key version before, too. ``closing`` is given
    while the project is closing, and once it is destroyed.
    """

    project_id: ProjectId
    tag: str
    title: str
    state: ProjectState
    date_shift: DateShiftRule
    opt_outs: OptOutRule
    daily_quota: int
    created_at: datetime
    linkage_ceiling: int = DEFAULT_CEILING
    follows_merges: bool = False
    overlap_until: datetime | None = None
    closing: Closing | None = None

    def __post_init__(self) -> None:
        check_project_id(self.project_id)
        if self.daily_quota < 1:
            msg = "daily quota: give at least 1 distinct identifier"
            raise InvalidArgument(msg)
        if not 1 <= self.linkage_ceiling <= HIGHEST_CEILING:
            msg = f"linkage ceiling: give 1 to {HIGHEST_CEILING} pseudonyms a request"
            raise InvalidArgument(msg)

    def check_active(self) -> None:
        """Raise unless the project takes data calls.

        Raises:
            ProjectNotActive: It is suspended, closing or destroyed.
        """
        if self.state is not ProjectState.ACTIVE:
            msg = f"project {self.project_id} is {self.state}; {_ADVICE[self.state]}"
            raise ProjectNotActive(msg)

    def check_transition(self, target: ProjectState) -> None:
        """Raise unless the project may move to the target state.

        Raises:
            StateConflict: No transition leads from its state to the target.
        """
        if target not in TRANSITIONS[self.state]:
            msg = (
                f"project {self.project_id} is {self.state}: it cannot become {target}"
            )
            raise StateConflict(msg)


def check_project_id(project_id: str) -> None:
    """Raise unless the text can be a project's id.

    Raises:
        InvalidArgument: Its length or form is wrong, or it may hold a patient's number.
    """
    if not _PROJECT_ID.fullmatch(project_id) or PROJECT_ID.is_in(project_id):
        msg = (
            "project: 3 to 40 lower-case letters, digits and dashes, "
            "beginning with a letter and without long numbers"
        )
        raise InvalidArgument(msg)
