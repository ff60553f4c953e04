"""Migrations end at the tables in the code, from wherever they are started."""

import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url, text

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.migrate import migrate
from pseudo_service.adapters.sql.schema import metadata
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.core.errors import ConfigurationInvalid
from tests.lib.stores.stored_values import make_event


def test_migrations_end_at_the_tables_in_the_code(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    migrate(empty_database_url)
    first = read_identity(empty_database_url)
    migrate(empty_database_url)
    assert read_identity(empty_database_url) == first
    assert len(first) == 32


def test_processes_may_migrate_at_once(empty_database_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=migrate, args=(empty_database_url,)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    database = SqlDatabase(empty_database_url, chain="chain-1")
    SqlJournal(database).record(make_event(1))
    database.close()


def test_a_database_without_tables_is_refused(empty_database_url: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="schema none"):
        SqlDatabase(empty_database_url, chain="chain-1")


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(ConfigurationInvalid, match="9999"):
        SqlDatabase(database_url, chain="chain-1")
    with pytest.raises(ConfigurationInvalid, match="9999"):
        migrate(database_url)


def test_a_current_database_is_migrated_without_any_right(postgres_url: str) -> None:
    name = make_url(postgres_url).database
    role = f"reader_of_{name}"
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(
            text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        )
    limited = make_url(postgres_url).set(username=role)
    try:
        migrate(limited.render_as_string(hide_password=False))
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))
        engine.dispose()


def test_the_files_are_their_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "pseudo data?.db"
    old_mask = os.umask(0)
    try:
        url = f"sqlite:///{path}"
        migrate(url)
        database = SqlDatabase(url, chain="chain-1")
        SqlJournal(database).record(make_event(1))
        modes = {
            found.name: stat.S_IMODE(found.stat().st_mode)
            for found in path.parent.iterdir()
        }
        database.close()
    finally:
        os.umask(old_mask)
    assert set(modes.values()) == {0o600}
    assert len(modes) == 3
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(sqlite_url: str) -> None:
    path = Path(str(make_url(sqlite_url).database))
    path.chmod(0o644)
    SqlDatabase(sqlite_url, chain="chain-1").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_commit_reaches_the_disk(database_url: str) -> None:
    database = SqlDatabase(database_url, chain="chain-1")
    with database.read() as connection:
        if connection.dialect.name == "sqlite":
            names = ("journal_mode", "synchronous", "foreign_keys")
            found = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names
            ]
            assert found == ["wal", 2, 1]
        else:
            setting = connection.scalar(text("SHOW synchronous_commit"))
            assert setting == "on"
    database.close()


def test_a_server_that_does_not_wait_for_the_disk_is_overruled(
    postgres_url: str,
) -> None:
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    name = make_url(postgres_url).database
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    engine.dispose()
    database = SqlDatabase(postgres_url, chain="chain-1")
    with database.read() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
    database.close()


def read_identity(url: str) -> str:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT value FROM facts"))
    engine.dispose()
    return str(found)
