"""Batch changes: what must be durable before an answer leaves."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.identity import identify_database
from pseudo_service.adapters.sql.quotas import charge_quota, order_charge
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.adapters.sql.tables import data_keys, segments
from pseudo_service.core.audit import AuditEvent
from pseudo_service.core.errors import DatabaseReplaced, StateConflict
from pseudo_service.core.register import DataKeyRow, Segment, describe_data_key
from pseudo_service.ports.journal import BatchChange, PendingCommit


class SqlJournal:
    """``Journal`` over SQL.

    A batch change whose outcome was lost may be submitted again as it is: data
    keys and segments that are stored already are compared and left.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def submit(self, change: BatchChange) -> PendingCommit:
        """Queue a change; see ``Journal.submit``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            _check_database(connection, change)
            if change.charge is not None:  # early, because it may refuse
                charge_quota(connection, change.charge)
            made = [
                row for row in change.data_keys if _insert_data_key(connection, row)
            ]
            for segment in change.segments:
                _insert_segment(connection, segment)
            return (*map(describe_data_key, made), change.event)

        return self._database.write(apply, order=order_charge(change.charge))

    def record(self, event: AuditEvent) -> None:
        """Append an event; see ``Journal.record``."""
        self._database.write(lambda _: (event,)).wait()


def _check_database(connection: Connection, change: BatchChange) -> None:
    if change.known_in not in (None, identify_database(connection)):
        msg = (
            "the database was replaced or failed over, and the register is being read "
            "anew: send the batch again"
        )
        raise DatabaseReplaced(msg)


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


def _insert_segment(connection: Connection, segment: Segment) -> None:
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
