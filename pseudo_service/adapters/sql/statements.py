"""Statements that both databases write alike and SQLAlchemy does not."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Table, literal


def insert_absent(
    connection: Connection, table: Table, values: Mapping[str, Any]
) -> bool:
    """Insert a row unless it breaks a unique constraint; tell whether it did.

    On PostgreSQL this waits for another transaction that is inserting the same
    key, so of two that race exactly one inserts.
    """
    # Only the database's own dialect, which is imported already: each brings drivers
    # that the other database has no use for.
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing()
    # a returned row tells it for certain; the row count of an insert does not
    return connection.execute(statement.returning(literal(1))).first() is not None
