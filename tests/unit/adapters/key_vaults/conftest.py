"""An emulated Azure Key Vault, and the adapter over it."""

import pytest

from pseudo_service.adapters.key_vaults.azure import AzureKeyVault
from pseudo_service.adapters.key_vaults.azure_answers import VaultAddress
from pseudo_service.adapters.key_vaults.azure_connection import AzureConnection
from tests.lib.harnesses.fakes import SeededEntropy
from tests.lib.services.key_vault_emulator import KeyVaultEmulator

SECRET = b"canary-secret-of-thirty-two-byte"


@pytest.fixture
def emulator(tmp_path):
    with KeyVaultEmulator(tmp_path) as started:
        yield started


@pytest.fixture
def vault(emulator):
    opened = emulator.open_vault()
    yield opened
    opened.close()


@pytest.fixture
def wrapped(vault):
    vault.create_key("trial")
    return vault.wrap("trial", SECRET)


class Stopwatch:
    """Time that passes only in pauses."""

    def __init__(self) -> None:
        self.time = 0.0
        self.pauses: list[float] = []

    def read(self) -> float:
        return self.time

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


@pytest.fixture
def stopwatch():
    return Stopwatch()


@pytest.fixture
def timed_vault(emulator, stopwatch):
    connection = AzureConnection(
        address=VaultAddress.parse(emulator.url),
        credential=emulator.tokens,
        entropy=SeededEntropy(),
        connection_verify=emulator.authority_file,
        pause=stopwatch.pause,
        stopwatch=stopwatch.read,
    )
    opened = AzureKeyVault(connection=connection, clock=emulator.clock, key_bits=2048)
    yield opened
    opened.close()
