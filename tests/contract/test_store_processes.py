"""Stores shared by real processes, and by processes that end without warning."""

import multiprocessing
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import quota_states
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.linkage_requests import SqlRequests
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.core.access.quota import QuotaState
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.audit.verification import verify_trail
from pseudo_service.core.errors import StateConflict
from pseudo_service.core.linkage.request import LinkageState
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.store_processes import (
    charge_shared_quota,
    register_until_killed,
    release_and_hang,
    release_in_a_race,
)
from tests.lib.stores.stored_linkage import make_request
from tests.lib.stores.stored_values import NOON, make_event

SPAWN = multiprocessing.get_context("spawn")


def test_two_processes_share_a_quota(
    open_database: OpenDatabase, database_url: str
) -> None:
    processes = [
        SPAWN.Process(target=charge_shared_quota, args=(database_url, number))
        for number in (1, 2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    database = open_database()
    with database.read() as connection:
        state = connection.scalar(select(quota_states.c.state))
    assert QuotaState.decode(state).estimate() == 100
    log = SqlAuditLog(database)
    assert sum(head.sequence for head in log.heads()) == 20


def test_what_was_answered_survives_a_kill(
    open_database: OpenDatabase, database_url: str, tmp_path: Path
) -> None:
    answers = tmp_path / "answers"
    process = SPAWN.Process(target=register_until_killed, args=(database_url, answers))
    process.start()
    wait_for_lines(answers, 30)
    process.kill()
    process.join(60)
    answered = answers.read_text().split()
    assert len(answered) >= 30
    database = open_database("next")
    segments = SqlRegister(database).read_segments(after=0)
    stored = [found.segment.segment_id for found in segments]
    assert stored[: len(answered)] == answered
    assert len(stored) <= len(answered) + 1
    log = SqlAuditLog(database)
    trail = ((chain, log.read(chain)) for chain in log.chains())
    verdict = verify_trail(trail, inside=[], outside=[], is_signed=lambda _: True)
    assert verdict.findings == ()
    assert verdict.events == 2 * len(stored)  # each comes with a data key here


def test_of_processes_that_race_exactly_one_releases(
    open_database: OpenDatabase, database_url: str, tmp_path: Path
) -> None:
    database = open_database("before")
    request_ids = [approve_request(database, number) for number in range(1, 16)]
    ready = SPAWN.Barrier(3)
    answers = [tmp_path / f"answers-{number}" for number in range(3)]
    processes = [
        SPAWN.Process(
            target=release_in_a_race,
            args=(database_url, number, request_ids, ready, answers[number]),
        )
        for number in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    won = [line for file in answers for line in file.read_text().split()]
    assert sorted(won) == request_ids
    assert count_intents(database) == len(request_ids)


def test_a_kill_after_the_intent_leaves_a_spent_release(
    open_database: OpenDatabase, database_url: str, tmp_path: Path
) -> None:
    database = open_database("before")
    request_id = approve_request(database, 1)
    answers = tmp_path / "answers"
    process = SPAWN.Process(
        target=release_and_hang, args=(database_url, request_id, answers)
    )
    process.start()
    wait_for_lines(answers, 1)
    process.kill()
    process.join(60)
    requests = SqlRequests(open_database("next"))
    assert requests.get(request_id).state is LinkageState.RELEASED
    assert requests.read_result(request_id) is None
    assert count_intents(database) == 1
    with pytest.raises(StateConflict):
        requests.change_state(
            request_id,
            old=LinkageState.APPROVED,
            new=LinkageState.RELEASED,
            at=NOON,
            audit=[make_event(2, AuditKind.LINKAGE_RELEASE_INTENT)],
        )
    assert count_intents(database) == 1


def approve_request(database: SqlDatabase, number: int) -> str:
    request = make_request(number)
    requests = SqlRequests(database)
    requests.add(request, [make_event(1, AuditKind.LINKAGE_SUBMITTED)])
    requests.change_state(
        request.request_id,
        old=LinkageState.SUBMITTED,
        new=LinkageState.APPROVED,
        at=NOON,
        audit=[make_event(1, AuditKind.LINKAGE_REVIEWED)],
    )
    return request.request_id


def count_intents(database: SqlDatabase) -> int:
    log = SqlAuditLog(database)
    kind = f'"kind":"{AuditKind.LINKAGE_RELEASE_INTENT}"'
    return sum(kind in one.body for chain in log.chains() for one in log.read(chain))


def wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().count("\n") >= count:
            return
        time.sleep(0.02)
