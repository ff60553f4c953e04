"""Rows of the sealed register: stored once under their id, replaced whole or not.

Ingestion's journal and the linkage identity's keepers share these statements.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, delete, select

from pseudo_service.adapters.sql.schema import data_keys, disclosures, segments
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.disclosures.disclosure import Disclosure
from pseudo_service.core.errors import StateConflict
from pseudo_service.core.register.segments import DataKeyRow, Segment, describe_data_key

IDS_A_STATEMENT = 500
"""SQLite takes no more than 999 variables where it was built the old way."""
SLOWEST_BYTES_A_SECOND = 2 << 20
SLOWEST_ROWS_A_SECOND = 1000


def insert_data_keys(
    connection: Connection, rows: Iterable[DataKeyRow]
) -> list[AuditEvent]:
    """Store data keys; return the events of those that were new.

    Raises:
        StateConflict: Another data key has one of the ids.
    """
    return [describe_data_key(row) for row in rows if _insert_data_key(connection, row)]


def insert_segment(connection: Connection, segment: Segment) -> None:
    """Store a segment, or find this very segment stored.

    Raises:
        StateConflict: Another segment has this id.
    """
    values = {
        "segment_id": segment.segment_id,
        "kind": segment.kind,
        "count": segment.count,
        "data_key_id": segment.data_key_id,
        "nonce": segment.nonce,
        "sealed": segment.sealed,
        "blind_index": segment.blind_index,
        "mac": segment.mac,
    }
    _insert_or_compare(connection, segments, values, key="segment_id", proof="mac")


def insert_disclosure(connection: Connection, disclosure: Disclosure) -> None:
    """Store a disclosure, or find this very disclosure stored.

    Raises:
        StateConflict: Another disclosure has this id.
    """
    values = {
        "membership_id": disclosure.disclosure_id,
        "project": disclosure.project,
        "kind": disclosure.kind,
        "use": disclosure.use.value,
        "key_version": disclosure.key_version,
        "operation": disclosure.operation,
        "recorded_at": disclosure.recorded_at,
        "count": disclosure.count,
        "data_key_id": disclosure.data_key_id,
        "nonce": disclosure.nonce,
        "sealed": disclosure.sealed,
        "mac": disclosure.mac,
    }
    _insert_or_compare(
        connection, disclosures, values, key="membership_id", proof="mac"
    )


def delete_all(connection: Connection, key: Column[str], ids: Sequence[str]) -> None:
    """Delete the rows of these ids.

    Two that delete the same row wait for each other, and the second finds it gone.

    Raises:
        StateConflict: One of them is gone, or named twice.
    """
    if delete_present(connection, key, ids) != len(ids):
        msg = (
            f"{key.table.name}: what was to be replaced is not there any more; another "
            "process replaced it first: read it again"
        )
        raise StateConflict(msg)


def delete_present(connection: Connection, key: Column[str], ids: Sequence[str]) -> int:
    """Delete those of the rows that are there; return how many they were."""
    return sum(
        connection.execute(delete(key.table).where(key.in_(part))).rowcount
        for part in cut(ids, IDS_A_STATEMENT)
    )


def cut(values: Iterable[str], size: int) -> Iterable[list[str]]:
    """Yield the values in lists of at most ``size``."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def estimate_write_seconds(*, rows: int, size: int) -> float:
    """Return how much longer a caller waits for so many rows and bytes."""
    return rows / SLOWEST_ROWS_A_SECOND + size / SLOWEST_BYTES_A_SECOND


def read_count(row: Row[Any]) -> int:
    """Return the column "count", which is also the name of a method of rows."""
    return int(row._mapping["count"])  # noqa: SLF001 - SQLAlchemy's public accessor


def _insert_data_key(connection: Connection, row: DataKeyRow) -> bool:
    values = {
        "data_key_id": row.data_key_id,
        "wrapping_key_id": row.wrapping_key_id,
        "wrapped": row.wrapped,
        "created_at": row.created_at,
    }
    return _insert_or_compare(
        connection, data_keys, values, key="data_key_id", proof="wrapped"
    )


def _insert_or_compare(
    connection: Connection,
    table: Table,
    values: dict[str, Any],
    *,
    key: str,
    proof: str,
) -> bool:
    """Insert a row, or find the very same row there; say whether it is new.

    Raises:
        StateConflict: Another row has this id.
    """
    if insert_absent(connection, table, values):
        return True
    stored = connection.scalar(
        select(table.c[proof]).where(table.c[key] == values[key])
    )
    if stored != values[proof]:
        msg = f"{table.name}: another row has this id; draw a fresh id and try again"
        raise StateConflict(msg)
    return False
