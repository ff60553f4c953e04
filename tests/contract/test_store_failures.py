"""Databases that are full, locked, gone or of the wrong schema."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.adapters.sql.stores.projects import SqlProjects
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.core.audit.events import AuditEvent, encode_event
from pseudo_service.core.errors import (
    ConfigurationInvalid,
    ProjectExists,
    PseudoError,
    StoreFull,
    StoreUnavailable,
)
from pseudo_service.ports.journal import BatchChange
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_values import (
    make_data_key,
    make_event,
    make_project,
    make_segment,
)

BIG = BatchChange(
    event=make_event(1),
    data_keys=[make_data_key()],
    segments=[make_segment(count=20_000)],
)


@contextmanager
def lock(url: str) -> Iterator[None]:
    """Hold what a writer needs, as a backup or a forgotten shell does."""
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("LOCK TABLE audit_events IN EXCLUSIVE MODE"))
        yield
        connection.rollback()
    engine.dispose()


def read_bodies(database: SqlDatabase) -> list[str]:
    return [event.body for event in SqlAuditLog(database).read("chain-1")]


def test_a_locked_database_is_unavailable(
    open_database: OpenDatabase, database_url: str
) -> None:
    database = open_database(patience=1.0)
    journal = SqlJournal(database)
    with lock(database_url):
        with pytest.raises(StoreUnavailable, match="locked"):
            journal.record(make_event(1))
        assert SqlProjects(database).list() == []  # readers do not mind
    journal.record(make_event(2))
    assert read_bodies(database) == [encode_event(make_event(2))]


def test_waiting_is_bounded_and_cancels_what_has_not_begun(
    open_database: OpenDatabase,
) -> None:
    database = open_database(patience=0.4)
    release = threading.Event()
    begun = threading.Event()

    def stall(_: Connection) -> Sequence[AuditEvent]:
        begun.set()
        release.wait(20)
        return (make_event(1),)

    first = database.write(stall)
    begun.wait(20)
    second = SqlJournal(database).submit(BatchChange(event=make_event(2)))
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="in time"):
        second.wait()
    assert time.monotonic() - started < 10
    release.set()
    first.wait()
    SqlJournal(database).record(make_event(3))
    expected = [encode_event(make_event(number)) for number in (1, 3)]
    assert read_bodies(database) == expected


def test_a_full_sqlite_database(open_sqlite: OpenDatabase) -> None:
    database = open_sqlite()

    @event.listens_for(database._engine, "connect")
    def limit(connection: sqlite3.Connection, record: object) -> None:
        connection.execute("PRAGMA max_page_count=1").close()

    database._engine.dispose()
    check_full(database)


def test_a_full_postgresql_database(
    open_postgres: OpenDatabase, postgres_url: str
) -> None:
    database = open_postgres()
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RAISE EXCEPTION 'disk' USING ERRCODE = '53100'; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER full_disk BEFORE INSERT ON segments "
                "FOR EACH ROW EXECUTE FUNCTION fill()"
            )
        )
    engine.dispose()
    check_full(database)


def check_full(database: SqlDatabase) -> None:
    pending = SqlJournal(database).submit(BIG)
    with pytest.raises(StoreFull, match="space") as caught:
        pending.wait()
    assert_says_nothing_of_the_library(caught.value)
    assert list(SqlRegister(database).read_segments(after=0)) == []
    assert read_bodies(database) == []


def test_a_server_that_hangs_up_is_asked_again(open_postgres: OpenDatabase) -> None:
    database = open_postgres()
    runs = []

    def hang_up_once(connection: Connection) -> Sequence[AuditEvent]:
        runs.append(1)
        if len(runs) == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return (make_event(1),)

    database.write(hang_up_once).wait()
    assert len(runs) == 2
    assert read_bodies(database) == [encode_event(make_event(1))]


def test_connections_that_died_idle_are_replaced(
    open_postgres: OpenDatabase, postgres_url: str
) -> None:
    database = open_postgres()
    SqlJournal(database).record(make_event(1))
    end_sessions(postgres_url)
    SqlJournal(database).record(make_event(2))
    assert len(read_bodies(database)) == 2


def end_sessions(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    engine.dispose()


def test_a_server_that_is_gone(open_postgres: OpenDatabase, postgres_url: str) -> None:
    database = open_postgres(patience=3.0)
    name = make_url(postgres_url).database
    administration = create_engine(
        make_url(postgres_url).set(database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with administration.connect() as connection:
        for allowed in ("false", "true"):
            connection.execute(
                text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")
            )
            if allowed == "true":
                break
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    f"WHERE datname = '{name}'"
                )
            )
            for call in (
                lambda: SqlJournal(database).record(make_event(1)),
                lambda: SqlProjects(database).list(),
            ):
                with pytest.raises(StoreUnavailable) as caught:
                    call()
                assert_says_nothing_of_the_library(caught.value)
    administration.dispose()
    SqlJournal(database).record(make_event(2))
    assert read_bodies(database) == [encode_event(make_event(2))]


def test_a_server_that_falls_silent_is_given_up(open_postgres: OpenDatabase) -> None:
    """Nothing here can drop packets, but that the kernel is told its limits is seen."""
    with open_postgres().read() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        told = raw.info.get_parameters()
    assert {name: told.get(name) for name in told if "keepalives" in name} == {
        "keepalives": "1",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
    }
    assert told["tcp_user_timeout"] == "15000"


def lose_commit(database: SqlDatabase, *, landed: bool) -> Callable[[Connection], None]:
    """Make the next commit fail, after or before it reached the disk."""
    lost: list[bool] = []

    def fail(connection: Connection) -> None:
        if lost:
            return
        lost.append(True)
        if landed:
            driver = connection.connection.dbapi_connection
            assert driver is not None
            if connection.dialect.name == "sqlite":
                driver.execute("COMMIT")  # type: ignore[attr-defined]
            else:
                driver.commit()
        statement = "COMMIT"
        raise OperationalError(statement, None, Exception("connection lost"))

    event.listen(database._engine, "commit", fail)
    return fail


def test_a_commit_that_landed_unheard_is_a_success(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    lose_commit(database, landed=True)
    SqlProjects(database).create(make_project(), [], make_event(1))
    assert SqlProjects(database).get("heart-study") == make_project()
    SqlJournal(database).record(make_event(2))
    expected = [encode_event(make_event(number)) for number in (1, 2)]
    assert read_bodies(database) == expected


def test_a_commit_that_failed_stores_nothing(open_database: OpenDatabase) -> None:
    database = open_database()
    lose_commit(database, landed=False)
    with pytest.raises(StoreUnavailable) as caught:
        SqlProjects(database).create(make_project(), [], make_event(1))
    assert_says_nothing_of_the_library(caught.value)
    assert SqlProjects(database).list() == []
    SqlProjects(database).create(make_project(), [], make_event(2))
    assert read_bodies(database) == [encode_event(make_event(2))]


def test_a_mistake_in_one_change_fails_that_change_only(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    release = threading.Event()

    def stall(_: Connection) -> Sequence[AuditEvent]:
        release.wait(20)
        return (make_event(1),)

    def blunder(connection: Connection) -> Sequence[AuditEvent]:
        connection.execute(text("DELETE FROM audit_events"))
        raise ZeroDivisionError

    store = SqlProjects(database)
    SqlJournal(database).record(make_event(0))
    changes = [database.write(stall), database.write(blunder)]
    release.set()
    changes.append(database.write(lambda _: (make_event(2),)))
    changes[0].wait()
    with pytest.raises(ZeroDivisionError):
        changes[1].wait()
    changes[2].wait()
    store.create(make_project(), [], make_event(3))
    with pytest.raises(ProjectExists):
        store.create(make_project(), [], make_event(4))
    expected = [encode_event(make_event(number)) for number in (0, 1, 2, 3)]
    assert read_bodies(database) == expected


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://host/name",
        "postgresql://host/name",
        "nonsense",
        "sqlite:////proc/no/such/directory/pseudo.db",
    ],
)
def test_an_unsupported_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="database url"):
        SqlDatabase(url, chain="chain-1")


def test_a_url_is_never_repeated(tmp_path: Path) -> None:
    url = "postgresql+psycopg2://pseudo:pa55word@host/name"
    with pytest.raises(ConfigurationInvalid) as caught:
        SqlDatabase(url, chain="chain-1")
    assert "pa55word" not in str(caught.value)


def assert_says_nothing_of_the_library(error: PseudoError) -> None:
    shown = f"{error!r} {error.__cause__!r}"
    for word in ("sqlalchemy", "sqlite", "psycopg", "INSERT", "SELECT", "FATAL"):
        assert word not in shown
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
