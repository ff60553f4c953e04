"""Migrations, safe when several processes start at once."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from pseudo_service.adapters.sql.engines import WRITES, open_engine
from pseudo_service.adapters.sql.failures import translating
from pseudo_service.core.errors import ConfigurationInvalid

_SCRIPTS = "pseudo_service.adapters.sql:migrations"
_POSTGRES_LOCK = 0x7073657564  # "pseud": one number for every process of the service


def migrate(url: str, *, patience: float = 60.0) -> None:
    """Bring a database to this version's schema, in one transaction.

    A process that comes second waits for the first (SQLite: the write lock,
    PostgreSQL: an advisory lock) and then finds nothing to do.

    Raises:
        ConfigurationInvalid: The URL is not supported.
        StoreUnavailable: The database does not answer, or the wait is too long.
    """
    engine = open_engine(url, patience=patience)
    try:
        with (
            translating(),
            engine.execution_options(**{WRITES: True}).begin() as connection,
        ):
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock)"),
                    {"lock": _POSTGRES_LOCK},
                )
            config = configure()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def configure() -> Config:
    """Return Alembic's configuration; the scripts travel with the package."""
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    return config


def check_schema(connection: Connection) -> None:
    """Raise unless the database has exactly this version's schema.

    Raises:
        ConfigurationInvalid: It is older, newer or empty.
    """
    wanted = ScriptDirectory.from_config(configure()).get_current_head()
    found = MigrationContext.configure(connection).get_current_revision()
    if found != wanted:
        msg = (
            f"the database has schema {found or 'none'} and this version needs "
            f"{wanted}: run `pseudo database migrate` with this version, after a backup"
        )
        raise ConfigurationInvalid(msg)
