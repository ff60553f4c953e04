"""What every ``RegisterStore`` promises."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, make_url

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.migrate import migrate
from pseudo_service.adapters.sql.schema import segments
from pseudo_service.adapters.sql.stores import register as register_module
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.core.errors import StoreUnavailable
from pseudo_service.ports.journal import BatchChange
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_values import make_data_key, make_event, make_segment


def fill(database: SqlDatabase, first: int, last: int) -> None:
    change = BatchChange(
        event=make_event(first),
        data_keys=[make_data_key(first)],
        segments=[
            make_segment(number, data_key=first) for number in range(first, last + 1)
        ],
    )
    SqlJournal(database).submit(change).wait()


def test_segments_are_read_in_order_over_many_pages(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database()
    fill(database, 1, 500)
    monkeypatch.setattr(register_module, "LARGEST_PAGE", 130)
    found = list(SqlRegister(database).read_segments(after=0))
    assert [one.segment for one in found] == [
        make_segment(number, data_key=1) for number in range(1, 501)
    ]
    positions = [one.position for one in found]
    assert positions == sorted(set(positions))


def test_a_read_goes_on_after_a_position(open_database: OpenDatabase) -> None:
    database = open_database()
    register = SqlRegister(database)
    fill(database, 1, 3)
    last = list(register.read_segments(after=0))[-1].position
    assert list(register.read_segments(after=last)) == []
    fill(database, 4, 5)
    later = list(register.read_segments(after=last))
    assert [one.segment.segment_id for one in later] == [
        "segment-000004",
        "segment-000005",
    ]
    assert all(one.position > last for one in later)


def test_a_reader_does_not_hold_up_the_writer(open_database: OpenDatabase) -> None:
    database = open_database(patience=2.0)
    fill(database, 1, 200)
    reading = SqlRegister(database).read_segments(after=0)
    next(reading)
    fill(database, 201, 202)
    assert len(list(reading)) == 201


def test_data_keys_are_read_over_many_pages(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database()
    keys = [make_data_key(number) for number in range(1, 26)]
    change = BatchChange(event=make_event(1), data_keys=keys)
    SqlJournal(database).submit(change).wait()
    monkeypatch.setattr(register_module, "LARGEST_PAGE", 10)
    assert list(SqlRegister(database).read_data_keys()) == keys


def test_a_segment_that_commits_late_is_read_later(
    postgres_url: str, open_postgres: OpenDatabase
) -> None:
    """On PostgreSQL a lower position can appear after a higher one was read."""
    database = open_postgres()
    register = SqlRegister(database)
    fill(database, 1, 1)
    engine = create_engine(postgres_url)
    with engine.connect() as slow:
        late = make_segment(99)
        slow.execute(
            insert(segments).values(
                {name: getattr(late, name) for name in late.__slots__}
            )
        )
        fill(database, 2, 2)
        early = list(register.read_segments(after=0))
        assert [one.segment.segment_id[-2:] for one in early] == ["01", "02"]
        slow.commit()
    engine.dispose()
    last = early[-1].position
    found = list(register.read_segments(after=last))
    assert [one.segment for one in found] == [late]
    assert found[0].position < last
    assert list(register.read_segments(after=last)) == []


def test_the_gaps_that_are_remembered_are_bounded(open_database: OpenDatabase) -> None:
    database = open_database()
    fill(database, 1, 1)
    with database._engine.begin() as connection:
        values = make_segment(2)
        connection.execute(
            insert(segments).values(
                position=10**9,
                **{name: getattr(values, name) for name in values.__slots__},
            )
        )
    register = SqlRegister(database)
    assert len(list(register.read_segments(after=0))) == 2
    assert len(register._gaps) == register_module.GAPS_KEPT


def test_a_database_keeps_its_identity(open_database: OpenDatabase) -> None:
    first = SqlRegister(open_database("chain-1")).database_id()
    assert SqlRegister(open_database("chain-2")).database_id() == first
    assert "unknown" not in first
    assert "None" not in first


def test_two_databases_differ(empty_database_url: str, tmp_path: Path) -> None:
    migrate(empty_database_url)
    other_url = f"sqlite:///{tmp_path / 'other.db'}"
    migrate(other_url)
    one = SqlDatabase(empty_database_url, chain="chain-1")
    other = SqlDatabase(other_url, chain="chain-1")
    assert SqlRegister(one).database_id() != SqlRegister(other).database_id()
    one.close()
    other.close()


def test_a_file_that_was_replaced_is_refused(sqlite_url: str) -> None:
    database = SqlDatabase(sqlite_url, chain="chain-1")
    register = SqlRegister(database)
    path = Path(str(make_url(sqlite_url).database))
    backup = path.with_suffix(".backup")
    shutil.copy(path, backup)
    fill(database, 1, 3)
    backup.rename(path)
    with pytest.raises(StoreUnavailable, match="replaced"):
        register.database_id()
    with pytest.raises(StoreUnavailable, match="replaced"):
        fill(database, 7, 7)
    database.close()
