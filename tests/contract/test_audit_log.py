"""What every ``AuditLog`` promises."""

import pytest

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores import audit_log
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.core.audit.events import ChainHead, encode_event, hash_event
from pseudo_service.core.audit.verification import verify_trail
from pseudo_service.core.errors import StateConflict
from pseudo_service.ports.journal import BatchChange
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_values import make_checkpoint, make_event


def record(database: SqlDatabase, count: int) -> None:
    journal = SqlJournal(database)
    pending = [
        journal.submit(BatchChange(event=make_event(number))) for number in range(count)
    ]
    for change in pending:
        change.wait()


def test_an_empty_trail(open_database: OpenDatabase) -> None:
    log = SqlAuditLog(open_database())
    assert log.heads() == []
    assert log.chains() == []
    assert list(log.read("chain-1")) == []
    assert log.last_checkpoint() is None
    assert list(log.checkpoints()) == []


def test_events_are_read_over_many_pages(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database()
    record(database, 25)
    monkeypatch.setattr(audit_log, "PAGE_ROWS", 10)
    events = list(SqlAuditLog(database).read("chain-1"))
    expected = [encode_event(make_event(number)) for number in range(25)]
    assert [event.body for event in events] == expected
    last = events[-1]
    digest = hash_event("chain-1", 25, events[-2].digest, last.body)
    assert last.digest == digest


def test_heads_are_the_last_events_of_all_chains(open_database: OpenDatabase) -> None:
    databases = {name: open_database(name) for name in ("b", "a", "ab")}
    for length, database in enumerate(databases.values(), start=1):
        record(database, length)
    log = SqlAuditLog(databases["a"])
    assert log.chains() == ["a", "ab", "b"]
    heads = log.heads()
    assert [(head.chain, head.sequence) for head in heads] == [
        ("a", 2),
        ("ab", 3),
        ("b", 1),
    ]
    for head in heads:
        assert head.digest == list(log.read(head.chain))[-1].digest


def test_checkpoints_come_back_as_they_were(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SqlAuditLog(open_database())
    monkeypatch.setattr(audit_log, "CHECKPOINT_PAGE_ROWS", 2)
    head = ChainHead(chain="chain-1", sequence=2**40, digest=b"\x07" * 32)
    first = make_checkpoint(1)
    second = make_checkpoint(2, (head,), first)
    others = [make_checkpoint(number, (), second) for number in range(3, 8)]
    for checkpoint in [first, second, *others]:
        log.add_checkpoint(checkpoint)
    assert list(log.checkpoints()) == [first, second, *others]
    assert list(log.checkpoints(after=2)) == others
    assert list(log.checkpoints(after=7)) == []
    assert log.last_checkpoint() == others[-1]
    stored = list(log.checkpoints())[1]
    assert stored.signed_bytes() == second.signed_bytes()


def test_a_checkpoint_number_is_made_once(open_database: OpenDatabase) -> None:
    log = SqlAuditLog(open_database())
    log.add_checkpoint(make_checkpoint(1))
    with pytest.raises(StateConflict, match="checkpoint 1"):
        log.add_checkpoint(make_checkpoint(1, previous=make_checkpoint(7)))
    assert log.last_checkpoint() == make_checkpoint(1)


def test_what_was_written_verifies(open_database: OpenDatabase) -> None:
    databases = [open_database(f"chain-{number}") for number in range(3)]
    for database in databases:
        record(database, 5)
    log = SqlAuditLog(databases[0])
    checkpoint = make_checkpoint(1, tuple(log.heads()))
    log.add_checkpoint(checkpoint)
    record(databases[1], 2)
    verdict = verify_trail(
        ((chain, log.read(chain)) for chain in log.chains()),
        inside=log.checkpoints(),
        outside=[checkpoint],
        is_signed=lambda _: True,
    )
    assert verdict.findings == ()
    assert (verdict.events, verdict.chains, verdict.checkpoints) == (17, 3, 1)
    assert verdict.unanchored_events == 2
    assert verdict.anchored_until == checkpoint.at
