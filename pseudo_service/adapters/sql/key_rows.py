"""Wrapped, signed roots over SQL; a row is written once and never changed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.adapters.sql.tables import key_rows
from pseudo_service.core.audit import AuditEvent
from pseudo_service.core.errors import StateConflict
from pseudo_service.core.keys import KeyRow, RootPurpose


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

    def newest(self, owner: str, purpose: RootPurpose) -> KeyRow | None:
        """Return the row with the highest version, or None."""
        query = _select_rows(owner, purpose).order_by(key_rows.c.version.desc())
        return self._first(query.limit(1))

    def get(self, owner: str, purpose: RootPurpose, version: int) -> KeyRow | None:
        """Return one row, or None."""
        query = _select_rows(owner, purpose).where(key_rows.c.version == version)
        return self._first(query)

    def versions(self, owner: str, purpose: RootPurpose) -> Sequence[KeyRow]:
        """Return every row by version."""
        query = _select_rows(owner, purpose).order_by(key_rows.c.version)
        with self._database.read() as connection:
            return [_read_row(row) for row in connection.execute(query)]

    def _first(self, query: Select[Any]) -> KeyRow | None:
        with self._database.read() as connection:
            row = connection.execute(query).first()
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


def _select_rows(owner: str, purpose: RootPurpose) -> Select[Any]:
    return select(key_rows).where(
        key_rows.c.owner == owner, key_rows.c.purpose == purpose.value
    )


def _read_row(row: Row[Any]) -> KeyRow:
    return KeyRow(
        owner=row.owner,
        version=row.version,
        purpose=RootPurpose(row.purpose),
        wrapping_key_id=row.wrapping_key_id,
        wrapped=row.wrapped,
        check_value=row.check_value,
        created_at=row.created_at,
        signing_key_id=row.signing_key_id,
        signature=row.signature,
    )
