"""The audit trail over SQL: read in pages, never held whole."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import CTE, Connection, Row, func, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import audit_events, checkpoints
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.core.audit.events import (
    AuditEvent,
    ChainHead,
    Checkpoint,
    RecordedEvent,
    decode_heads,
    encode_heads,
)
from pseudo_service.core.errors import StateConflict

PAGE_ROWS = 2000
CHECKPOINT_PAGE_ROWS = 50


class SqlAuditLog:
    """``AuditLog`` over SQL. Events are written by the writer only."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def heads(self) -> Sequence[ChainHead]:
        """Return the last event of every chain, committed."""
        names = _list_chains()
        other = audit_events.alias()
        highest = (
            select(func.max(other.c.sequence))
            .where(other.c.chain == names.c.chain)
            .scalar_subquery()
        )
        query = select(
            audit_events.c.chain, audit_events.c.sequence, audit_events.c.digest
        ).join(
            names,
            (audit_events.c.chain == names.c.chain)
            & (audit_events.c.sequence == highest),
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return sorted(
            ChainHead(chain=row.chain, sequence=row.sequence, digest=row.digest)
            for row in rows
        )

    def chains(self) -> Sequence[str]:
        """Return the names of all chains."""
        names = _list_chains()
        query = select(names.c.chain).where(names.c.chain.is_not(None))
        with self._database.read() as connection:
            return sorted(connection.scalars(query))

    def read(self, chain: str, *, after: int = -1) -> Iterator[RecordedEvent]:
        """Yield a chain's events above a sequence, in order, in pages."""
        while True:
            query = (
                select(audit_events)
                .where(audit_events.c.chain == chain, audit_events.c.sequence > after)
                .order_by(audit_events.c.sequence)
                .limit(PAGE_ROWS)
            )
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            yield from map(_read_event, rows)
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1].sequence

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint with the highest number, or None."""
        query = select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _read_checkpoint(row)

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Store a checkpoint; see ``AuditLog.add_checkpoint``."""

        def apply(connection: Connection) -> Sequence[AuditEvent]:
            _insert_checkpoint(connection, checkpoint)
            return ()

        self._database.write(apply).wait()

    def checkpoints(self, *, after: int = -1) -> Iterator[Checkpoint]:
        """Yield the checkpoints above a number, by number, in pages."""
        while True:
            query = (
                select(checkpoints)
                .where(checkpoints.c.number > after)
                .order_by(checkpoints.c.number)
                .limit(CHECKPOINT_PAGE_ROWS)
            )
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            yield from map(_read_checkpoint, rows)
            if len(rows) < CHECKPOINT_PAGE_ROWS:
                return
            after = rows[-1].number


def _list_chains() -> CTE:
    """Return the chains' names by hopping through the primary key.

    A ``DISTINCT`` would read every event; this reads one entry a chain. The last
    name is null.
    """
    names = select(func.min(audit_events.c.chain).label("chain")).cte(
        "names", recursive=True
    )
    following = (
        select(func.min(audit_events.c.chain))
        .where(audit_events.c.chain > names.c.chain)
        .scalar_subquery()
    )
    return names.union_all(select(following).where(names.c.chain.is_not(None)))


def _insert_checkpoint(connection: Connection, checkpoint: Checkpoint) -> None:
    values = {
        "number": checkpoint.number,
        "at": checkpoint.at,
        "heads": encode_heads(checkpoint.heads),
        "previous": checkpoint.previous,
        "signing_key_id": checkpoint.signing_key_id,
        "signature": checkpoint.signature,
    }
    if not insert_absent(connection, checkpoints, values):
        msg = (
            f"audit checkpoint {checkpoint.number} was made by another process: "
            "make the next one on top of it"
        )
        raise StateConflict(msg)


def _read_event(row: Row[Any]) -> RecordedEvent:
    return RecordedEvent(
        chain=row.chain,
        sequence=row.sequence,
        body=row.body,
        previous=row.previous,
        digest=row.digest,
    )


def _read_checkpoint(row: Row[Any]) -> Checkpoint:
    return Checkpoint(
        number=row.number,
        at=row.at,
        heads=decode_heads(row.heads),
        previous=row.previous,
        signing_key_id=row.signing_key_id,
        signature=row.signature,
    )
