"""Inside the process: what objects show of themselves, and what failures carry out."""

import gc
import logging
from typing import Any

import pytest

import pseudo_service.adapters.key_vaults.local as local_vault
import pseudo_service.adapters.sql.stores.journal as sql_journal
import pseudo_service.transport.servicers.deidentification as servicer
from pseudo_client import PseudoClientError
from pseudo_service.core.tables import batch, identified_batch
from pseudo_service.engine.keys import key_ring, receipt_signing
from pseudo_service.engine.tables import batch_commit, table_stream
from tests.lib.services.service import RunningService
from tests.lib.services.wire import (
    Refusal,
    TableWire,
    catch,
    make_end,
    make_header,
    make_messages,
)
from tests.lib.values.canaries import (
    MRN,
    NOTE,
    NUMBERS,
    Canaries,
    collect_keys,
    make_canary_table,
    read_files,
)
from tests.lib.values.cohort import PURPOSE
from tests.lib.values.trail import read_stored_events

ROWS = len(NUMBERS)
GENERATED = "pseudo_service.api."


def show_all_objects() -> str:
    """Return the reprs of every living object of ours, but for wire messages."""
    shown = []
    for found in gc.get_objects():
        module = str(type(found).__module__)
        if module.startswith("pseudo_service.") and not module.startswith(GENERATED):
            try:
                shown.append(f"{found!r} {found}")
            except Exception as error:  # noqa: BLE001 - half-made objects have no repr
                shown.append(f"{type(found).__name__}: {error!r}")
    return "\n".join(shown)


def send_table(service: RunningService) -> list[Any]:
    (batch,) = make_canary_table().to_batches()
    stream = TableWire(service)
    stream.send(make_header(), *make_messages([batch]), make_end(1, ROWS))
    return stream.close().drain()


def test_no_object_shows_a_key_or_a_patient(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the moment when all of a batch is in memory, and single values are."""
    shown: list[str] = []
    wait = batch_commit.BatchCommit.wait

    def look_and_wait(self: Any, change: Any) -> None:
        shown.append(show_all_objects())
        wait(self, change)

    monkeypatch.setattr(batch_commit.BatchCommit, "wait", look_and_wait)
    send_table(service)
    service.pipeline().pseudonymise(
        [MRN], kind="mrn@RXH", project="asthma", purpose=PURPOSE
    )
    token = service.issue("pipeline:asthma")
    canaries = Canaries(secrets=dict(collect_keys(service.config)))
    canaries.add_token(token)
    assert len(shown) == 2
    for name in ("TableStream(", "PendingBatch(", "KindKeys(", "Root(", "SecretKey("):
        assert name in shown[0].replace(" object", "("), name
    assert canaries.find("\n".join(shown)) == []


def raise_canaries(*_: object, **__: object) -> None:
    error = ValueError(f"cannot cast '{NUMBERS[0]}' of {NOTE}")
    error.add_note(NOTE)
    raise error from RuntimeError(NUMBERS[1])


PLACES: dict[str, tuple[object, str]] = {
    "reading a batch": (table_stream.TableStream, "_submit"),
    "the kernels": (table_stream, "deidentify_batch"),
    "identifiers": (identified_batch, "read_identifiers"),
    "assembling": (batch, "_assemble"),
    "submitting": (batch_commit.BatchCommit, "submit"),
    "sealing": (batch_commit.RegisterWriter, "seal"),
    "the transaction": (sql_journal, "insert_segment"),
    "settling": (batch_commit.BatchCommit, "wait"),
    "encoding an answer": (servicer, "encode_batch"),
    "the receipt": (receipt_signing.ReceiptSigner, "sign"),
    "the end": (table_stream.TableStream, "_finish"),
    "the key ring": (key_ring.KeyRing, "newest"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_failure_anywhere_says_nothing(
    place: str,
    service: RunningService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(*PLACES[place], raise_canaries)
    with caplog.at_level(logging.DEBUG):
        refusal = catch(lambda: send_table(service))
    monkeypatch.undo()
    check_silence(service, refusal, caplog, capfd)
    opened = read_stored_events(service.config, "table_opened")
    failed = read_stored_events(service.config, "table_failed")
    assert len(opened) == len(failed)
    assert all(event["details"]["code"] == "INTERNAL" for event in failed)
    assert not read_stored_events(service.config, "table_finished")
    assert send_table(service)[-1].receipt.rows_out == ROWS  # and then it is well


VALUE_PLACES: dict[str, tuple[object, str]] = {
    "canonicalising": (identified_batch, "read_identifiers"),
    "submitting": (batch_commit.BatchCommit, "submit"),
    "the transaction": (sql_journal, "insert_segment"),
    "the vault": (local_vault.LocalKeyVault, "unwrap"),
}


@pytest.mark.parametrize("place", VALUE_PLACES)
def test_nor_does_one_of_a_single_value(
    place: str,
    service: RunningService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(*VALUE_PLACES[place], raise_canaries)
    pipeline = service.pipeline()
    with caplog.at_level(logging.DEBUG), pytest.raises(PseudoClientError) as caught:
        pipeline.pseudonymise(
            NUMBERS, kind="nhs_number", project="asthma", purpose=PURPOSE
        )
    monkeypatch.undo()
    error = caught.value
    shown = f"{error!r} {error} {error.__cause__!r} {error.__context__!r}"
    assert "quote id" in shown
    assert Canaries().find(shown) == []
    assert Canaries().find(caplog.text + "".join(capfd.readouterr())) == []
    assert Canaries().find(repr(service.telemetry.__dict__)) == []
    for data in read_files(service.state).values():
        assert Canaries().find(data) == []
    assert service.pseudonymise(NUMBERS[0])


def check_silence(
    service: RunningService,
    refusal: Refusal,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert refusal.code == "INTERNAL"
    assert refusal.message.startswith("internal error; quote id ")
    printed = "".join(capfd.readouterr())
    records = "".join(f"{r.__dict__!r}" for r in caplog.records)
    canaries = Canaries(secrets=dict(collect_keys(service.config)))
    files = read_files(service.state)
    assert "pseudo.sqlite-wal" in files
    for name, text in {
        **files,
        "the refusal": refusal.text,
        "what was printed": printed,
        "log records": caplog.text + records,
        "telemetry": repr(service.telemetry.__dict__),
        "the trail": repr(read_stored_events(service.config)),
    }.items():
        assert canaries.find(text) == [], name
