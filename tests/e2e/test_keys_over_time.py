"""Keys that rotate, and a vault that goes away, while streams are open."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from pseudo_client import PseudoClientError
from pseudo_service.adapters.key_vaults.azure_connection import Timing
from pseudo_service.core.pseudonyms.text_form import parse_pseudonym
from tests.lib.services.key_vault_emulator import KeyVaultEmulator
from tests.lib.services.service import POLICY, PROJECTS, OpenService, RunningService
from tests.lib.services.wire import TableWire, make_end, make_header, make_message
from tests.lib.stores.reopened_register import reopen_register
from tests.lib.values.cohort import PURPOSE, make_batches, make_cohort, make_numbers

IMPATIENT = Timing(first_pause=0.02, total=0.5)


def read_versions(pseudonyms: list[str]) -> set[int]:
    return {parse_pseudonym(text).version for text in pseudonyms}


def test_an_open_stream_keeps_its_version(any_service: RunningService) -> None:
    first, second = make_batches(8_000, batches=2, rows=5)
    stream = TableWire(any_service).send(make_header(), make_message(0, first))
    schema = stream.open()
    before = stream.receive_batch(schema)["patient"].to_pylist()
    made = any_service.custodian().rotate_key("asthma", current_version=1, reason="due")
    assert made.version == 2
    fresh = any_service.deidentify([first])["patient"].to_pylist()
    stream.send(make_message(1, second), make_end(2, 10)).close()
    after = stream.receive_batch(schema)["patient"].to_pylist()
    receipt = stream.receive().receipt
    assert b'"key_version":1' in receipt.receipt.statement
    assert read_versions(before + after) == {1}
    assert read_versions(fresh) == {2}
    numbers = first["nhs_number"].to_pylist()
    with reopen_register(any_service.config) as register:
        known = register.recompute("asthma")
        assert [known[text] for text in before] == numbers
        assert [known[text] for text in fresh] == numbers
    checked = any_service.client("researcher:asthma").check_pseudonyms(
        "asthma", [before[0], fresh[0]]
    )
    assert [(r.outcome, r.key_version) for r in checked] == [("OK", 1), ("OK", 2)]


def test_dates_do_not_move_when_the_key_rotates(service: RunningService) -> None:
    table = make_cohort(make_numbers(8_100, 10))
    before = service.deidentify(table)
    service.custodian().rotate_key("asthma", current_version=1, reason="due")
    after = service.deidentify(table)
    assert before["admitted"] == after["admitted"]
    assert before["patient"] != after["patient"]


def test_a_key_that_was_rotated_away_does_not_come_back(
    service: RunningService,
) -> None:
    """Each key row is signed; that it is the last one only the process remembers."""
    table = make_cohort(make_numbers(8_150, 3))
    service.custodian().rotate_key("asthma", current_version=1, reason="leaked")
    service.deidentify(table)
    with closing(sqlite3.connect(service.state / "pseudo.sqlite")) as database:
        assert database.execute("DELETE FROM key_rows WHERE version = 2").rowcount == 1
        database.commit()
    with pytest.raises(PseudoClientError) as caught:
        service.deidentify(table)
    assert caught.value.code == "KEY_ROW_REFUSED"


def test_a_run_resumed_under_other_pins_is_refused(service: RunningService) -> None:
    table = make_cohort(make_numbers(8_200, 4))
    opened = service.pipeline().deidentify(
        table, project="asthma", policy=POLICY, purpose=PURPOSE
    )
    opened.read_all()
    pins = opened.pins
    assert service.deidentify(table, expected_pins=pins).num_rows == 4
    service.custodian().rotate_key("asthma", current_version=1, reason="due")
    with pytest.raises(PseudoClientError, match="start its parts again") as caught:
        service.deidentify(table, expected_pins=pins)
    assert caught.value.code == "PINS_CHANGED"
    assert not caught.value.retryable


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[KeyVaultEmulator]:
    folder = tmp_path / "emulator"
    folder.mkdir()
    with KeyVaultEmulator(folder) as started:
        yield started


@pytest.fixture
def azure_service(
    emulator: KeyVaultEmulator, open_service: OpenService, tmp_path: Path
) -> Iterator[RunningService]:
    """A service whose keys are in an emulated Azure Key Vault."""
    vault = emulator.open_vault(timing=IMPATIENT)
    url = f"sqlite:///{tmp_path / 'azure' / 'pseudo.sqlite'}"
    service = open_service(vault=vault, database={"url": url})
    for project in PROJECTS:
        service.create_project(project)
    yield service
    vault.close()


def test_a_vault_outage_stops_no_open_stream(
    azure_service: RunningService, emulator: KeyVaultEmulator
) -> None:
    """Who has begun gets a receipt; whose key is not in hand is told to come back."""
    service = azure_service
    first, second = make_batches(8_300, batches=2, rows=5)
    stream = TableWire(service).send(make_header(), make_message(0, first))
    schema = stream.open()
    stream.receive_batch(schema)
    emulator.faults.go_down()
    stream.send(make_message(1, second), make_end(2, 10)).close()
    assert stream.receive_batch(schema).num_rows == 5
    assert stream.receive().receipt.receipt.signature
    assert service.deidentify([first, second]).num_rows == 10  # its key is held
    refusal = TableWire(service, project="stroke")
    refusal.send(make_header(project="stroke"))
    found = refusal.catch()
    assert found.code == "KEY_VAULT_UNAVAILABLE"
    assert found.status is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(PseudoClientError) as caught:
        service.create_project("kidney")
    assert caught.value.code == "KEY_VAULT_UNAVAILABLE"
    emulator.faults.come_back()
    assert service.deidentify([first], "stroke").num_rows == 5
    service.create_project("kidney")
    with reopen_register(service.config, emulator.open_vault()) as register:
        numbers = [*first["nhs_number"].to_pylist(), *second["nhs_number"].to_pylist()]
        assert sorted(register.identities["nhs_number"]) == sorted(numbers)


def test_the_vault_is_not_on_the_hot_path(
    azure_service: RunningService, emulator: KeyVaultEmulator
) -> None:
    azure_service.deidentify(make_batches(8_400, batches=1, rows=5))
    asked = sum(emulator.faults.counts.values())
    azure_service.deidentify(make_batches(8_450, batches=6, rows=5))
    azure_service.pseudonymise(make_numbers(8_500, 1)[0])
    assert sum(emulator.faults.counts.values()) == asked


def test_a_disabled_vault_key_stops_new_streams_only(
    azure_service: RunningService, emulator: KeyVaultEmulator
) -> None:
    """Disabling a project's vault key is noticed when its root is next unwrapped."""
    service = azure_service
    (batch,) = make_batches(8_600, batches=1, rows=5)
    service.deidentify([batch])
    (key_id,) = {
        version.wrapping_key_id
        for version in service.custodian().get_project("asthma").key_versions
    }
    emulator.disable(key_id)
    stream = TableWire(service).send(make_header())
    schema = stream.open()
    service.clock.advance(minutes=61)  # roots are held for an hour
    stream.close()
    del schema
    token = service.issue("pipeline:asthma")
    refused = TableWire(service, token=token).send(make_header()).catch()
    assert refused.code == "KEY_VAULT_REFUSED"
    emulator.enable(key_id)
    assert service.deidentify([batch]).num_rows == 5
