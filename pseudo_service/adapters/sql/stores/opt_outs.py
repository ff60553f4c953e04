"""Opt-out lists over SQL: sorted 16-byte indices, a million to a row."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy import Connection, insert, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import opt_out_chunks, opt_out_lists
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.core.arrow.arrays import MAC_BYTES, Macs
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.errors import (
    OptOutListMissing,
    OptOutListRefused,
    StateConflict,
)
from pseudo_service.ports.opt_outs import OptOutList, OptOutListKind

CHUNK_ENTRIES = 1_000_000
SLOWEST_ENTRIES_A_SECOND = 100_000
"""1.6 MB a second: a caller who loads a list waits that much longer for it."""


class SqlOptOuts:
    """``OptOutStore`` over SQL."""

    def __init__(
        self, database: SqlDatabase, *, chunk_entries: int = CHUNK_ENTRIES
    ) -> None:
        self._database = database
        self._chunk_entries = chunk_entries

    def load(self, facts: OptOutList, indices: Macs, audit: AuditEvent) -> None:
        """Store a list; see ``OptOutStore.load``.

        Raises:
            OptOutListRefused: The array is not ``facts.entries`` rows of 16 bytes.
            StateConflict: A list has this id.
        """
        if indices.shape != (facts.entries, MAC_BYTES) or indices.dtype != np.uint8:
            msg = "opt-out list: the indices are not one row of 16 bytes an entry"
            raise OptOutListRefused(msg)

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            _insert_facts(connection, facts)
            for number, chunk in enumerate(self._cut(indices)):
                connection.execute(
                    insert(opt_out_chunks).values(
                        list_id=facts.list_id, chunk=number, indices=chunk
                    )
                )
            return (audit,)

        patience = facts.entries / SLOWEST_ENTRIES_A_SECOND
        self._database.write(apply, extra_patience=patience).wait()

    def newest(self) -> OptOutList | None:
        """Return the list in force, or None."""
        query = select(opt_out_lists).order_by(opt_out_lists.c.ordinal.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return OptOutList(
            list_id=row.list_id,
            kind=OptOutListKind(row.kind),
            entries=row.entries,
            digest=row.digest,
            loaded_at=row.loaded_at,
            expires_at=row.expires_at,
        )

    def read(self, list_id: str) -> Macs:
        """Return a list's indices; see ``OptOutStore.read``.

        Raises:
            OptOutListMissing: No list has this id, or a part of it is gone.
        """
        query = select(opt_out_lists.c.entries).where(
            opt_out_lists.c.list_id == list_id
        )
        with self._database.read() as connection:
            entries = connection.scalar(query)
        indices = np.empty(((entries or 0) * MAC_BYTES), np.uint8)
        filled = 0
        for chunk in self._read_chunks(list_id):
            packed = np.frombuffer(chunk, np.uint8)[: len(indices) - filled]
            indices[filled : filled + len(packed)] = packed
            filled += len(chunk)
        if entries is None or filled != len(indices):
            msg = "opt-out list: it is not stored whole; load a current list"
            raise OptOutListMissing(msg)
        return indices.reshape(-1, MAC_BYTES)

    def _read_chunks(self, list_id: str) -> Iterator[bytes]:
        """Yield one part at a time: a list of a country is a gigabyte."""
        for number in itertools.count():
            query = select(opt_out_chunks.c.indices).where(
                opt_out_chunks.c.list_id == list_id, opt_out_chunks.c.chunk == number
            )
            with self._database.read() as connection:
                chunk = connection.scalar(query)
            if chunk is None:
                return
            yield chunk

    def _cut(self, indices: Macs) -> Iterator[bytes]:
        for start in range(0, len(indices), self._chunk_entries):
            yield indices[start : start + self._chunk_entries].tobytes()


def _insert_facts(connection: Connection, facts: OptOutList) -> None:
    values = {
        "list_id": facts.list_id,
        "kind": facts.kind.value,
        "entries": facts.entries,
        "digest": facts.digest,
        "loaded_at": facts.loaded_at,
        "expires_at": facts.expires_at,
    }
    if not insert_absent(connection, opt_out_lists, values):
        msg = "opt-out list: a list of this id is stored; draw another id"
        raise StateConflict(msg)
