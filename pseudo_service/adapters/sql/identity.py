"""Which database a connection leads to, and since which erasure.

The identity changes with a failover, a restore, and whenever it is renewed because
patients were erased: what a process then holds as known is known no more.
"""

import secrets

from sqlalchemy import Connection, bindparam, func, select, text, update
from sqlalchemy.exc import DBAPIError

from pseudo_service.adapters.sql.schema import facts, segments

_REMEMBERED = "pseudo_server"
_IS_IDENTITY = facts.c.name == "database_id"
# Built once: every batch runs them, and building costs more than running.
_STORED = select(facts.c.value).where(_IS_IDENTITY)
_STATE = select(
    facts.c.value, select(func.max(segments.c.position)).scalar_subquery()
).where(_IS_IDENTITY)
_LOCK = 0x70736575646F
"""The number of the advisory lock; PostgreSQL keeps these for each database."""
_HOLD = select(func.pg_advisory_xact_lock_shared(_LOCK))
_CHANGE = select(func.pg_advisory_xact_lock(_LOCK))
_RENEW = update(facts).where(_IS_IDENTITY).values(value=bindparam("renewed"))


def identify_database(connection: Connection) -> str:
    """Return the identity of the database.

    The stored part is read each time, for it may be renewed. The server's part is
    asked once for each connection: a failover breaks every connection, so one that
    lives leads to the server that it led to when it was opened.
    """
    return _complete(connection, str(connection.scalar(_STORED)))


def read_register_state(connection: Connection) -> tuple[str, int]:
    """Return the identity of the database and the position of its newest segment.

    Both in one statement, for every batch asks; 0 of an empty register.
    """
    stored, newest = connection.execute(_STATE).one()
    return _complete(connection, str(stored)), int(newest or 0)


def _complete(connection: Connection, stored: str) -> str:
    if connection.dialect.name == "sqlite":
        return stored  # a replaced file is refused as soon as it is noticed
    server = connection.info.get(_REMEMBERED)
    if server is None:
        server = _identify_server(connection)
        connection.info[_REMEMBERED] = server
    return f"{stored}/{server}"


def hold_identity(connection: Connection) -> None:
    """Keep the identity as it is until this transaction ends.

    So a change that relies on it is committed before a renewal, or sees it. Who
    writes to SQLite holds its write lock already. PostgreSQL's advisory locks need no
    right to write, write nothing, and are given in the order of asking.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(_HOLD)


def renew_identity(connection: Connection) -> None:
    """Draw another identity, when everyone who holds the old one has committed."""
    if connection.dialect.name != "sqlite":
        connection.execute(_CHANGE)
    connection.execute(_RENEW, {"renewed": secrets.token_hex(16)})


def _identify_server(connection: Connection) -> str:
    """Name the server, its timeline (a failover or restore begins another) and start.

    Where the role may not ask for one of them, it is left out: the start time
    alone already changes with every failover.
    """
    parts = [
        "SELECT system_identifier::text FROM pg_control_system()",
        "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)",
        "SELECT pg_postmaster_start_time()::text",
    ]
    return "/".join(_ask(connection, part) for part in parts)


def _ask(connection: Connection, query: str) -> str:
    try:
        with connection.begin_nested():
            return str(connection.scalar(text(query)))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return "unknown"
