"""Opens Azure Key Vault under one named identity.

There is no chain that falls through to the person who is signed in on the machine
(``DefaultAzureCredential``): a missing identity is an error, never another identity.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from azure.core.credentials import TokenCredential
from azure.identity import (
    CertificateCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from pseudo_service.adapters.key_vaults.azure import AzureKeyVault
from pseudo_service.adapters.key_vaults.azure_answers import VaultAddress
from pseudo_service.adapters.key_vaults.azure_connection import AzureConnection, Timing
from pseudo_service.core.errors import ConfigurationInvalid
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy


class IdentitySource(StrEnum):
    """Where the service's own identity comes from."""

    WORKLOAD_IDENTITY = "workload_identity"
    """Kubernetes: a projected token file, exchanged at Entra ID."""
    MANAGED_IDENTITY = "managed_identity"
    """Azure Container Apps, App Service or a virtual machine."""
    CLIENT_CERTIFICATE = "client_certificate"
    """Outside Azure: an app registration's certificate and private key (PEM)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureIdentity:
    """One identity, in full; what its source does not use stays None.

    Workload identity needs ``tenant_id``, ``client_id`` and ``file`` (the projected
    token); a managed identity ``client_id`` if it is user-assigned; a certificate
    all three (``file`` holds certificate and key).
    """

    source: IdentitySource
    tenant_id: str | None = None
    client_id: str | None = None
    file: Path | None = None


def open_azure_key_vault(
    *,
    vault_url: str,
    identity: AzureIdentity,
    clock: Clock,
    entropy: Entropy,
    connection_verify: Path | None = None,
    timing: Timing | None = None,
) -> AzureKeyVault:
    """Return the vault at ``vault_url``; nothing is asked of it yet.

    Args:
        vault_url: ``https://<host>``, the vault itself.
        identity: Who the service is.
        clock: Judges which versions have expired.
        entropy: ParallelMap the pauses between retries.
        connection_verify: A CA bundle, where the system's is not the right one.
        timing: How long a call may take.

    Raises:
        ConfigurationInvalid: The address, the identity or the bundle is unusable.
    """
    timing = timing or Timing()
    connection = AzureConnection(
        address=VaultAddress.parse(vault_url),
        credential=build_credential(identity, timing),
        entropy=entropy,
        connection_verify=connection_verify,
        timing=timing,
    )
    return AzureKeyVault(connection=connection, clock=clock)


def build_credential(identity: AzureIdentity, timing: Timing) -> TokenCredential:
    """Return the SDK's credential for the one identity that is named.

    Raises:
        ConfigurationInvalid: A field that the source needs is missing or unusable.
    """
    try:
        credential = _build(identity, timing)
    except (ValueError, OSError):
        credential = None
    if credential is None:
        msg = (
            f"key vault identity {identity.source}: tenant_id, client_id or file is "
            "missing or unusable"
        )
        raise ConfigurationInvalid(msg)
    return credential


def _build(identity: AzureIdentity, timing: Timing) -> TokenCredential | None:
    tenant_id, client_id, file = identity.tenant_id, identity.client_id, identity.file
    waits: dict[str, Any] = {
        "connection_timeout": timing.connect,
        "read_timeout": timing.read,
        "retry_total": 2,
    }
    if identity.source is IdentitySource.MANAGED_IDENTITY:
        return ManagedIdentityCredential(client_id=client_id, **waits)
    if tenant_id is None or client_id is None or file is None:
        return None
    if identity.source is IdentitySource.WORKLOAD_IDENTITY:
        return WorkloadIdentityCredential(
            tenant_id=tenant_id,
            client_id=client_id,
            token_file_path=str(file),
            **waits,
        )
    return CertificateCredential(tenant_id, client_id, str(file), **waits)
