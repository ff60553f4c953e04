"""What other processes do to a database in tests of races and of sudden ends."""

import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.adapters.sql.stores.linkage_requests import SqlRequests
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.errors import QuotaExceeded, StateConflict
from pseudo_service.core.linkage.request import LinkageState
from pseudo_service.ports.journal import BatchChange
from tests.lib.stores.stored_values import (
    NOON,
    make_charge,
    make_codes,
    make_data_key,
    make_event,
    make_segment,
)


def charge_shared_quota(url: str, number: int) -> None:
    """Charge 100 codes in steps of 5, of a limit of 100 that two processes share."""
    database = SqlDatabase(url, chain=f"chain-{number}")
    journal = SqlJournal(database)
    codes = make_codes(100, seed=number)
    for start in range(0, 100, 5):
        charge = make_charge(codes[start : start + 5], limit=100)
        try:
            journal.submit(BatchChange(event=make_event(start), charge=charge)).wait()
        except QuotaExceeded:
            continue
    database.close()


def register_until_killed(url: str, answers: Path) -> None:
    """Register identities for ever; write down each one after it is durable."""
    journal = SqlJournal(SqlDatabase(url, chain="killed"))
    with answers.open("a") as file:
        for number in range(1, 1_000_000):
            change = BatchChange(
                event=make_event(number),
                data_keys=[make_data_key(number)],
                segments=[make_segment(number, data_key=number)],
            )
            journal.submit(change).wait()
            file.write(f"segment-{number:06d}\n")
            file.flush()


def release_in_a_race(
    url: str, number: int, request_ids: list[str], ready: Barrier, answers: Path
) -> None:
    """Release each request when all are ready; write down those that were won."""
    database = SqlDatabase(url, chain=f"chain-{number}")
    with answers.open("a") as file:
        for request_id in request_ids:
            ready.wait(60)
            try:
                _spend_release(database, request_id, number)
            except StateConflict:
                continue
            file.write(f"{request_id}\n")
            file.flush()
    database.close()


def release_and_hang(url: str, request_id: str, answers: Path) -> None:
    """Spend the release, and then never get as far as its result."""
    database = SqlDatabase(url, chain="killed")
    _spend_release(database, request_id, number=1)
    answers.write_text(f"{request_id}\n")
    time.sleep(600)


def _spend_release(database: SqlDatabase, request_id: str, number: int) -> None:
    SqlRequests(database).change_state(
        request_id,
        old=LinkageState.APPROVED,
        new=LinkageState.RELEASED,
        at=NOON,
        audit=[make_event(number, AuditKind.LINKAGE_RELEASE_INTENT)],
    )
