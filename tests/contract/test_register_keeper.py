"""What every ``RegisterKeeper`` promises, and what readers see meanwhile."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from sqlalchemy import delete, event

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.engines import WRITES
from pseudo_service.adapters.sql.identity import hold_identity, renew_identity
from pseudo_service.adapters.sql.paging import find_page_end
from pseudo_service.adapters.sql.schema import segments
from pseudo_service.adapters.sql.stores import register as register_module
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.adapters.sql.stores.register_keeper import SqlRegisterKeeper
from pseudo_service.adapters.sql.stores.sealed_rows import (
    insert_data_keys,
    insert_segment,
)
from pseudo_service.core.audit.events import AuditKind, encode_event
from pseudo_service.core.errors import DatabaseReplaced, StateConflict
from pseudo_service.core.register.segments import Segment, describe_data_key
from pseudo_service.ports.journal import BatchChange
from pseudo_service.ports.register import RegisterReading
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_linkage import (
    fill_segments,
    list_indices,
    make_disclosure,
    merge_segments,
)
from tests.lib.stores.stored_values import NOON, make_data_key, make_event, make_segment

COMPACTED = make_event(7, AuditKind.REGISTER_COMPACTED)
ERASED = make_event(8, AuditKind.IDENTITIES_ERASED)


def read_segments(database: SqlDatabase) -> list[Segment]:
    return [one.segment for one in SqlRegister(database).read_segments(after=0)]


def read_bodies(database: SqlDatabase) -> list[str]:
    return [one.body for one in SqlAuditLog(database).read("chain-1")]


def replace_by_one(database: SqlDatabase, old: list[Segment], number: int) -> None:
    SqlRegisterKeeper(database).replace_segments(
        old=[one.segment_id for one in old],
        new=[merge_segments(number, old)],
        data_keys=[make_data_key(2)],
        audit=[COMPACTED],
    )


def test_segments_are_replaced_with_their_data_key_and_events(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    fill_segments(database, [1, 2, 3])
    before = read_bodies(database)
    replace_by_one(database, [make_segment(1), make_segment(3)], 9)
    merged = merge_segments(9, [make_segment(1), make_segment(3)])
    assert read_segments(database) == [make_segment(2), merged]
    keys = list(SqlRegister(database).read_data_keys())
    assert keys == [make_data_key(1), make_data_key(2)]
    made = encode_event(describe_data_key(make_data_key(2)))
    assert read_bodies(database)[len(before) :] == [made, encode_event(COMPACTED)]


def test_a_data_key_that_is_stored_is_not_made_again(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    fill_segments(database, [1])
    before = read_bodies(database)
    SqlRegisterKeeper(database).replace_segments(
        old=["segment-000001"],
        new=[make_segment(2)],
        data_keys=[make_data_key(1)],
        audit=[COMPACTED],
    )
    assert read_bodies(database)[len(before) :] == [encode_event(COMPACTED)]


def test_many_segments_are_replaced_at_once(open_database: OpenDatabase) -> None:
    """More than a statement takes as variables, where SQLite was built the old way."""
    database = open_database()
    numbers = list(range(1, 1202))
    fill_segments(database, numbers)
    old = [make_segment(number) for number in numbers]
    replace_by_one(database, old, 9999)
    assert read_segments(database) == [merge_segments(9999, old)]


@pytest.mark.parametrize(
    "old",
    [["segment-000001", "segment-000009"], ["segment-000001"] * 2],
    ids=["one is gone", "named twice"],
)
def test_nothing_is_replaced_unless_all_of_it_is_there(
    open_database: OpenDatabase, old: list[str]
) -> None:
    database = open_database()
    fill_segments(database, [1, 2])
    before = read_bodies(database)
    with pytest.raises(StateConflict, match="segments"):
        SqlRegisterKeeper(database).replace_segments(
            old=old,
            new=[make_segment(7, data_key=2)],
            data_keys=[make_data_key(2)],
            audit=[COMPACTED],
            renew=True,
        )
    assert read_segments(database) == [make_segment(1), make_segment(2)]
    assert list(SqlRegister(database).read_data_keys()) == [make_data_key(1)]
    assert read_bodies(database) == before


def test_nothing_is_replaced_by_what_has_another_ones_id(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    fill_segments(database, [1, 2])
    with pytest.raises(StateConflict, match="fresh id"):
        SqlRegisterKeeper(database).replace_segments(
            old=["segment-000001"],
            new=[replace(make_segment(2), mac=b"other")],
            data_keys=[],
            audit=[COMPACTED],
        )
    assert read_segments(database) == [make_segment(1), make_segment(2)]


def test_of_keepers_that_race_one_replaces(open_database: OpenDatabase) -> None:
    databases = [open_database(f"chain-{number}") for number in (1, 2, 3)]
    fill_segments(databases[0], list(range(1, 41)))
    old = [make_segment(number) for number in range(1, 41)]

    def compact(number: int) -> bool:
        order = old if number else old[::-1]
        try:
            replace_by_one(databases[number], order, 900 + number)
        except StateConflict:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(compact, range(3))) == [False, False, True]
    assert len(read_segments(databases[0])) == 1
    assert list_indices(read_segments(databases[0])) == list_indices(old)


@pytest.mark.parametrize("seed", range(6))
def test_a_reader_sees_everyone_while_segments_are_replaced(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Read or not yet read, old or new: whatever is merged between two pages."""
    draw = random.Random(seed)
    monkeypatch.setattr(register_module, "LARGEST_PAGE", 3)
    database = open_database()
    fill_segments(database, list(range(1, 31)))
    everyone = list_indices(read_segments(database))
    seen: list[Segment] = []
    merges = 0
    for found in SqlRegister(database).read_segments(after=0):
        seen.append(found.segment)
        if merges < 12 and draw.random() < 0.5:
            stored = read_segments(database)
            merges += 1
            old = draw.sample(stored, min(len(stored), draw.randint(1, 4)))
            replace_by_one(database, old, 1000 + merges)
    assert merges > 3
    assert list_indices(seen) == everyone
    assert list_indices(read_segments(database)) == everyone


def test_a_page_that_goes_while_it_is_read_does_not_end_the_reading(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_module, "LARGEST_PAGE", 2)
    database = open_database()
    fill_segments(database, list(range(1, 8)))
    everyone = list_indices(read_segments(database))
    waiting = [[make_segment(1), make_segment(2)]]

    def find_and_replace(*where: object, **limits: object) -> int | None:
        end = find_page_end(*where, **limits)
        if waiting:  # between the page's finding and its reading
            replace_by_one(database, waiting.pop(), 9)
        return end

    monkeypatch.setattr(register_module, "find_page_end", find_and_replace)
    assert list_indices(read_segments(database)) == everyone
    assert waiting == []


def test_a_replacement_that_commits_late_hides_nobody(
    open_postgres: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new segment's position was passed before it could be seen."""
    monkeypatch.setattr(register_module, "LARGEST_PAGE", 2)
    database = open_postgres()
    fill_segments(database, [1, 2, 3])
    everyone = list_indices(make_segment(number) for number in (1, 2, 3, 4))
    register = SqlRegister(database)
    reading = register.read_segments(after=0)
    seen = [next(reading).segment]
    with database._engine.connect() as slow:
        slow.execute(delete(segments).where(segments.c.segment_id == "segment-000003"))
        insert_data_keys(slow, [make_data_key(2)])
        insert_segment(slow, merge_segments(9, [make_segment(3)]))
        fill_segments(database, [4])
        seen += [one.segment for one in reading]
        slow.commit()
    assert list_indices(seen) == everyone
    late = [one.segment for one in register.read_segments(after=10**6)]
    assert [one.segment_id for one in late] == ["segment-000009"]


def test_only_old_data_keys_that_seal_nothing_are_dropped(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    west = timezone(timedelta(hours=-9))
    keys = [
        make_data_key(1),  # seals a segment
        make_data_key(2),  # seals a disclosure
        make_data_key(3),
        replace(make_data_key(4), created_at=NOON + timedelta(hours=1)),
        replace(
            make_data_key(5), created_at=(NOON + timedelta(hours=1)).astimezone(west)
        ),
        *map(make_data_key, range(6, 1300)),
    ]
    change = BatchChange(
        event=make_event(1),
        data_keys=keys,
        segments=[make_segment(1, data_key=1)],
        disclosures=[make_disclosure(1, data_key=2)],
    )
    SqlJournal(database).submit(change).wait()
    before = read_bodies(database)
    keeper = SqlRegisterKeeper(database)
    limit = NOON + timedelta(minutes=1)
    assert keeper.drop_unused_data_keys(made_before=limit, audit=[COMPACTED]) == 1295
    assert keeper.drop_unused_data_keys(made_before=limit, audit=[]) == 0
    left = [row.data_key_id[-1] for row in SqlRegister(database).read_data_keys()]
    assert left == ["1", "2", "4", "5"]
    assert read_bodies(database)[len(before) :] == [encode_event(COMPACTED)]


def test_the_identity_is_renewed_for_every_process(
    open_database: OpenDatabase,
) -> None:
    databases = [open_database(f"chain-{number}") for number in (1, 2)]
    registers = [SqlRegister(database) for database in databases]
    known_in = registers[1].database_id()
    SqlRegisterKeeper(databases[0]).renew_database_id([ERASED])
    renewed = {register.database_id() for register in registers}
    assert len(renewed) == 1
    assert known_in not in renewed
    assert read_bodies(databases[0]) == [encode_event(ERASED)]
    journal = SqlJournal(databases[1])
    with pytest.raises(DatabaseReplaced, match="send the call again"):
        journal.submit(
            BatchChange(
                event=make_event(1), known_in=RegisterReading(database=known_in)
            )
        ).wait()
    journal.submit(
        BatchChange(
            event=make_event(1), known_in=RegisterReading(database=renewed.pop())
        )
    ).wait()


def test_an_erasure_renews_the_identity_in_its_own_transaction(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    fill_segments(database, [1, 2])
    register = SqlRegister(database)
    known_in = register.database_id()
    replace_by_one(database, [make_segment(1)], 9)
    assert register.database_id() == known_in
    SqlRegisterKeeper(database).replace_segments(
        old=["segment-000002"], new=[], data_keys=[], audit=[ERASED], renew=True
    )
    assert register.database_id() != known_in


def test_the_identity_is_not_renewed_without_its_event(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    known_in = SqlRegister(database).database_id()
    refuse = make_refusal()
    event.listen(database._engine, "before_cursor_execute", refuse)
    with pytest.raises(RuntimeError, match="no event"):
        SqlRegisterKeeper(database).renew_database_id([ERASED])
    event.remove(database._engine, "before_cursor_execute", refuse)
    assert SqlRegister(database).database_id() == known_in
    assert read_bodies(database) == []


def make_refusal() -> Callable[..., None]:
    """Return a listener that fails whatever appends to the audit trail."""

    def refuse(_: object, __: object, statement: str, *rest: object) -> None:
        if statement.startswith("INSERT INTO audit_events"):
            message = "no event"
            raise RuntimeError(message)

    return refuse


def test_a_batch_waits_for_an_erasure_and_then_sees_it(
    open_database: OpenDatabase,
) -> None:
    database, other = open_database(), open_database("slow")
    known_in = SqlRegister(database).database_id()
    engine = other._engine.execution_options(**{WRITES: True})
    with engine.connect() as erasing:
        transaction = erasing.begin()
        renew_identity(erasing)
        change = BatchChange(
            event=make_event(1), known_in=RegisterReading(database=known_in)
        )
        pending = SqlJournal(database).submit(change)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(pending.wait)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
            transaction.commit()
            with pytest.raises(DatabaseReplaced):
                waiting.result(timeout=10)
    assert read_bodies(database) == []


def test_an_erasure_waits_for_the_batches_that_rely_on_what_was_known(
    open_database: OpenDatabase,
) -> None:
    database, other = open_database(), open_database("slow")
    known_in = SqlRegister(database).database_id()
    engine = other._engine.execution_options(**{WRITES: True})
    with engine.connect() as answering:
        transaction = answering.begin()
        hold_identity(answering)
        keeper = SqlRegisterKeeper(database)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(keeper.renew_database_id, [ERASED])
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
            assert SqlRegister(database).database_id() == known_in
            transaction.commit()
            waiting.result(timeout=10)
    assert SqlRegister(database).database_id() != known_in
