"""Lists of superseded numbers over SQL: sealed chunks, a row each."""

import itertools
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, insert, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import alias_chunks, alias_tables
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.adapters.sql.stores.sealed_rows import estimate_write_seconds
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import StateConflict
from pseudo_service.ports.superseded import SupersededList


class SqlSuperseded:
    """``SupersededStore`` over SQL."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def load(
        self, facts: SupersededList, sealed: Iterator[bytes], audit: AuditEvent
    ) -> None:
        """Store a table; see ``SupersededStore.load``.

        The chunks are held whole: the transaction may have to be run again.

        Raises:
            StateConflict: A table has this id.
        """
        chunks = tuple(sealed)

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            _insert_facts(connection, facts)
            for number, chunk in enumerate(chunks):
                connection.execute(
                    insert(alias_chunks).values(
                        list_id=facts.list_id, chunk=number, sealed=chunk
                    )
                )
            return (audit,)

        longer = estimate_write_seconds(rows=len(chunks), size=sum(map(len, chunks)))
        self._database.write(apply, extra_patience=longer).wait()

    def newest(self) -> SupersededList | None:
        """Return the table in force, or None."""
        query = select(alias_tables).order_by(alias_tables.c.ordinal.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return SupersededList(
            list_id=row.list_id,
            merged=row.merged,
            reissued=row.reissued,
            digest=row.digest,
            loaded_at=row.loaded_at,
        )

    def read(self, list_id: str) -> Iterator[bytes]:
        """Yield a table's sealed chunks in order, read one at a time.

        It ends at the first chunk that is not there. The digest shows whether the list
        is whole.
        """
        for number in itertools.count():
            query = select(alias_chunks.c.sealed).where(
                alias_chunks.c.list_id == list_id, alias_chunks.c.chunk == number
            )
            with self._database.read() as connection:
                chunk = connection.scalar(query)
            if chunk is None:
                return
            yield chunk


def _insert_facts(connection: Connection, facts: SupersededList) -> None:
    values = {
        "list_id": facts.list_id,
        "merged": facts.merged,
        "reissued": facts.reissued,
        "digest": facts.digest,
        "loaded_at": facts.loaded_at,
    }
    if not insert_absent(connection, alias_tables, values):
        msg = "alias table: a table of this id is stored; draw another id"
        raise StateConflict(msg)
