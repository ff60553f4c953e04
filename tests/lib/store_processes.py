"""What other processes do to a database in tests of races and of sudden ends."""

from pathlib import Path

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.journal import SqlJournal
from pseudo_service.core.errors import QuotaExceeded
from pseudo_service.ports.journal import BatchChange
from tests.lib.stored_values import (
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
