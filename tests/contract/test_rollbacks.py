"""A database that goes back behind what a process committed, or has read of it."""

import pytest
from sqlalchemy import delete

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import audit_events
from pseudo_service.adapters.sql.schema import segments as segment_rows
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.core.audit.events import encode_event
from pseudo_service.core.errors import DatabaseReplaced
from pseudo_service.ports.journal import BatchChange
from pseudo_service.ports.register import RegisterReading
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_values import make_data_key, make_event, make_segment


def read_bodies(database: SqlDatabase) -> list[str]:
    return [event.body for event in SqlAuditLog(database).read("chain-1")]


def roll_back(database: SqlDatabase, *, events: int, segments: int) -> None:
    """Take the database back to its first events and segments, as a restore does."""
    with database.read() as connection:
        connection.execute(delete(audit_events).where(audit_events.c.sequence > events))
        connection.execute(
            delete(segment_rows).where(segment_rows.c.position > segments)
        )
        connection.commit()


def test_a_rollback_is_noticed_at_the_next_write(open_database: OpenDatabase) -> None:
    """Nothing is stored that relies on what is gone, and the next one is taken."""
    database = open_database()
    journal, register = SqlJournal(database), SqlRegister(database)
    for number in (1, 2):
        change = BatchChange(
            event=make_event(number),
            data_keys=[make_data_key()],
            segments=[make_segment(number)],
        )
        journal.submit(change).wait()
    before = register.database_id()
    bodies = read_bodies(database)
    roll_back(database, events=2, segments=1)
    with pytest.raises(DatabaseReplaced, match="rolled back"):
        journal.record(make_event(3))
    assert read_bodies(database) == bodies[:2]
    assert register.database_id() != before, "other processes are to read it anew"
    journal.record(make_event(3))
    assert read_bodies(database) == [*bodies[:2], encode_event(make_event(3))]


def test_a_rollback_is_noticed_by_who_wrote_nothing_since(
    open_database: OpenDatabase,
) -> None:
    """It has read what others registered, and takes these people for known."""
    writer, reader = open_database(), open_database()
    for number in (1, 2):
        segment = make_segment(number)
        change = BatchChange(
            event=make_event(number), data_keys=[make_data_key()], segments=[segment]
        )
        SqlJournal(writer).submit(change).wait()
    register = SqlRegister(reader)
    (*_, newest) = register.read_segments(after=0)
    reading = RegisterReading(database=register.database_id(), position=newest.position)
    change = BatchChange(event=make_event(3), known_in=reading)
    SqlJournal(reader).submit(change).wait()
    roll_back(writer, events=9, segments=newest.position - 1)
    with pytest.raises(DatabaseReplaced, match="rolled back"):
        SqlJournal(reader).submit(change).wait()
