"""Batch changes: what must be durable before an answer leaves."""

from collections.abc import Sequence

from sqlalchemy import Connection

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.failures import describe_read_anew
from pseudo_service.adapters.sql.identity import hold_identity, read_register_state
from pseudo_service.adapters.sql.stores.quotas import charge_quota, order_charge
from pseudo_service.adapters.sql.stores.sealed_rows import (
    insert_data_keys,
    insert_disclosure,
    insert_segment,
)
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.ports.journal import BatchChange, PendingCommit


class SqlJournal:
    """``Journal`` over SQL.

    A batch change whose outcome was lost may be submitted again as it is: data
    keys, segments and disclosures that are stored already are compared and left.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def submit(self, change: BatchChange) -> PendingCommit:
        """Queue a change; see ``Journal.submit``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            _check_database(connection, change)
            if change.charge is not None:  # early, because it may refuse
                charge_quota(connection, change.charge)
            made = insert_data_keys(connection, change.data_keys)
            for segment in change.segments:
                insert_segment(connection, segment)
            for disclosure in change.disclosures:
                insert_disclosure(connection, disclosure)
            return (*made, change.event)

        return self._database.write(apply, order=order_charge(change.charge))

    def record(self, event: AuditEvent) -> None:
        """Append an event; see ``Journal.record``."""
        self._database.write(lambda _: (event,)).wait()


def _check_database(connection: Connection, change: BatchChange) -> None:
    if change.known_in is None:
        return
    hold_identity(connection)
    known_in = change.known_in
    database, newest = read_register_state(connection)
    if known_in.database != database or known_in.position > newest:
        raise describe_read_anew()
