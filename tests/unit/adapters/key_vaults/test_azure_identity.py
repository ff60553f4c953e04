"""The service's own identity, through the real azure-identity."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from azure.identity import (
    CertificateCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from pseudo_service.adapters.clock import SystemClock
from pseudo_service.adapters.entropy import SystemEntropy
from pseudo_service.adapters.key_vaults.azure_connection import Timing
from pseudo_service.adapters.key_vaults.azure_identity import (
    AzureIdentity,
    IdentitySource,
    build_credential,
    open_azure_key_vault,
)
from pseudo_service.core.errors import (
    ConfigurationInvalid,
    KeyVaultRefused,
    KeyVaultUnavailable,
)
from tests.lib.services.emulated_keys import borrow_key
from tests.lib.services.managed_identity_endpoint import ManagedIdentityEndpoint

TENANT = "00000000-0000-0000-0000-000000000001"
CLIENT = "00000000-0000-0000-0000-000000000002"


def make_registration_certificate() -> bytes:
    key = borrow_key(2048, 0)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registration")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM) + key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


@pytest.fixture
def endpoint(emulator, monkeypatch):
    with ManagedIdentityEndpoint(emulator.tokens) as started:
        for name, value in started.environment.items():
            monkeypatch.setenv(name, value)
        yield started


def open_vault(emulator, identity):
    return open_azure_key_vault(
        vault_url=emulator.url,
        identity=identity,
        clock=SystemClock(),
        entropy=SystemEntropy(),
        connection_verify=emulator.authority_file,
        timing=Timing(total=1, first_pause=0.02),
    )


@pytest.fixture
def managed_vault(emulator, endpoint):
    client_id = str(uuid.uuid4())  # azure-identity remembers tokens by client id
    identity = AzureIdentity(
        source=IdentitySource.MANAGED_IDENTITY, client_id=client_id
    )
    vault = open_vault(emulator, identity)
    yield vault
    vault.close()


def test_a_managed_identity_signs_in_as_the_client_that_is_named(
    emulator, endpoint, managed_vault
):
    managed_vault.create_key("trial")
    wrapped = managed_vault.wrap("trial", b"secret")
    assert managed_vault.unwrap(wrapped) == b"secret"
    assert len(endpoint.clients) == 1
    assert emulator.find(wrapped.key_id).private_key.key_size == 3072


@pytest.mark.parametrize("status", [400, 500])
def test_an_identity_that_cannot_be_had_is_told_from_the_vault(
    emulator, endpoint, managed_vault, status
):
    endpoint.fail(status)
    with pytest.raises(KeyVaultUnavailable, match="identity cannot be had") as caught:
        managed_vault.current_key("trial")
    assert "emulated-text" not in str(caught.value)
    assert emulator.faults.counts["get"] == 0


def test_a_token_file_that_is_absent_is_named_as_the_cause(emulator, tmp_path):
    identity = AzureIdentity(
        source=IdentitySource.WORKLOAD_IDENTITY,
        tenant_id=TENANT,
        client_id=CLIENT,
        file=tmp_path / "absent-canary",
    )
    vault = open_vault(emulator, identity)
    with pytest.raises(KeyVaultRefused, match="identity cannot be read") as caught:
        vault.current_key("trial")
    assert "canary" not in str(caught.value)
    vault.close()


@pytest.mark.parametrize("missing", ["tenant_id", "client_id", "file"])
@pytest.mark.parametrize(
    "source", [IdentitySource.WORKLOAD_IDENTITY, IdentitySource.CLIENT_CERTIFICATE]
)
def test_an_identity_is_given_in_full_and_never_completed_from_the_environment(
    source, missing, monkeypatch, tmp_path
):
    for name in ("TENANT_ID", "CLIENT_ID", "FEDERATED_TOKEN_FILE"):
        monkeypatch.setenv(f"AZURE_{name}", str(tmp_path))
    fields = {"tenant_id": TENANT, "client_id": CLIENT, "file": tmp_path / "x"}
    identity = AzureIdentity(source=source, **fields | {missing: None})
    with pytest.raises(ConfigurationInvalid, match="tenant_id"):
        build_credential(identity, Timing())


def test_a_file_that_is_no_certificate_is_a_matter_of_configuration(tmp_path):
    for content in (None, b"no certificate"):
        file = tmp_path / "certificate.pem"
        if content is not None:
            file.write_bytes(content)
        identity = AzureIdentity(
            source=IdentitySource.CLIENT_CERTIFICATE,
            tenant_id=TENANT,
            client_id=CLIENT,
            file=file,
        )
        with pytest.raises(ConfigurationInvalid):
            build_credential(identity, Timing())


def test_each_source_is_the_one_credential_that_it_names(tmp_path):
    file = tmp_path / "registration.pem"
    file.write_bytes(make_registration_certificate())
    kinds = {
        IdentitySource.MANAGED_IDENTITY: ManagedIdentityCredential,
        IdentitySource.WORKLOAD_IDENTITY: WorkloadIdentityCredential,
        IdentitySource.CLIENT_CERTIFICATE: CertificateCredential,
    }
    for source, kind in kinds.items():
        identity = AzureIdentity(
            source=source, tenant_id=TENANT, client_id=CLIENT, file=file
        )
        assert type(build_credential(identity, Timing())) is kind


def test_the_systems_clock_is_zoned_to_utc():
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_the_systems_entropy_has_the_length_asked_for_and_no_pattern():
    drawn = [SystemEntropy().draw(16) for _ in range(100)]
    assert {len(each) for each in drawn} == {16}
    assert len(set(drawn)) == 100
    assert SystemEntropy().draw(0) == b""
