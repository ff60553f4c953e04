"""Which database a connection leads to: it changes with a failover or a restore."""

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from pseudo_service.adapters.sql.tables import facts

_REMEMBERED = "pseudo_database_id"


def identify_database(connection: Connection) -> str:
    """Return the identity of the database, asked once for each connection.

    A failover breaks every connection, so a connection that lives leads to the
    database that it led to when it was opened.
    """
    remembered = connection.info.get(_REMEMBERED)
    if remembered is None:
        remembered = _ask_identity(connection)
        connection.info[_REMEMBERED] = remembered
    return str(remembered)


def _ask_identity(connection: Connection) -> str:
    query = select(facts.c.value).where(facts.c.name == "database_id")
    stored = str(connection.scalar(query))
    if connection.dialect.name == "sqlite":
        return stored  # a replaced file is refused as soon as it is noticed
    return f"{stored}/{_identify_server(connection)}"


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
