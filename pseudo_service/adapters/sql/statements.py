"""Statements that both databases write alike and SQLAlchemy does not."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, literal
from sqlalchemy.dialects import postgresql, sqlite


def insert_absent(
    connection: Connection, table: Table, values: Mapping[str, Any]
) -> bool:
    """Insert a row unless it breaks a unique constraint; tell whether it did.

    On PostgreSQL this waits for another transaction that is inserting the same
    key, so of two that race exactly one inserts.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(**values).on_conflict_do_nothing()
    # a returned row tells it for certain; the row count of an insert does not
    return connection.execute(statement.returning(literal(1))).first() is not None
