"""What every ``Journal`` promises: changes and events become durable together."""

import contextlib
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import quota_states
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.disclosures import SqlDisclosures
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.core.access.quota import QuotaState
from pseudo_service.core.audit.events import encode_event
from pseudo_service.core.errors import (
    DatabaseReplaced,
    QuotaExceeded,
    StateConflict,
    StoreUnavailable,
)
from pseudo_service.core.register.segments import describe_data_key
from pseudo_service.ports.journal import BatchChange
from pseudo_service.ports.register import RegisterReading
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_linkage import make_disclosure
from tests.lib.stores.stored_values import (
    DAY,
    make_charge,
    make_codes,
    make_data_key,
    make_event,
    make_segment,
)


def test_a_batch_change_is_stored_whole(open_database: OpenDatabase) -> None:
    database = open_database()
    change = BatchChange(
        event=make_event(1),
        data_keys=[make_data_key()],
        segments=[make_segment(1), make_segment(2, count=5)],
        charge=make_charge(make_codes(3), limit=3),
    )
    SqlJournal(database).submit(change).wait()
    register = SqlRegister(database)
    assert list(register.read_data_keys()) == [make_data_key()]
    assert [found.segment for found in register.read_segments(after=0)] == [
        make_segment(1),
        make_segment(2, count=5),
    ]
    assert read_bodies(database) == [
        encode_event(describe_data_key(make_data_key())),
        encode_event(make_event(1)),
    ]
    assert read_estimate(database) == 3


def test_what_was_known_elsewhere_is_not_known_here(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    journal, register = SqlJournal(database), SqlRegister(database)
    elsewhere = RegisterReading(database="another database")
    change = BatchChange(event=make_event(1), known_in=elsewhere)
    with pytest.raises(DatabaseReplaced):
        journal.submit(change).wait()
    assert read_bodies(database) == []
    here = RegisterReading(database=register.database_id())
    journal.submit(replace(change, known_in=here)).wait()
    assert read_bodies(database) == [encode_event(make_event(1))]


def test_changes_in_flight_are_chained_in_order(open_database: OpenDatabase) -> None:
    database = open_database()
    journal = SqlJournal(database)
    events = [make_event(number) for number in range(100)]
    for pending in [journal.submit(BatchChange(event=event)) for event in events]:
        pending.wait()
    assert read_bodies(database) == [encode_event(event) for event in events]


def test_an_event_alone_is_recorded(open_database: OpenDatabase) -> None:
    database = open_database()
    SqlJournal(database).record(make_event(7))
    assert read_bodies(database) == [encode_event(make_event(7))]


def test_a_charge_over_the_limit_writes_nothing(open_database: OpenDatabase) -> None:
    database = open_database()
    journal = SqlJournal(database)
    change = BatchChange(
        event=make_event(1),
        data_keys=[make_data_key()],
        segments=[make_segment()],
        charge=make_charge(make_codes(5), limit=4),
    )
    with pytest.raises(QuotaExceeded, match=r"heart-study.* 4 "):
        journal.submit(change).wait()
    assert list(SqlRegister(database).read_segments(after=0)) == []
    assert list(SqlRegister(database).read_data_keys()) == []
    assert read_bodies(database) == []
    assert read_estimate(database) == 0


def test_a_refused_change_leaves_its_neighbours(open_database: OpenDatabase) -> None:
    database = open_database()
    journal = SqlJournal(database)
    codes = make_codes(30)
    changes = [
        BatchChange(
            event=make_event(number),
            charge=make_charge(codes[:size], limit=10),
        )
        for number, size in enumerate([5, 30, 10])
    ]
    pending = [journal.submit(change) for change in changes]
    pending[0].wait()
    with pytest.raises(QuotaExceeded):
        pending[1].wait()
    pending[2].wait()
    expected = [encode_event(changes[0].event), encode_event(changes[2].event)]
    assert read_bodies(database) == expected
    assert read_estimate(database) == 10


def test_a_resend_is_charged_once(open_database: OpenDatabase) -> None:
    database = open_database()
    journal = SqlJournal(database)
    for number in range(3):
        charge = make_charge(make_codes(10), limit=10)
        journal.submit(BatchChange(event=make_event(number), charge=charge)).wait()
    assert read_estimate(database) == 10


def test_quotas_are_kept_apart(open_database: OpenDatabase) -> None:
    journal = SqlJournal(open_database())
    base = make_charge(make_codes(10), limit=10)
    others = [
        replace(base, caller="pipeline-2"),
        replace(base, project="lung-study"),
        replace(base, day=DAY + timedelta(days=1)),
    ]
    for number, charge in enumerate([base, *others]):
        fresh = replace(charge, codes=make_codes(10, seed=number))
        journal.submit(BatchChange(event=make_event(number), charge=fresh)).wait()
    late = replace(base, codes=make_codes(1, seed=99))
    with pytest.raises(QuotaExceeded):
        journal.submit(BatchChange(event=make_event(9), charge=late)).wait()


def test_old_days_are_dropped(open_database: OpenDatabase) -> None:
    database = open_database()
    journal = SqlJournal(database)
    for number in range(5):
        charge = make_charge(make_codes(1), limit=9, day=DAY + timedelta(days=number))
        journal.submit(BatchChange(event=make_event(number), charge=charge)).wait()
    with database.read() as connection:
        days = sorted(connection.scalars(select(quota_states.c.day)))
    assert days == [DAY + timedelta(days=number) for number in (2, 3, 4)]


def test_processes_share_a_quota(open_database: OpenDatabase) -> None:
    """However many charge at once, no more than the limit is admitted."""
    databases = [open_database(f"chain-{number}") for number in range(4)]
    codes = make_codes(200)
    admitted = []

    def charge(number: int) -> None:
        journal = SqlJournal(databases[number])
        for start in range(number * 50, number * 50 + 50, 5):
            part = make_charge(codes[start : start + 5], limit=100)
            try:
                journal.submit(BatchChange(event=make_event(start), charge=part)).wait()
            except QuotaExceeded:
                continue
            admitted.append(start)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(charge, range(4)))
    assert len(admitted) == 20
    assert read_estimate(databases[0]) == 100


def test_processes_that_charge_many_callers_do_not_deadlock(
    open_database: OpenDatabase,
) -> None:
    databases = [open_database(f"chain-{number}") for number in range(2)]
    callers = [f"pipeline-{number}" for number in range(20)]

    def charge(number: int) -> None:
        journal = SqlJournal(databases[number])
        order = callers if number == 0 else callers[::-1]
        for turn in range(5):
            codes = make_codes(50, seed=100 * number + turn)
            pending = [
                journal.submit(
                    BatchChange(
                        event=make_event(turn),
                        charge=make_charge(codes, limit=10**6, caller=caller),
                    )
                )
                for caller in order
            ]
            for change in pending:
                change.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(charge, range(2)))
    assert {read_estimate(databases[0], caller) for caller in callers} == {500}


def test_a_large_quota_is_counted_by_sketch(open_database: OpenDatabase) -> None:
    database = open_database()
    journal = SqlJournal(database)
    codes = make_codes(50_000)
    for part in np.array_split(codes, 5):
        charge = make_charge(part, limit=60_000)
        journal.submit(BatchChange(event=make_event(1), charge=charge)).wait()
    assert abs(read_estimate(database) - 50_000) < 1_500
    more = make_charge(make_codes(20_000, seed=2), limit=60_000)
    with pytest.raises(QuotaExceeded):
        journal.submit(BatchChange(event=make_event(2), charge=more)).wait()


def test_a_change_submitted_again_is_stored_once(open_database: OpenDatabase) -> None:
    database = open_database()
    change = BatchChange(
        event=make_event(1), data_keys=[make_data_key()], segments=[make_segment()]
    )
    for _ in range(2):
        SqlJournal(database).submit(change).wait()
    assert len(list(SqlRegister(database).read_segments(after=0))) == 1
    event = encode_event(make_event(1))
    assert read_bodies(database) == [
        encode_event(describe_data_key(make_data_key())),
        event,
        event,
    ]


def test_an_id_with_other_content_is_refused(open_database: OpenDatabase) -> None:
    database = open_database()
    journal = SqlJournal(database)
    first = BatchChange(
        event=make_event(1), data_keys=[make_data_key()], segments=[make_segment()]
    )
    journal.submit(first).wait()
    other_key = replace(make_data_key(), wrapped=b"other")
    other_segment = replace(make_segment(), mac=b"other")
    for change in [
        BatchChange(event=make_event(2), data_keys=[other_key]),
        BatchChange(event=make_event(3), segments=[other_segment]),
    ]:
        with pytest.raises(StateConflict, match="fresh id"):
            journal.submit(change).wait()
    assert read_bodies(database) == [
        encode_event(describe_data_key(make_data_key())),
        encode_event(make_event(1)),
    ]


def test_a_segment_needs_its_data_key(open_database: OpenDatabase) -> None:
    database = open_database()
    journal = SqlJournal(database)
    change = BatchChange(event=make_event(1), segments=[make_segment(data_key=9)])
    with pytest.raises(StateConflict):
        journal.submit(change).wait()
    journal.record(make_event(2))
    assert read_bodies(database) == [encode_event(make_event(2))]


def test_disclosures_are_stored_with_their_batch(open_database: OpenDatabase) -> None:
    database = open_database()
    disclosures = [make_disclosure(1), make_disclosure(2, project="lung-study")]
    change = BatchChange(
        event=make_event(1), data_keys=[make_data_key()], disclosures=disclosures
    )
    for _ in range(2):  # sent again, it is stored once
        SqlJournal(database).submit(change).wait()
    assert list(SqlDisclosures(database).read(project=None)) == disclosures
    event = encode_event(make_event(1))
    made = encode_event(describe_data_key(make_data_key()))
    assert read_bodies(database) == [made, event, event]


def test_a_disclosure_that_cannot_be_stored_leaves_no_event(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    journal = SqlJournal(database)
    stored = BatchChange(
        event=make_event(1),
        data_keys=[make_data_key()],
        disclosures=[make_disclosure()],
    )
    journal.submit(stored).wait()
    before = read_bodies(database)
    other = replace(make_disclosure(), mac=b"other")
    orphan = make_disclosure(2, data_key=9)
    over = make_charge(make_codes(5), limit=4)
    for change in [
        BatchChange(event=make_event(2), disclosures=[other]),
        BatchChange(event=make_event(3), disclosures=[orphan]),
        BatchChange(
            event=make_event(4), segments=[make_segment()], disclosures=[other]
        ),
    ]:
        with pytest.raises(StateConflict):
            journal.submit(change).wait()
    late = BatchChange(
        event=make_event(5), disclosures=[make_disclosure(3)], charge=over
    )
    with pytest.raises(QuotaExceeded):
        journal.submit(late).wait()
    assert read_bodies(database) == before
    assert list(SqlDisclosures(database).read(project=None)) == [make_disclosure()]
    assert list(SqlRegister(database).read_segments(after=0)) == []


def test_closing_stores_what_waits(open_database: OpenDatabase) -> None:
    first = open_database()
    journal = SqlJournal(first)
    pending = [journal.submit(BatchChange(event=make_event(n))) for n in range(50)]
    first.close()
    for change in pending:
        change.wait()
    with pytest.raises(StoreUnavailable, match="closed"):
        journal.record(make_event(99))
    assert len(read_bodies(open_database("chain-2"))) == 50


def test_a_chain_is_continued(open_database: OpenDatabase) -> None:
    first = open_database()
    SqlJournal(first).record(make_event(1))
    first.close()
    second = open_database()
    SqlJournal(second).record(make_event(2))
    events = list(SqlAuditLog(second).read("chain-1"))
    assert [event.sequence for event in events] == [1, 2]
    assert events[1].previous == events[0].digest


def test_two_writers_cannot_fork_a_chain(open_database: OpenDatabase) -> None:
    """A chain is meant for one process; if two share it, it stays one chain."""
    databases = [open_database("shared") for _ in range(2)]
    ready = threading.Barrier(2)

    def record(number: int) -> None:
        ready.wait()
        for turn in range(20):
            # unavailable is an honest answer to losing the same race three times
            with contextlib.suppress(StoreUnavailable):
                SqlJournal(databases[number]).record(make_event(turn))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(record, range(2)))
    events = list(SqlAuditLog(databases[0]).read("shared"))
    assert len(events) >= 20
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    pairs = itertools.pairwise(events)
    assert all(after.previous == before.digest for before, after in pairs)


def read_bodies(database: SqlDatabase, chain: str = "chain-1") -> list[str]:
    return [event.body for event in SqlAuditLog(database).read(chain)]


def read_estimate(database: SqlDatabase, caller: str = "pipeline-1") -> int:
    query = select(quota_states.c.state).where(quota_states.c.caller == caller)
    with database.read() as connection:
        assert (connection.scalar(select(func.count()).select_from(quota_states))) < 99
        data = connection.scalars(query).first()
    return 0 if data is None else QuotaState.decode(data).estimate()
