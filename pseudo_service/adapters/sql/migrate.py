"""Migrations, safe when several processes start at once.

Alembic is imported where a schema changes. A process whose database is current, which
is nearly every one, reads the revision itself and starts sooner.
"""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from pseudo_service.adapters.sql.engines import WRITES, open_engine
from pseudo_service.adapters.sql.failures import translating
from pseudo_service.adapters.sql.migrations import HEAD
from pseudo_service.core.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = "pseudo_service.adapters.sql:migrations"
_VERSIONS = "alembic_version"
_POSTGRES_LOCK = 0x7073657564  # "pseud": one number for every process of the service


def migrate(url: str, *, patience: float = 60.0) -> None:
    """Bring a database to this version's schema, in one transaction.

    A process that comes second waits for the first (SQLite: the write lock,
    PostgreSQL: an advisory lock) and then finds nothing to do. A database that has
    the schema already is only read, so that the role of a running service needs no
    right to change tables.

    Raises:
        ConfigurationInvalid: The URL is not supported, or a newer version of the
            service made the database.
        StoreUnavailable: The database does not answer, or the wait is too long.
    """
    engine = open_engine(url, patience=patience)
    try:
        with translating():
            if not _is_current(engine):
                _upgrade(engine)
    finally:
        engine.dispose()


def _is_current(engine: Engine) -> bool:
    with engine.connect() as connection:
        return _read_revision(connection) == HEAD


def _upgrade(engine: Engine) -> None:
    from alembic import command  # noqa: PLC0415 - see the module's first lines
    from alembic.util import CommandError  # noqa: PLC0415 - as above

    with engine.execution_options(**{WRITES: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            lock = text("SELECT pg_advisory_xact_lock(:lock)")
            connection.execute(lock, {"lock": _POSTGRES_LOCK})
        found = _read_revision(connection)
        config = configure()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise _describe_schema(found) from None


def configure() -> "Config":
    """Return Alembic's configuration; the scripts travel with the package."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    return config


def check_schema(connection: Connection) -> None:
    """Raise unless the database has exactly this version's schema.

    Raises:
        ConfigurationInvalid: It is older, newer or empty.
    """
    found = _read_revision(connection)
    if found != HEAD:
        raise _describe_schema(found)


def _read_revision(connection: Connection) -> str | None:
    """Return what Alembic wrote; None where it never wrote anything."""
    if not inspect(connection).has_table(_VERSIONS):
        return None
    rows = connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).all()  # noqa: S608 - a constant
    # More than one would be branches, which this project's migrations do not have.
    return str(rows[0].version_num) if len(rows) == 1 else None


def _describe_schema(found: str | None) -> ConfigurationInvalid:
    msg = (
        f"the database has schema {found or 'none'} and this version needs "
        f"{HEAD}: `pseudo serve` brings an older schema up to date when it "
        "starts; a newer one needs the version of the service that made it"
    )
    return ConfigurationInvalid(msg)
