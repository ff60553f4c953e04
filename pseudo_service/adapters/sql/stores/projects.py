"""Projects over SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import projects
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.adapters.sql.stores import project_closing
from pseudo_service.adapters.sql.stores.key_rows import insert_key_row
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import ProjectExists, ProjectUnknown, StateConflict
from pseudo_service.core.keys.material import KeyRow
from pseudo_service.core.keys.statements import SignedStatement
from pseudo_service.core.projects.project import (
    Closing,
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
    Project,
    ProjectState,
    ShiftDirection,
    ShiftUnit,
    Uncheckable,
)

# Built once: every call runs it, and building costs more than running.
_ONE = select(projects).where(projects.c.project_id == bindparam("of_project"))


class SqlProjects:
    """``ProjectStore`` over SQL."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def create(
        self, project: Project, keys: Sequence[KeyRow], audit: AuditEvent
    ) -> None:
        """Store a project and its keys; see ``ProjectStore.create``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            _insert_project(connection, project)
            for row in keys:
                insert_key_row(connection, row)
            return (audit,)

        self._database.write(apply).wait()

    def get(self, project_id: str) -> Project:
        """Return a project; see ``ProjectStore.get``."""
        with self._database.read() as connection:
            row = connection.execute(_ONE, {"of_project": project_id}).first()
        if row is None:
            raise _describe_unknown(project_id)
        return _read_project(row)

    def list(self) -> Sequence[Project]:
        """Return all projects by id."""
        with self._database.read() as connection:
            rows = connection.execute(select(projects)).all()
        return sorted(map(_read_project, rows), key=lambda found: found.project_id)

    def change_state(
        self,
        project_id: str,
        *,
        old: ProjectState,
        new: ProjectState,
        audit: AuditEvent,
    ) -> None:
        """Compare and set the state; see ``ProjectStore.change_state``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            _set_state(connection, project_id, old=old, new=new)
            return (audit,)

        self._database.write(apply).wait()

    def begin_closing(
        self,
        project_id: str,
        *,
        old: ProjectState,
        closing: Closing,
        audit: AuditEvent,
    ) -> None:
        """See ``ProjectStore.begin_closing``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            _set_state(connection, project_id, old=old, new=ProjectState.CLOSING)
            project_closing.keep_closing(connection, project_id, closing)
            return (audit,)

        self._database.write(apply).wait()

    def agree_to_closing(
        self, project_id: str, *, closing: Closing, audit: AuditEvent
    ) -> None:
        """See ``ProjectStore.agree_to_closing``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            project_closing.keep_agreement(connection, project_id, closing)
            return (audit,)

        self._database.write(apply).wait()

    def cancel_closing(
        self, project_id: str, *, closing: Closing, audit: AuditEvent
    ) -> None:
        """See ``ProjectStore.cancel_closing``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            project_closing.forget_closing(connection, project_id, closing)
            return (audit,)

        self._database.write(apply).wait()

    def destroy(
        self, project_id: str, *, certificate: SignedStatement, audit: AuditEvent
    ) -> None:
        """See ``ProjectStore.destroy``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            _set_state(
                connection,
                project_id,
                old=ProjectState.CLOSING,
                new=ProjectState.DESTROYED,
            )
            project_closing.delete_keys(connection, project_id)
            project_closing.keep_certificate(connection, project_id, certificate)
            return (audit,)

        self._database.write(apply).wait()

    def find_certificate(self, project_id: str) -> SignedStatement | None:
        """See ``ProjectStore.find_certificate``."""
        with self._database.read() as connection:
            return project_closing.read_certificate(connection, project_id)


def require_project(connection: Connection, project_id: str) -> None:
    """Raise unless the project is stored."""
    query = select(projects.c.project_id).where(projects.c.project_id == project_id)
    if connection.scalar(query) is None:
        raise _describe_unknown(project_id)


def _describe_unknown(project_id: str) -> ProjectUnknown:
    msg = f"project {project_id} does not exist: `pseudo project list` names all"
    return ProjectUnknown(msg)


def _insert_project(connection: Connection, project: Project) -> None:
    if insert_absent(connection, projects, _write_project(project)):
        return
    query = select(projects.c.project_id).where(
        projects.c.project_id == project.project_id
    )
    if connection.scalar(query) is not None:
        msg = (
            f"project {project.project_id} exists, or existed: ids are never used "
            "again; choose another"
        )
        raise ProjectExists(msg)
    msg = "the project tag was used before: draw another and try again"
    raise StateConflict(msg)


def _set_state(
    connection: Connection, project_id: str, *, old: ProjectState, new: ProjectState
) -> None:
    changed = connection.execute(
        update(projects)
        .where(projects.c.project_id == project_id, projects.c.state == old.value)
        .values(state=new.value)
    )
    if changed.rowcount == 0:
        require_project(connection, project_id)
        msg = f"project {project_id} is not {old} any more: read its state again"
        raise StateConflict(msg)


def _write_project(project: Project) -> dict[str, object]:
    return {
        "project_id": project.project_id,
        "tag": project.tag,
        "title": project.title,
        "state": project.state.value,
        "shift_unit": project.date_shift.unit.value,
        "shift_bound": project.date_shift.bound,
        "shift_direction": project.date_shift.direction.value,
        "opt_out_application": project.opt_outs.application.value,
        "opt_out_legal_basis": project.opt_outs.legal_basis,
        "opt_out_uncheckable": project.opt_outs.uncheckable.value,
        "daily_quota": project.daily_quota,
        "created_at": project.created_at,
        "linkage_ceiling": project.linkage_ceiling,
        "follows_merges": project.follows_merges,
        "overlap_until": project.overlap_until,
    }


def _read_project(row: Row[Any]) -> Project:
    return Project(
        project_id=row.project_id,
        tag=row.tag,
        title=row.title,
        state=ProjectState(row.state),
        date_shift=DateShiftRule(
            unit=ShiftUnit(row.shift_unit),
            bound=row.shift_bound,
            direction=ShiftDirection(row.shift_direction),
        ),
        opt_outs=OptOutRule(
            application=OptOutApplication(row.opt_out_application),
            legal_basis=row.opt_out_legal_basis,
            uncheckable=Uncheckable(row.opt_out_uncheckable),
        ),
        daily_quota=row.daily_quota,
        created_at=row.created_at,
        linkage_ceiling=row.linkage_ceiling,
        follows_merges=row.follows_merges,
        overlap_until=row.overlap_until,
        closing=_read_closing(row),
    )


def _read_closing(row: Row[Any]) -> Closing | None:
    if row.closing_requested_by is None:
        return None
    return Closing(
        requested_by=row.closing_requested_by,
        requested_at=row.closing_requested_at,
        reason=row.closing_reason,
        agreed_by=row.closing_agreed_by,
        agreed_at=row.closing_agreed_at,
        not_before=row.closing_not_before,
    )
