"""The sealed register over SQL, as the linkage identity rewrites it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, exists, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.identity import renew_identity
from pseudo_service.adapters.sql.schema import data_keys, disclosures, segments
from pseudo_service.adapters.sql.stores.sealed_rows import (
    delete_all,
    delete_present,
    estimate_write_seconds,
    insert_data_keys,
    insert_segment,
)
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.register.segments import DataKeyRow, Segment


class SqlRegisterKeeper:
    """``RegisterKeeper`` over SQL.

    Readers go by position and new segments get higher positions than the old ones,
    so a reader meanwhile sees each identity at least once.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def replace_segments(
        self,
        *,
        old: Sequence[str],
        new: Sequence[Segment],
        data_keys: Sequence[DataKeyRow],
        audit: Sequence[AuditEvent],
        renew: bool = False,
    ) -> None:
        """Put new segments in the place of old; see ``RegisterKeeper``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            made = insert_data_keys(connection, data_keys)
            delete_all(connection, segments.c.segment_id, old)
            for segment in new:
                insert_segment(connection, segment)
            if renew:  # last, for it holds up ingestion until the commit
                renew_identity(connection)
            return (*made, *audit)

        size = sum(len(one.sealed) + len(one.blind_index) for one in new)
        longer = estimate_write_seconds(rows=len(old) + len(new), size=size)
        self._database.write(apply, extra_patience=longer).wait()

    def drop_unused_data_keys(
        self, *, made_before: datetime, audit: Sequence[AuditEvent]
    ) -> int:
        """Delete data keys that nothing is sealed under; see ``RegisterKeeper``.

        Raises:
            StateConflict: Something was sealed under one of them meanwhile; nothing
                was deleted.
        """
        dropped = 0

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            nonlocal dropped
            unused = _find_unused(connection, made_before)
            dropped = delete_present(connection, data_keys.c.data_key_id, unused)
            return audit

        with self._database.read() as connection:
            longer = estimate_write_seconds(
                rows=len(_find_unused(connection, made_before)), size=0
            )
        self._database.write(apply, extra_patience=longer).wait()
        return dropped

    def renew_database_id(self, audit: Sequence[AuditEvent]) -> None:
        """Renew the identity; see ``RegisterKeeper.renew_database_id``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            renew_identity(connection)
            return audit

        self._database.write(apply).wait()


def _find_unused(connection: Connection, made_before: datetime) -> list[str]:
    """Return the ids of old data keys without segments and disclosures.

    Times are compared here, for as texts they have no order across zones.
    """
    sealed = [
        exists().where(table.c.data_key_id == data_keys.c.data_key_id)
        for table in (segments, disclosures)
    ]
    query = select(data_keys.c.data_key_id, data_keys.c.created_at).where(
        ~sealed[0], ~sealed[1]
    )
    return [
        row.data_key_id
        for row in connection.execute(query)
        if row.created_at < made_before
    ]
