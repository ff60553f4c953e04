"""What every ``OptOutStore`` promises."""

import numpy as np
import pytest
from sqlalchemy import delete

from pseudo_service.adapters.sql.schema import opt_out_chunks
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.opt_outs import SqlOptOuts
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import (
    OptOutListMissing,
    OptOutListRefused,
    StateConflict,
)
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_values import make_event, make_indices, make_opt_out_list

LOADED = make_event(1, AuditKind.OPT_OUTS_LOADED)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 25])
def test_a_list_comes_back_as_it_was(open_database: OpenDatabase, count: int) -> None:
    store = SqlOptOuts(open_database(), chunk_entries=10)
    facts, indices = make_opt_out_list(count), make_indices(count)
    store.load(facts, indices, LOADED)
    assert store.newest() == facts
    np.testing.assert_array_equal(store.read(facts.list_id), indices)


def test_a_list_of_a_million_is_stored(open_database: OpenDatabase) -> None:
    store = SqlOptOuts(open_database())
    indices = make_indices(1_000_001)
    store.load(make_opt_out_list(1_000_001), indices, LOADED)
    np.testing.assert_array_equal(store.read("list-1"), indices)


def test_the_newest_list_is_in_force(open_database: OpenDatabase) -> None:
    store = SqlOptOuts(open_database())
    assert store.newest() is None
    for number in (2, 1):
        store.load(make_opt_out_list(3, number), make_indices(3, number), LOADED)
    newest = store.newest()
    assert newest is not None
    assert newest.list_id == "list-1"
    np.testing.assert_array_equal(store.read("list-2"), make_indices(3, 2))


def test_a_list_is_never_replaced(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlOptOuts(database)
    store.load(make_opt_out_list(3), make_indices(3), LOADED)
    with pytest.raises(StateConflict):
        store.load(make_opt_out_list(3), make_indices(3, seed=2), make_event(2))
    np.testing.assert_array_equal(store.read("list-1"), make_indices(3))
    assert len(list(SqlAuditLog(database).read("chain-1"))) == 1


@pytest.mark.parametrize(
    "indices",
    [
        make_indices(4),
        make_indices(3)[:, :15],
        make_indices(3).astype(np.uint16),
    ],
    ids=["too many", "too short", "wrong type"],
)
def test_a_malformed_list_is_refused(
    open_database: OpenDatabase, indices: np.ndarray
) -> None:
    store = SqlOptOuts(open_database())
    with pytest.raises(OptOutListRefused):
        store.load(make_opt_out_list(3), indices, LOADED)
    assert store.newest() is None


def test_an_unknown_list_is_an_error(open_database: OpenDatabase) -> None:
    with pytest.raises(OptOutListMissing):
        SqlOptOuts(open_database()).read("list-9")


def test_a_list_with_a_part_missing_is_an_error(open_database: OpenDatabase) -> None:
    database = open_database()
    store = SqlOptOuts(database, chunk_entries=10)
    store.load(make_opt_out_list(25), make_indices(25), LOADED)
    with database._engine.begin() as connection:
        connection.execute(delete(opt_out_chunks).where(opt_out_chunks.c.chunk == 2))
    with pytest.raises(OptOutListMissing):
        store.read("list-1")
