"""Engines: how each database is opened so that a commit is durable.

SQLite: write-ahead log with ``synchronous=FULL``, foreign keys on, a busy timeout,
and a file that only its owner can read. The file must lie on a local disk: the
write-ahead log needs shared memory, which network file systems do not give
(https://sqlite.org/wal.html). PostgreSQL: time limits on connecting, locks and
statements; ``synchronous_commit=off`` is refused by setting it on.
"""

import os
import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from pseudo_service.adapters.sql.failures import describe_replaced
from pseudo_service.core.errors import ConfigurationInvalid

WRITES = "pseudo_writes"
"""The execution option of a connection that is going to write."""
_LOCK_POLL_SECONDS = 0.001


def open_engine(url: str, *, patience: float) -> Engine:
    """Return an engine for ``sqlite:///path`` or ``postgresql+psycopg://...``.

    Args:
        url: The database; a missing SQLite file is created, owner-only.
        patience: Seconds to wait for a lock, a connection or a statement.

    Raises:
        ConfigurationInvalid: The URL names no database that is supported.
    """
    parsed = _parse(url)
    if parsed.drivername == "sqlite":
        return _open_sqlite(parsed, patience=patience)
    return _open_postgres(parsed, patience=patience)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    supported = parsed is not None and (
        (
            parsed.drivername == "sqlite"
            and parsed.database not in {None, "", ":memory:"}
        )
        or parsed.drivername == "postgresql+psycopg"
    )
    if parsed is None or not supported:
        msg = (
            "database url: give sqlite:///path/to/file or "
            "postgresql+psycopg://user@host/name"
        )
        raise ConfigurationInvalid(msg)
    return parsed


def _open_sqlite(url: URL, *, patience: float) -> Engine:
    path = Path(url.database or "").absolute()
    _create_private(path)
    address = f"{path.as_uri()}?mode=rw"  # never make a file by opening it

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            address,
            uri=True,
            timeout=patience,
            isolation_level=None,  # we begin transactions ourselves
            check_same_thread=False,  # the pool lends a connection to one at a time
        )

    engine = create_engine(
        url,
        creator=connect,
        hide_parameters=True,
        pool_size=8,
        max_overflow=24,
        pool_timeout=patience,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "checkout", partial(_check_file, path, _identify(path)))
    event.listen(engine, "begin", partial(_begin_sqlite, patience))
    return engine


def _create_private(path: Path) -> None:
    """Make the file, or make an existing one owner-only.

    SQLite gives its ``-wal`` and ``-shm`` files the mode of the main file.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
    except OSError:
        msg = "database url: the file cannot be made, or is not yours to write"
        raise ConfigurationInvalid(msg) from None


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    del record
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _check_file(
    path: Path,
    opened: tuple[int, int] | None,
    connection: object,
    record: object,
    proxy: object,
) -> None:
    """Refuse to work on a file that was moved or replaced, as by a restore.

    What is written to it would be lost; and opening the new file beside it can
    damage the new one (https://sqlite.org/howtocorrupt.html, section 1.3).
    """
    del connection, record, proxy
    if _identify(path) != opened:
        raise describe_replaced()


def _identify(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _begin_sqlite(patience: float, connection: Connection) -> None:
    """Begin; a writer takes the write lock at once, so that it cannot deadlock."""
    if connection.get_execution_options().get(WRITES, False):
        _begin_writing(connection, patience)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection, patience: float) -> None:
    """Take the write lock, asking for it often.

    SQLite itself waits up to a tenth of a second between two looks at the lock
    (``sqliteDefaultBusyCallback``), so of two busy processes one nearly starves.
    """
    until = time.monotonic() + patience
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if not _is_busy(error) or time.monotonic() > until:
                    raise
                time.sleep(_LOCK_POLL_SECONDS)
            else:
                return
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(patience * 1000)}")


def _is_busy(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


_NOTICE_SILENCE: Final = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""A connection whose other end is gone without a word ends within half a minute.

The kernel's own limits are a quarter of an hour for what was sent, and two hours for
what is awaited.
"""


def _open_postgres(url: URL, *, patience: float) -> Engine:
    milliseconds = int(patience * 1000)
    limits = {
        "lock_timeout": milliseconds,
        "statement_timeout": 6 * milliseconds,
        "idle_in_transaction_session_timeout": 6 * milliseconds,
    }
    options: dict[str, Any] = {
        "connect_timeout": max(2, int(patience)),
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        "application_name": "pseudo",
        **_NOTICE_SILENCE,
    }
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=8,
        max_overflow=24,
        pool_timeout=patience,
        pool_pre_ping=True,
        connect_args=options,
    )
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_postgres(connection: Any, record: object) -> None:
    """Never answer before the disk has the commit, whatever the server's default."""
    del record
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') = 'off'"
        )
    connection.commit()
