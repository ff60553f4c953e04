"""What every store promises about the end of projects and about rotations."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.key_rows import SqlKeyRows
from pseudo_service.adapters.sql.stores.projects import SqlProjects
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import StateConflict
from pseudo_service.core.keys.material import RootPurpose
from pseudo_service.core.keys.statements import SignedStatement
from pseudo_service.core.projects.project import Closing, ProjectState
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.stored_values import NOON, make_event, make_key_row, make_project

HEART = "heart-study"
CREATED = make_event(1, AuditKind.PROJECT_CREATED)
NEXT = make_event(2, AuditKind.PROJECT_CLOSING)
ASKED = Closing(
    requested_by="local:first",
    requested_at=NOON,
    reason="study ended: Straße",
    agreed_by=None,
    not_before=NOON + timedelta(days=30),
)
AGREED = replace(ASKED, agreed_by="local:second", agreed_at=NOON + timedelta(days=1))
SIGNED = SignedStatement(
    statement=b'{"format":"x"}',
    signature=b"\x00\xff" * 32,
    certificate=b"{}",
    certificate_signature=b"\x01" * 384,
    certificate_key_id="local:audit/1",
)


def fill(database: object) -> SqlProjects:
    store = SqlProjects(database)  # type: ignore[arg-type]
    keys = [make_key_row(), make_key_row(purpose=RootPurpose.STABLE)]
    store.create(make_project(), keys, CREATED)
    store.create(
        make_project("lung-study", "AAAA"), [make_key_row("lung-study")], CREATED
    )
    return store


def begin(store: SqlProjects) -> None:
    store.begin_closing(HEART, old=ProjectState.ACTIVE, closing=ASKED, audit=NEXT)


def test_a_closing_comes_back_as_it_was(open_database: OpenDatabase) -> None:
    store = fill(open_database())
    begin(store)
    assert store.get(HEART) == replace(
        make_project(), state=ProjectState.CLOSING, closing=ASKED
    )
    store.agree_to_closing(HEART, closing=AGREED, audit=NEXT)
    assert store.get(HEART).closing == AGREED


def test_a_closing_begins_from_the_state_that_was_seen(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    store = fill(database)
    with pytest.raises(StateConflict):
        store.begin_closing(
            HEART, old=ProjectState.SUSPENDED, closing=ASKED, audit=NEXT
        )
    assert store.get(HEART).closing is None
    assert len(list(SqlAuditLog(database).read("chain-1"))) == 2


def test_of_two_custodians_who_agree_at_once_one_is_the_second(
    open_database: OpenDatabase,
) -> None:
    databases = [open_database(f"chain-{number}") for number in range(3)]
    begin(fill(databases[0]))

    def agree(number: int) -> str:
        closing = replace(AGREED, agreed_by=f"local:{number}")
        try:
            SqlProjects(databases[number]).agree_to_closing(
                HEART, closing=closing, audit=NEXT
            )
        except StateConflict:
            return "conflict"
        return "agreed"

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(agree, range(3))) == ["agreed", "conflict", "conflict"]


def test_a_word_given_to_another_closing_does_not_count(
    open_database: OpenDatabase,
) -> None:
    store = fill(open_database())
    begin(store)
    store.cancel_closing(HEART, closing=ASKED, audit=NEXT)
    assert store.get(HEART) == replace(make_project(), state=ProjectState.SUSPENDED)
    with pytest.raises(StateConflict):
        store.agree_to_closing(HEART, closing=AGREED, audit=NEXT)
    later = replace(ASKED, requested_at=NOON + timedelta(hours=1))
    store.begin_closing(HEART, old=ProjectState.SUSPENDED, closing=later, audit=NEXT)
    for stale in (store.agree_to_closing, store.cancel_closing):
        with pytest.raises(StateConflict, match="changed meanwhile"):
            stale(HEART, closing=AGREED, audit=NEXT)
    assert store.get(HEART).closing == later


def test_destroying_takes_every_row_of_that_project_and_keeps_the_certificate(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    store, rows = fill(database), SqlKeyRows(database)
    begin(store)
    assert store.find_certificate(HEART) is None
    store.destroy(HEART, certificate=SIGNED, audit=NEXT)
    assert store.get(HEART).state is ProjectState.DESTROYED
    assert store.get(HEART).closing == ASKED
    assert store.find_certificate(HEART) == SIGNED
    for purpose in (RootPurpose.PSEUDONYMS, RootPurpose.STABLE):
        assert not rows.versions(HEART, purpose)
    assert rows.versions("lung-study", RootPurpose.PSEUDONYMS)


def test_only_a_closing_project_is_destroyed_and_only_once(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    store, rows = fill(database), SqlKeyRows(database)
    with pytest.raises(StateConflict):
        store.destroy(HEART, certificate=SIGNED, audit=NEXT)
    assert rows.versions(HEART, RootPurpose.STABLE)
    begin(store)
    store.destroy(HEART, certificate=SIGNED, audit=NEXT)
    with pytest.raises(StateConflict):
        store.destroy(HEART, certificate=replace(SIGNED, signature=b""), audit=NEXT)
    assert store.find_certificate(HEART) == SIGNED


def test_a_rotation_stores_its_row_and_its_window_together(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    store, rows = fill(database), SqlKeyRows(database)
    until = NOON + timedelta(days=14)
    second = make_key_row(version=2)
    rows.rotate(second, overlap_until=until, audit=NEXT)
    assert store.get(HEART).overlap_until == until
    assert rows.newest(HEART, RootPurpose.PSEUDONYMS) == second
    with pytest.raises(StateConflict):
        rows.rotate(second, overlap_until=None, audit=NEXT)
    assert store.get(HEART).overlap_until == until
    rows.rotate(make_key_row(version=3), overlap_until=None, audit=NEXT)
    assert store.get(HEART).overlap_until is None
    assert store.get("lung-study").overlap_until is None


def test_a_project_that_is_closing_is_not_rotated(open_database: OpenDatabase) -> None:
    database = open_database()
    begin(fill(database))
    rows = SqlKeyRows(database)
    with pytest.raises(StateConflict, match="not active"):
        rows.rotate(make_key_row(version=2), overlap_until=None, audit=NEXT)
    assert len(rows.versions(HEART, RootPurpose.PSEUDONYMS)) == 1
