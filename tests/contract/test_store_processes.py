"""Stores shared by real processes, and by processes that end without warning."""

import multiprocessing
import time
from pathlib import Path

from sqlalchemy import select

from pseudo_service.adapters.sql.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.register import SqlRegister
from pseudo_service.adapters.sql.tables import quota_states
from pseudo_service.core.audit_verification import verify_trail
from pseudo_service.core.quota import QuotaState
from tests.lib.databases import OpenDatabase
from tests.lib.store_processes import charge_shared_quota, register_until_killed

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


def wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().count("\n") >= count:
            return
        time.sleep(0.02)
