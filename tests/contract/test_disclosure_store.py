"""What every ``DisclosureStore`` promises."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Row

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores import disclosures as disclosures_module
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.disclosures import SqlDisclosures
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.core.audit.events import AuditKind, encode_event
from pseudo_service.core.disclosures.disclosure import Disclosure
from pseudo_service.core.errors import StateConflict
from pseudo_service.core.register.segments import describe_data_key
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_linkage import fill_disclosures, make_disclosure
from tests.lib.stores.stored_values import NOON, make_data_key, make_event

COMPACTED = make_event(7, AuditKind.REGISTER_COMPACTED)


def read_all(database: SqlDatabase, project: str | None = None) -> list[Disclosure]:
    return list(SqlDisclosures(database).read(project=project))


def read_bodies(database: SqlDatabase) -> list[str]:
    return [one.body for one in SqlAuditLog(database).read("chain-1")]


def test_disclosures_come_back_as_they_were(open_database: OpenDatabase) -> None:
    database = open_database()
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    stored = [
        make_disclosure(1, size=0),
        make_disclosure(2, project="lung-study", size=80_000),
        make_disclosure(3, recorded_at=east),
    ]
    fill_disclosures(database, stored)
    assert read_all(database) == stored
    assert read_all(database, "heart-study") == [stored[0], stored[2]]
    assert read_all(database, "eye-study") == []
    assert read_all(database)[2].recorded_at.isoformat() == east.isoformat()


def test_disclosures_are_read_in_pages_of_a_bounded_size(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small those were that came before, or large the next one is."""
    monkeypatch.setattr(disclosures_module, "PAGE_BYTES", 64_000)
    monkeypatch.setattr(disclosures_module, "LARGEST_PAGE", 50)
    sizes = [8] * 60 + [32_000] * 9 + [80_000] * 2 + [8] * 7
    stored = [make_disclosure(n, size=size) for n, size in enumerate(sizes, start=1)]
    database = open_database()
    fill_disclosures(database, stored)
    pages: list[int] = []
    read_page = SqlDisclosures._read_page

    def note_page(
        self: SqlDisclosures, project: str | None, *, after: int
    ) -> tuple[int, Sequence[Row[Any]]] | None:
        found = read_page(self, project, after=after)
        pages.append(0 if found is None else len(found[1]))
        return found

    monkeypatch.setattr(SqlDisclosures, "_read_page", note_page)
    assert read_all(database) == stored
    assert pages == [50, 11, 2, 2, 2, 2, 1, 1, 7, 0]


def test_a_reader_does_not_hold_up_the_writer(open_database: OpenDatabase) -> None:
    database = open_database(patience=2.0)
    fill_disclosures(database, [make_disclosure(number) for number in range(1, 10)])
    reading = SqlDisclosures(database).read(project=None)
    first = next(reading)
    fill_disclosures(database, [make_disclosure(10)])
    assert [first, *reading] == [make_disclosure(number) for number in range(1, 11)]


def test_disclosures_are_replaced_with_their_data_key_and_events(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    fill_disclosures(database, [make_disclosure(number) for number in (1, 2, 3)])
    before = read_bodies(database)
    new = make_disclosure(9, data_key=2, size=800)
    SqlDisclosures(database).replace(
        old=["disclosure-000003", "disclosure-000001"],
        new=[new],
        data_keys=[make_data_key(2)],
        audit=[COMPACTED],
    )
    assert read_all(database) == [make_disclosure(2), new]
    made = encode_event(describe_data_key(make_data_key(2)))
    assert read_bodies(database)[len(before) :] == [made, encode_event(COMPACTED)]


@pytest.mark.parametrize(
    "old",
    [["disclosure-000001", "disclosure-000009"], ["disclosure-000001"] * 2],
    ids=["one is gone", "named twice"],
)
def test_nothing_is_replaced_unless_all_of_it_is_there(
    open_database: OpenDatabase, old: list[str]
) -> None:
    database = open_database()
    fill_disclosures(database, [make_disclosure(1)])
    before = read_bodies(database)
    with pytest.raises(StateConflict, match="memberships"):
        SqlDisclosures(database).replace(
            old=old,
            new=[make_disclosure(7, data_key=2)],
            data_keys=[make_data_key(2)],
            audit=[COMPACTED],
        )
    assert read_all(database) == [make_disclosure(1)]
    assert list(SqlRegister(database).read_data_keys()) == [make_data_key(1)]
    assert read_bodies(database) == before


def test_nothing_is_replaced_by_what_has_another_ones_id(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    fill_disclosures(database, [make_disclosure(1), make_disclosure(2)])
    with pytest.raises(StateConflict, match="fresh id"):
        SqlDisclosures(database).replace(
            old=["disclosure-000001"],
            new=[replace(make_disclosure(2), mac=b"other")],
            data_keys=[],
            audit=[COMPACTED],
        )
    assert read_all(database) == [make_disclosure(1), make_disclosure(2)]


def test_many_are_replaced_by_one_of_those_that_race(
    open_database: OpenDatabase,
) -> None:
    databases = [open_database(f"chain-{number}") for number in (1, 2, 3)]
    stored = [make_disclosure(number) for number in range(1, 1102)]
    fill_disclosures(databases[0], stored)
    old = [one.disclosure_id for one in stored]

    def compact(number: int) -> bool:
        try:
            SqlDisclosures(databases[number]).replace(
                old=old if number else old[::-1],
                new=[make_disclosure(9000 + number)],
                data_keys=[],
                audit=[COMPACTED],
            )
        except StateConflict:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(compact, range(3))) == [False, False, True]
    assert len(read_all(databases[0])) == 1


def test_a_reader_sees_every_operation_while_disclosures_are_replaced(
    open_database: OpenDatabase,
) -> None:
    """Old or new: what was read, and what was not read yet, moves behind the reader."""
    database = open_database()
    store = SqlDisclosures(database)
    fill_disclosures(database, [make_disclosure(number) for number in range(1, 41)])
    seen = []
    for found in store.read(project="heart-study"):
        seen.append(found.operation)
        if len(seen) == 5:
            moved = [make_disclosure(number) for number in (2, 8, 9, 30, 40)]
            store.replace(
                old=[one.disclosure_id for one in moved],
                new=[replace(one, disclosure_id=f"new {one.nonce}") for one in moved],
                data_keys=[],
                audit=[COMPACTED],
            )
    assert set(seen) == {f"operation-{number}" for number in range(1, 41)}
