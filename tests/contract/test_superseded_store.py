"""What every ``SupersededStore`` promises."""

from collections.abc import Iterator

import pytest

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.superseded import SqlSuperseded
from pseudo_service.core.audit.events import AuditKind, encode_event
from pseudo_service.core.errors import StateConflict
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_linkage import make_superseded_facts
from tests.lib.stores.stored_values import make_event

LOADED = make_event(1, AuditKind.SUPERSEDED_LOADED)


def make_chunks(count: int, seed: int = 1) -> Iterator[bytes]:
    return (bytes([seed, number % 256]) * 5000 for number in range(count))


def read_bodies(database: SqlDatabase) -> list[str]:
    return [one.body for one in SqlAuditLog(database).read("chain-1")]


@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_a_table_comes_back_as_it_was(open_database: OpenDatabase, count: int) -> None:
    database = open_database()
    store = SqlSuperseded(database)
    store.load(make_superseded_facts(), make_chunks(count), LOADED)
    assert store.newest() == make_superseded_facts()
    assert list(store.read("aliases-1")) == list(make_chunks(count))
    assert read_bodies(database) == [encode_event(LOADED)]


def test_the_newest_table_is_in_force(open_database: OpenDatabase) -> None:
    store = SqlSuperseded(open_database())
    assert store.newest() is None
    for number in (2, 1):
        store.load(make_superseded_facts(number), make_chunks(3, number), LOADED)
    assert store.newest() == make_superseded_facts(1)
    assert list(store.read("aliases-2")) == list(make_chunks(3, 2))
    assert list(store.read("aliases-9")) == []


def test_a_table_is_never_replaced(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlSuperseded(database)
    store.load(make_superseded_facts(), make_chunks(3), LOADED)
    with pytest.raises(StateConflict, match="another id"):
        store.load(make_superseded_facts(), make_chunks(2, seed=2), make_event(2))
    assert list(store.read("aliases-1")) == list(make_chunks(3))
    assert read_bodies(database) == [encode_event(LOADED)]


def test_a_table_whose_chunks_fail_is_not_stored(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlSuperseded(database)

    def break_off() -> Iterator[bytes]:
        yield from make_chunks(2)
        message = "the file ended early"
        raise ValueError(message)

    with pytest.raises(ValueError, match="ended early"):
        store.load(make_superseded_facts(), break_off(), LOADED)
    assert store.newest() is None
    assert read_bodies(database) == []


def test_a_reader_does_not_hold_up_the_writer(open_database: OpenDatabase) -> None:
    store = SqlSuperseded(open_database(patience=2.0))
    store.load(make_superseded_facts(1), make_chunks(3), LOADED)
    reading = store.read("aliases-1")
    first = next(reading)
    store.load(make_superseded_facts(2), make_chunks(3, seed=2), make_event(2))
    assert [first, *reading] == list(make_chunks(3))
