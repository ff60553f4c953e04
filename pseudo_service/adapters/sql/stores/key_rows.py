"""Wrapped, signed roots over SQL; a row is written once and never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select, update

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import key_rows, projects
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import StateConflict
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import KeyRow, RootPurpose
from pseudo_service.core.projects.project import ProjectState

# Built once: every call runs the first, and building costs more than running.
_ROWS = select(key_rows).where(
    key_rows.c.owner == bindparam("of_owner"),
    key_rows.c.purpose == bindparam("of_purpose"),
)
_NEWEST = _ROWS.order_by(key_rows.c.version.desc()).limit(1)
_ONE = _ROWS.where(key_rows.c.version == bindparam("of_version"))
_ALL = _ROWS.order_by(key_rows.c.version)


class SqlKeyRows:
    """``KeyRowStore`` over SQL."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def add(self, row: KeyRow, audit: AuditEvent) -> None:
        """Store a row; see ``KeyRowStore.add``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            insert_key_row(connection, row)
            return (audit,)

        self._database.write(apply).wait()

    def rotate(
        self, row: KeyRow, *, overlap_until: datetime | None, audit: AuditEvent
    ) -> None:
        """Store a project's next row; see ``KeyRowStore.rotate``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            _set_overlap(connection, row.owner, overlap_until)
            insert_key_row(connection, row)
            return (audit,)

        self._database.write(apply).wait()

    def newest(self, owner: str, purpose: RootPurpose) -> KeyRow | None:
        """Return the row with the highest version, or None."""
        return self._first(_NEWEST, _locate(owner, purpose))

    def get(
        self, owner: str, purpose: RootPurpose, version: KeyVersion
    ) -> KeyRow | None:
        """Return one row, or None."""
        return self._first(_ONE, {**_locate(owner, purpose), "of_version": version})

    def versions(self, owner: str, purpose: RootPurpose) -> Sequence[KeyRow]:
        """Return every row by version."""
        with self._database.read() as connection:
            rows = connection.execute(_ALL, _locate(owner, purpose))
            return [_read_row(row) for row in rows]

    def _first(self, query: Select[Any], place: dict[str, object]) -> KeyRow | None:
        with self._database.read() as connection:
            row = connection.execute(query, place).first()
        return None if row is None else _read_row(row)


def insert_key_row(connection: Connection, row: KeyRow) -> None:
    """Insert a row.

    Raises:
        StateConflict: The owner has a row of this purpose and version.
    """
    values = {
        "owner": row.owner,
        "purpose": row.purpose.value,
        "version": row.version,
        "wrapping_key_id": row.wrapping_key_id,
        "wrapped": row.wrapped,
        "check_value": row.check_value,
        "created_at": row.created_at,
        "signing_key_id": row.signing_key_id,
        "signature": row.signature,
    }
    if not insert_absent(connection, key_rows, values):
        msg = (
            f"{row.owner} has version {row.version} of its {row.purpose} root: "
            "read that row and use it"
        )
        raise StateConflict(msg)


def _set_overlap(
    connection: Connection, project_id: str, overlap_until: datetime | None
) -> None:
    changed = connection.execute(
        update(projects)
        .where(
            projects.c.project_id == project_id,
            projects.c.state == ProjectState.ACTIVE.value,
        )
        .values(overlap_until=overlap_until)
    )
    if changed.rowcount == 0:
        msg = f"project {project_id} is not active any more: its key is not rotated"
        raise StateConflict(msg)


def _locate(owner: str, purpose: RootPurpose) -> dict[str, object]:
    return {"of_owner": owner, "of_purpose": purpose.value}


def _read_row(row: Row[Any]) -> KeyRow:
    return KeyRow(
        owner=row.owner,
        version=KeyVersion(row.version),
        purpose=RootPurpose(row.purpose),
        wrapping_key_id=row.wrapping_key_id,
        wrapped=row.wrapped,
        check_value=row.check_value,
        created_at=row.created_at,
        signing_key_id=row.signing_key_id,
        signature=row.signature,
    )
