"""How the service signs in to Azure Key Vault, and what it is given to do so."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pseudo_service.adapters.key_vaults.azure import AzureKeyVault
from pseudo_service.adapters.key_vaults.azure_answers import VaultAddress
from pseudo_service.adapters.key_vaults.azure_connection import AzureConnection, Timing
from pseudo_service.core.errors import (
    ConfigurationInvalid,
    KeyUnknown,
    KeyVaultRefused,
    KeyVaultUnavailable,
    PseudoError,
)
from tests.lib.harnesses.fakes import SeededEntropy

SECRET = b"canary-secret-of-thirty-two-byte"


def test_the_challenge_is_answered_once_for_the_resource_it_names(
    emulator, vault, wrapped
):
    vault.unwrap(wrapped)
    assert emulator.faults.counts["challenge"] == 1
    assert emulator.tokens.scopes == [f"https://0.0.1:{emulator.port}/.default"]
    assert emulator.tokens.tenants == ["00000000-0000-0000-0000-000000000001"]


def test_a_token_that_is_revoked_is_replaced(emulator, vault, wrapped):
    emulator.tokens.revoke()
    assert vault.unwrap(wrapped) == SECRET


def test_threads_that_meet_a_revoked_token_all_recover(emulator, vault, wrapped):
    def unwrap(n: int) -> bytes:
        if n % 8 == 0:
            emulator.tokens.revoke()
        return vault.unwrap(wrapped)

    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(unwrap, n) for n in range(48)]
    errors = [r.exception() for r in results if r.exception()]
    assert all(isinstance(error, PseudoError) for error in errors)
    assert vault.unwrap(wrapped) == SECRET


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer authorization="https://l/t", resource="https://vault.example.com"',
        'Bearer authorization="https://l/t", resource="x"',
        "Bearer",
        "",
    ],
)
def test_a_challenge_for_another_resource_gets_no_token(emulator, vault, challenge):
    emulator.challenge = challenge
    with pytest.raises(KeyVaultRefused):
        vault.current_key("trial")
    assert emulator.tokens.scopes == []


def test_an_identity_that_the_vault_does_not_accept_is_refused(emulator, vault):
    class NobodyAccepted(set):
        def add(self, element) -> None:
            """Accept nothing."""

    emulator.tokens.accepted = NobodyAccepted()
    with pytest.raises(KeyVaultRefused, match="identity"):
        vault.current_key("trial")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://v.vault.azure.net",
        "https://",
        "https://v.vault.azure.net/keys",
        "https://v.vault.azure.net?x=1",
        "https://u:p@v.vault.azure.net",
        "https://v.vault.azure.net#x",
        "https://v vault",
        "ftp://v",
    ],
)
def test_an_address_that_is_no_vault_is_refused(url):
    with pytest.raises(ConfigurationInvalid):
        VaultAddress.parse(url)


def test_an_address_has_one_form():
    for url in ("https://V.vault.azure.net:443/", " https://v.vault.azure.net "):
        assert VaultAddress.parse(url).url == "https://v.vault.azure.net"


def test_a_missing_authority_file_is_a_matter_of_configuration(emulator, tmp_path):
    with pytest.raises(ConfigurationInvalid, match="CA bundle"):
        AzureConnection(
            address=VaultAddress.parse(emulator.url),
            credential=emulator.tokens,
            entropy=SeededEntropy(),
            connection_verify=tmp_path / "absent.pem",
        )


def test_a_vault_whose_certificate_is_not_trusted_gets_no_token(emulator):
    connection = AzureConnection(
        address=VaultAddress.parse(emulator.url),
        credential=emulator.tokens,
        entropy=SeededEntropy(),
        timing=Timing(total=0.2, first_pause=0.05),
    )
    vault = AzureKeyVault(connection=connection, clock=emulator.clock)
    with pytest.raises(KeyVaultUnavailable, match="certificate"):
        vault.current_key("trial")
    assert emulator.tokens.scopes == []
    vault.close()


def test_a_deleted_key_no_longer_verifies_for_a_process_that_never_saw_it(
    emulator, vault
):
    vault.create_key("audit")
    signature = vault.sign("audit", b"message")
    emulator.delete("audit")
    stranger = emulator.open_vault()
    with pytest.raises(KeyUnknown):
        stranger.verify(b"message", signature)
    stranger.close()


def test_a_stored_id_has_one_form_though_an_answer_may_spell_the_host_otherwise():
    address = VaultAddress.parse("https://v.vault.azure.net")
    key_id = f"https://v.vault.azure.net/keys/trial/{'a' * 32}"
    assert address.write_key_id(address.read_key_id(key_id)) == key_id
    for host in ("V.vault.azure.net", "v.vault.azure.net:443"):
        other = key_id.replace("v.vault.azure.net", host)
        assert address.find_version(other) == address.read_key_id(key_id)
        with pytest.raises(KeyVaultRefused):
            address.read_key_id(other)
