"""A database that is locked, full or gone: nothing is answered, nothing is lost."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pytest
import sqlalchemy
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import Pool

import pseudo_service.core.tables.identified_batch
import pseudo_service.engine.tables.table_stream
from pseudo_client import PseudoClientError
from tests.lib.services.service import OpenService, RunningService
from tests.lib.services.wire import (
    TableWire,
    catch,
    make_end,
    make_header,
    make_message,
)
from tests.lib.stores.reopened_register import reopen_register
from tests.lib.values.cohort import make_batches, make_cohort, make_numbers
from tests.lib.values.trail import read_events, read_stored_events, verify_stored_trail

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
HASTY = {"commit_timeout_seconds": 1}


@contextlib.contextmanager
def hold_lock(service: RunningService) -> Iterator[None]:
    """Hold SQLite's write lock, as a forgotten shell does."""
    path = make_url(service.config.database_url).database
    other = sqlite3.connect(str(path), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


def check_register(service: RunningService, pseudonyms: list[str | None]) -> None:
    """Fail unless every pseudonym can be recomputed from the register."""
    with reopen_register(service.config) as register:
        register.check_blind_index()
        assert set(pseudonyms) - {None} <= set(register.recompute("asthma"))


def test_a_locked_database_answers_nothing(open_service: OpenService) -> None:
    service = open_service(database=HASTY)
    first, second = make_batches(6_000, batches=2, rows=10)
    stream = TableWire(service).send(make_header(), make_message(0, first))
    schema = stream.open()
    answered = stream.receive_batch(schema)
    with hold_lock(service):
        refusal = stream.send(make_message(1, second)).catch()
        assert (refusal.code, refusal.status) == ("STORE_UNAVAILABLE", UNAVAILABLE)
        with pytest.raises(PseudoClientError) as caught:
            service.pseudonymise(make_numbers(6_000, 1)[0])
        assert caught.value.code == "STORE_UNAVAILABLE"
        assert caught.value.retryable
    again = service.deidentify([first, second])
    assert again["patient"].to_pylist()[:10] == answered["patient"].to_pylist()
    check_register(service, again["patient"].to_pylist())


def test_a_lock_that_is_soon_released_is_waited_for(service: RunningService) -> None:
    (batch,) = make_batches(6_050, batches=1, rows=10)
    with hold_lock(service):
        stream = TableWire(service)
        stream.send(make_header(), make_message(0, batch), make_end(1, 10)).close()
    kinds = [answer.WhichOneof("payload") for answer in stream.drain()]
    assert kinds == ["opened", "batch", "receipt"]


class FullDisk:
    """Bounds the pages of every SQLite file that is opened, until it is freed."""

    def __init__(self, pages: int) -> None:
        self.pages = pages
        self.opened: list[Any] = []

    def bound(self, connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={self.pages}").close()
        self.opened.append(connection)

    def free(self) -> None:
        self.pages = 2**30
        for connection in self.opened:
            with contextlib.suppress(sqlite3.ProgrammingError):  # closed since
                connection.execute(f"PRAGMA max_page_count={self.pages}").close()


@pytest.fixture
def full_disk(state: Path) -> Iterator[FullDisk]:
    """A disk with room for 25 pages more."""
    with contextlib.closing(sqlite3.connect(state / "pseudo.sqlite")) as database:
        (used,) = database.execute("PRAGMA page_count").fetchone()
    disk = FullDisk(used + 25)
    sqlalchemy.event.listen(Pool, "connect", disk.bound)
    yield disk
    sqlalchemy.event.remove(Pool, "connect", disk.bound)


def test_a_full_disk_says_so_and_answers_nothing(
    full_disk: FullDisk, open_service: OpenService
) -> None:
    service = open_service()
    batches = make_batches(10_000, batches=12, rows=500)
    answered: list[str | None] = []
    stream = TableWire(service).send(make_header())
    schema = stream.open()

    def send_on() -> None:
        for sequence, batch in enumerate(batches):
            stream.send(make_message(sequence, batch))
            answered.extend(stream.receive_batch(schema)["patient"].to_pylist())

    refusal = catch(send_on)
    stream.close()
    assert (refusal.code, refusal.status) == ("STORE_FULL", UNAVAILABLE)
    assert "no space left" in refusal.message
    assert 0 < len(answered) < 6_000
    with pytest.raises(PseudoClientError) as refused:
        service.deidentify(batches)
    assert refused.value.code == "STORE_FULL"
    assert refused.value.retryable
    check_register(service, answered)
    full_disk.free()
    again = service.deidentify(batches)
    assert again["patient"].to_pylist()[: len(answered)] == answered
    check_register(service, again["patient"].to_pylist())


@pytest.mark.parametrize("place", ["a table", "single identifiers"])
def test_what_nobody_foresaw_goes_out_as_an_id(
    place: str, service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = make_numbers(6_100, 3)

    def fail(*_: object, **__: object) -> None:
        msg = f"cannot cast '{numbers[0]}' to date32"
        raise pa.ArrowInvalid(msg)

    place_of = {
        "a table": (pseudo_service.engine.tables.table_stream, "deidentify_batch"),
        "single identifiers": (
            pseudo_service.core.tables.identified_batch,
            "read_identifiers",
        ),
    }
    monkeypatch.setattr(*place_of[place], fail)
    calls = {
        "a table": lambda: service.deidentify(make_cohort(numbers)),
        "single identifiers": lambda: service.pseudonymise(numbers[0]),
    }
    with pytest.raises(PseudoClientError) as caught:
        calls[place]()
    error = caught.value
    assert error.code == "INTERNAL"
    assert error.message == f"internal error; quote id {error.request_id}"
    (line,) = [x for x in service.telemetry.lines if x["event"] == "call_failed"]
    assert line["request_id"] == error.request_id
    assert line["exception_type"] == "pyarrow.lib.ArrowInvalid"
    assert not [number for number in numbers if number in str(service.telemetry.lines)]
    monkeypatch.undo()
    if place == "a table":
        (failed,) = read_events(service.auditor(), "table_failed")
        assert failed["details"]["code"] == "INTERNAL"
    assert service.deidentify(make_cohort(numbers)).num_rows == 3


def test_a_server_that_drops_its_connections_loses_nothing(
    postgres_service: RunningService,
) -> None:
    """The stream goes on, or is refused in a way that tells to try again."""
    service = postgres_service
    batches = make_batches(6_200, batches=4, rows=10)
    answered: list[str | None] = []
    stream = TableWire(service).send(make_header())
    schema = stream.open()
    status = grpc.StatusCode.OK
    try:
        for sequence, batch in enumerate(batches):
            stream.send(make_message(sequence, batch))
            answered += stream.receive_batch(schema)["patient"].to_pylist()
            _drop_connections(service)
    except grpc.RpcError as error:
        status = error.code()
    assert status in {grpc.StatusCode.OK, UNAVAILABLE}
    stream.cancel()
    for _ in range(5):
        with contextlib.suppress(PseudoClientError):
            again = service.deidentify(batches)
            break
    assert again["patient"].to_pylist()[: len(answered)] == answered
    check_register(service, again["patient"].to_pylist())


def _drop_connections(service: RunningService) -> None:
    url = make_url(service.config.database_url)
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = :name"
            ),
            {"name": url.database},
        )
    engine.dispose()


def test_every_answer_had_its_intent_first(any_service: RunningService) -> None:
    batches = make_batches(6_300, batches=3, rows=4)
    any_service.deidentify(batches, operation_id="three-batches")
    any_service.auditor().checkpoint_audit()
    intents = read_stored_events(any_service.config, "batch_intent")
    assert [e["details"]["batch"] for e in intents] == [0, 1, 2]
    assert [e["details"]["rows_in"] for e in intents] == [4, 4, 4]
    verdict = verify_stored_trail(any_service.config)
    assert verdict.findings == ()
    assert verdict.unanchored_events == 0


def test_a_restore_under_the_running_service_loses_nobody(
    open_service: OpenService, tmp_path: Path
) -> None:
    """Who was registered after the backup is registered again when asked again.

    SQLite's own way to restore writes into the file that the service has open.
    """
    service = open_service()
    early, late = make_batches(6_800, batches=2, rows=20)
    service.deidentify([early])
    path = str(make_url(service.config.database_url).database)
    with (
        contextlib.closing(sqlite3.connect(path)) as live,
        contextlib.closing(sqlite3.connect(tmp_path / "backup")) as backup,
    ):
        live.backup(backup)
        answered = service.deidentify([late])
        (number,) = make_numbers(6_900, 1)
        service.pseudonymise(number)
        backup.backup(live)
    for _ in range(2):  # its opening, then a batch that relied on what was known
        with pytest.raises(PseudoClientError) as caught:
            service.deidentify([late])
        assert caught.value.code == "DATABASE_REPLACED"
        assert caught.value.retryable
    again = service.deidentify([late])
    assert again.equals(answered)
    check_register(service, again["patient"].to_pylist())
    check_register(service, [service.pseudonymise(number)])
