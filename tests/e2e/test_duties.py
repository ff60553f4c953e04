"""Two duties, two identities: ingestion writes the register and cannot open it."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from pseudo_service.adapters.key_vaults.azure_connection import Timing
from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.core.errors import KeyVaultRefused
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.services.key_vault_emulator import KeyVaultEmulator
from tests.lib.services.service import OpenService, RunningService
from tests.lib.services.wire import catch, write_bearer
from tests.lib.values.cohort import make_batches, make_numbers

IMPATIENT = Timing(first_pause=0.02, total=0.5)
LINKAGE_CALL = "/pseudo_service.api.v1.LinkageService/ListLinkages"
REGISTER_CALL = "/pseudo_service.api.v1.RegisterService/VerifyRegister"
TABLE_CALL = "/pseudo_service.api.v1.DeidentificationService/DeidentifyTable"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[KeyVaultEmulator]:
    folder = tmp_path / "emulator"
    folder.mkdir()
    with KeyVaultEmulator(folder) as started:
        yield started


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'azure' / 'pseudo.sqlite'}"


@pytest.fixture
def ingestion(
    emulator: KeyVaultEmulator, open_service: OpenService, url: str
) -> Iterator[RunningService]:
    """An ingestion process whose identity lacks unwrapKey on "linkage"."""
    emulator.faults.forbid("unwrapkey", key="linkage")
    vault = emulator.open_vault(timing=IMPATIENT)
    service = open_service(vault=vault, database={"url": url}, duties=["ingestion"])
    service.create_project("asthma")
    yield service
    vault.close()


def call(service: RunningService, method: str) -> object:
    """Call a method with an empty message, as a custodian and officer."""
    token = service.issue("custodian", "linkage_officer:asthma", "pipeline:asthma")
    bare = service.channel().stream_stream(
        method, request_serializer=bytes, response_deserializer=bytes
    )
    return list(bare(iter([b""]), timeout=20, metadata=write_bearer(token)))


def test_the_ingestion_identity_cannot_open_the_register(
    ingestion: RunningService, emulator: KeyVaultEmulator, url: str
) -> None:
    """It does all its work without the right, and with what it has it opens nothing."""
    ingestion.deidentify(make_batches(9_100, batches=2, rows=20))
    assert ingestion.pseudonymise(make_numbers(9_200, 1)[0])
    vault = emulator.open_vault(timing=IMPATIENT)
    database = SqlDatabase(url, chain="a-thief")
    try:
        rows = list(SqlRegister(database).read_data_keys())
        assert rows
        for row in rows:
            assert vault.key_name(row.wrapping_key_id) == "linkage"
            with pytest.raises(KeyVaultRefused):
                vault.unwrap(
                    Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
                )
    finally:
        database.close()
        vault.close()


def test_an_ingestion_process_serves_no_linkage(ingestion: RunningService) -> None:
    for method in (LINKAGE_CALL, REGISTER_CALL):
        refusal = catch(lambda method=method: call(ingestion, method))
        assert refusal.status is grpc.StatusCode.UNIMPLEMENTED


def test_a_linkage_process_opens_the_register_and_serves_no_tables(
    ingestion: RunningService,
    emulator: KeyVaultEmulator,
    open_service: OpenService,
    url: str,
) -> None:
    ingestion.deidentify(make_batches(9_300, batches=1, rows=20))
    emulator.faults.permit("unwrapkey", key="linkage")  # another identity
    vault = emulator.open_vault(timing=IMPATIENT)
    desk = open_service(vault=vault, database={"url": url}, duties=["linkage"])
    refusal = catch(lambda: call(desk, TABLE_CALL))
    assert refusal.status is grpc.StatusCode.UNIMPLEMENTED
    verdict = desk.custodian().verify_register()
    assert verdict.distinct_identities == 20
    assert not verdict.faults
    vault.close()


def test_without_the_right_the_desk_opens_nothing_and_says_so(
    ingestion: RunningService,
    emulator: KeyVaultEmulator,
    open_service: OpenService,
    url: str,
) -> None:
    ingestion.deidentify(make_batches(9_400, batches=1, rows=5))
    vault = emulator.open_vault(timing=IMPATIENT)
    desk = open_service(vault=vault, database={"url": url}, duties=["linkage"])
    verdict = desk.custodian().verify_register()
    vault.close()
    assert "data_key_does_not_open" in {fault.fault for fault in verdict.faults}
    assert not verdict.distinct_identities
