"""Builds what the service stands on: key vault, identity, certificates."""

from datetime import timedelta

from pseudo_service.adapters.files.https_documents import make_fetch
from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.adapters.identity.local_issuer import LocalIssuer
from pseudo_service.adapters.identity.oidc import OidcProfile, OidcVerifier
from pseudo_service.adapters.identity.signing_keys import FetchedKeys, FetchTimes
from pseudo_service.adapters.key_vaults.local import LocalKeyVault
from pseudo_service.config import (
    AzureVaultSettings,
    Config,
    LocalVaultSettings,
    ProfileSettings,
    TlsSettings,
)
from pseudo_service.core.access.roles import RoleGrant
from pseudo_service.core.errors import ConfigurationInvalid
from pseudo_service.core.redaction import TextMode
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.key_vault import KeyVault
from pseudo_service.ports.telemetry import Telemetry
from pseudo_service.ports.text_redactor import TextRedactor
from pseudo_service.transport.interceptors.certificates import (
    AllowedCertificate,
    ClientCertificates,
)
from pseudo_service.transport.server import Listener, TlsMaterial

KEY_NAMES = ("audit", "ingest", "linkage")


def open_key_vault(config: Config, *, clock: Clock, entropy: Entropy) -> KeyVault:
    """Return the configured vault; nothing is asked of it yet."""
    settings = config.key_vault
    if isinstance(settings, AzureVaultSettings):
        # Late: Azure's libraries take longer to import than a laptop's commands run.
        from pseudo_service.adapters.key_vaults.azure_identity import (  # noqa: PLC0415
            AzureIdentity,
            IdentitySource,
            open_azure_key_vault,
        )

        return open_azure_key_vault(
            vault_url=settings.url,
            identity=AzureIdentity(
                source=IdentitySource(settings.credential.value),
                tenant_id=settings.tenant_id,
                client_id=settings.client_id,
                file=settings.identity_file,
            ),
            clock=clock,
            entropy=entropy,
            connection_verify=settings.authority_bundle,
        )
    return LocalKeyVault(
        config.state_directory / "key-vault",
        _read_passphrase(settings),
        entropy=entropy,
    )


def open_redactor(config: Config, telemetry: Telemetry) -> TextRedactor:
    """Return the configured redactor of free text; its workers start when needed.

    Raises:
        ConfigurationInvalid: A listed mode has no model here, or the settings are bad.
    """
    # Late: the only door into the search of texts, which most commands do not use.
    from pseudo_service.adapters.text_redactor import (  # noqa: PLC0415
        open_text_redactor,
    )

    return open_text_redactor(
        modes=[TextMode(mode) for mode in config.text.modes],
        processes=config.text.processes,
        settings_file=config.text.settings_file,
        telemetry=telemetry,
    )


def open_local_issuer(config: Config) -> LocalIssuer | None:
    """Return the laptop's token issuer, where the configuration has one."""
    if not config.identity.local_issuer:
        return None
    return LocalIssuer.open(config.state_directory / "issuer")


def open_verifier(
    config: Config, *, issuer: LocalIssuer | None, clock: Clock, telemetry: Telemetry
) -> OidcVerifier:
    """Return the verifier of every configured profile."""
    stale = timedelta(minutes=config.identity.stale_keys_minutes)
    profiles = [
        _build_profile(profile, stale=stale, clock=clock, telemetry=telemetry)
        for profile in config.identity.profiles
    ]
    if issuer is not None:
        profiles.append(issuer.profile)
    return OidcVerifier(profiles, clock=clock, telemetry=telemetry)


def open_client_certificates(config: Config) -> ClientCertificates:
    """Return the allow-list of client certificates."""
    return ClientCertificates(
        [
            AllowedCertificate(
                name=entry.name,
                grants=frozenset(RoleGrant.parse(role) for role in entry.roles),
            )
            for entry in config.identity.certificates
        ]
    )


def choose_listeners(
    config: Config, *, address: str, clock: Clock
) -> tuple[Listener, ...]:
    """Return where to listen: the token port, and the certificates' if configured."""
    tls = load_tls(config, clock=clock)
    listeners = [Listener(address=address, tls=tls)]
    if config.server.mtls_address is not None:
        authorities = _read_client_authorities(config.server.tls)
        with_clients = TlsMaterial(
            certificate=tls.certificate, key=tls.key, client_authorities=authorities
        )
        listeners.append(Listener(address=config.server.mtls_address, tls=with_clients))
    return tuple(listeners)


def load_tls(config: Config, *, clock: Clock) -> TlsMaterial:
    """Return the configured certificate, or the laptop's own."""
    settings = config.server.tls
    if settings is None:
        files = open_local_certificates(config).ensure_server(clock.now())
        return TlsMaterial(certificate=files.certificate, key=files.private_key)
    try:
        return TlsMaterial(
            certificate=settings.certificate.read_bytes(), key=settings.key.read_bytes()
        )
    except OSError:
        msg = "server.tls: the certificate or key file cannot be read"
        raise ConfigurationInvalid(msg) from None


def open_local_certificates(config: Config) -> LocalCertificates:
    """Return the laptop's own authority and certificates."""
    return LocalCertificates(config.state_directory / "tls")


def _build_profile(
    settings: ProfileSettings, *, stale: timedelta, clock: Clock, telemetry: Telemetry
) -> OidcProfile:
    keys = FetchedKeys(
        make_fetch(settings.jwks_url, ca_file=settings.authority_bundle),
        clock=clock,
        telemetry=telemetry,
        times=FetchTimes(usable_for=FetchTimes().fresh_for + stale),
    )
    return OidcProfile(
        name=settings.name,
        issuer=settings.issuer,
        audiences=frozenset(settings.audiences),
        keys=keys,
        tenant=settings.tenant,
        version=settings.version,
    )


def _read_passphrase(settings: LocalVaultSettings) -> str | None:
    if settings.passphrase_file is None:
        return None
    try:
        return settings.passphrase_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        msg = "key_vault.passphrase_file: cannot be read"
        raise ConfigurationInvalid(msg) from None


def _read_client_authorities(settings: TlsSettings | None) -> bytes:
    if settings is None or settings.client_authorities is None:
        msg = "server.mtls_address needs server.tls.client_authorities"
        raise ConfigurationInvalid(msg)
    try:
        return settings.client_authorities.read_bytes()
    except OSError:
        msg = "server.tls.client_authorities: cannot be read"
        raise ConfigurationInvalid(msg) from None
