"""How a writer waits for SQLite's write lock while another process has it."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from pseudo_service.adapters.sql.engines import WRITES, open_engine

PATIENCE = 0.5


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(f"sqlite:///{tmp_path / 'x.sqlite'}", patience=PATIENCE)
    yield opened
    opened.dispose()


@pytest.fixture
def other(tmp_path: Path, engine: Engine) -> Iterator[sqlite3.Connection]:
    """Another writer, which holds the lock."""
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE words (word TEXT)")
        connection.commit()
    holder = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    yield holder
    holder.close()


def write(engine: Engine) -> int:
    """Write a word; return what waiting SQLite itself would do afterwards."""
    with engine.execution_options(**{WRITES: True}).connect() as connection:
        connection.exec_driver_sql("INSERT INTO words VALUES ('one')")
        connection.commit()
        return int(connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one())


def test_the_lock_is_asked_for_often(
    engine: Engine, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            other.execute("COMMIT")

    monkeypatch.setattr(time, "sleep", sleep)
    assert write(engine) == PATIENCE * 1000
    assert len(waits) == 3
    assert max(waits) <= 0.002


def test_waiting_ends_with_the_patience(
    engine: Engine, other: sqlite3.Connection
) -> None:
    began = time.monotonic()
    with pytest.raises(OperationalError) as caught:
        write(engine)
    assert time.monotonic() - began >= PATIENCE
    assert caught.value.orig is not None
    assert caught.value.orig.sqlite_errorcode == sqlite3.SQLITE_BUSY
    other.execute("COMMIT")
    assert write(engine) == PATIENCE * 1000
