"""The configuration: one YAML file, read once, frozen, unknown keys refused.

Protection has no off switch: a laptop uses the local issuer and the local key
vault, and a production configuration refuses both.
"""

import os
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from pseudo_service.core.errors import ConfigurationInvalid


class Environment(StrEnum):
    """Where the service runs; production refuses what is only for laptops."""

    LAPTOP = "laptop"
    PRODUCTION = "production"


class Duty(StrEnum):
    """What a process is for; each has the vault rights of its own identity.

    INGESTION serves de-identification and needs only the public half of "linkage".
    LINKAGE serves the linkage desk and the register's maintenance, and may unwrap with
    "linkage". Both serve administration.
    """

    INGESTION = "ingestion"
    LINKAGE = "linkage"


class Settings(BaseModel):
    """The base of every section: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LimitSettings(Settings):
    """What one message, stream or caller may use."""

    message_bytes: int = Field(default=64 << 20, ge=1 << 20, le=512 << 20)
    batch_rows: int = Field(default=131_072, ge=1, le=1 << 20)
    columns: int = Field(default=500, ge=1, le=5000)
    streams_per_caller: int = Field(default=8, ge=1)
    calls_per_caller: int = Field(default=16, ge=1)
    threads: int = Field(default=64, ge=4, le=512)
    drain_seconds: float = Field(default=30.0, gt=0)


class TlsSettings(Settings):
    """Certificate files in PEM; without them a laptop makes its own."""

    certificate: Path
    key: Path
    client_authorities: Path | None = None


class ServerSettings(Settings):
    """Where the service listens.

    ``mtls_address`` is a second port for pipelines that show a client certificate.
    """

    address: str = "127.0.0.1:8443"
    mtls_address: str | None = None
    tls: TlsSettings | None = None
    workers: int = Field(default=1, ge=1, le=64)
    limits: LimitSettings = LimitSettings()


class LocalVaultSettings(Settings):
    """RSA keys in owner-only files; for laptops."""

    type: Literal["local"] = "local"
    passphrase_file: Path | None = None


class AzureCredential(StrEnum):
    """The credential is named, so that none is fallen through to."""

    WORKLOAD_IDENTITY = "workload_identity"
    MANAGED_IDENTITY = "managed_identity"
    CLIENT_CERTIFICATE = "client_certificate"


class AzureVaultSettings(Settings):
    """An Azure Key Vault, Premium for hardware keys."""

    type: Literal["azure"]
    url: Annotated[str, Field(pattern=r"^https://")]
    credential: AzureCredential
    tenant_id: str | None = None
    client_id: str | None = None
    identity_file: Path | None = None
    authority_bundle: Path | None = None


class DatabaseSettings(Settings):
    """SQLite by default, PostgreSQL by URL; a URL may hold a password."""

    url: SecretStr | None = None
    commit_timeout_seconds: float = Field(default=15.0, gt=0, le=120)


class ProfileSettings(Settings):
    """One issuer of access tokens, verified as exactly this profile."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")
    issuer: Annotated[str, Field(pattern=r"^https://")]
    audiences: tuple[str, ...] = Field(min_length=1)
    jwks_url: Annotated[str, Field(pattern=r"^https://")]
    tenant: str | None = None
    version: Literal["1.0", "2.0"] | None = None
    authority_bundle: Path | None = None


class CertificateSettings(Settings):
    """A client certificate's exact name and the roles that it has."""

    name: str = Field(min_length=3)
    roles: tuple[str, ...] = Field(min_length=1)


class IdentitySettings(Settings):
    """Who is believed; empty means nobody."""

    profiles: tuple[ProfileSettings, ...] = ()
    certificates: tuple[CertificateSettings, ...] = ()
    local_issuer: bool = False
    stale_keys_minutes: float = Field(default=60.0, ge=0, le=24 * 60)


class IdentifierSettings(Settings):
    """The deployment's rules for identifiers."""

    accept_test_range: bool = False
    accept_chi_in_nhs_column: bool = False


class DateSettings(Settings):
    """Dates that mean "unknown"; shifted, they would reveal the offset."""

    sentinels: tuple[date, ...] = (
        date(1800, 1, 1),
        date(1899, 12, 30),
        date(1899, 12, 31),
        date(1900, 1, 1),
        date(9999, 12, 31),
    )


class AuditSettings(Settings):
    """Where signed checkpoints are copied to, outside the database."""

    archive_directory: Path | None = None
    checkpoint_seconds: float = Field(default=300.0, ge=1)


class KeySettings(Settings):
    """How long keys are held in memory."""

    root_minutes: float = Field(default=60.0, gt=0, le=24 * 60)
    data_key_minutes: float = Field(default=720.0, gt=0, le=7 * 24 * 60)
    certificate_hours: float = Field(default=24.0, gt=0, le=7 * 24)


class TextSettings(Settings):
    """Redaction of free text; where no mode is listed, every text is withheld.

    ``processes`` are started by each worker of the service that meets a text.
    ``settings_file`` is the TOML file of the deployment's own number forms and words.
    The other two bound a patient table, which stays in memory with its stream.
    """

    modes: tuple[Literal["thorough", "fast"], ...] = ()
    processes: int = Field(default=1, ge=1, le=64)
    settings_file: Path | None = None
    patient_table_rows: int = Field(default=5_000_000, ge=1, le=100_000_000)
    patient_table_bytes: int = Field(default=1 << 30, ge=1 << 20, le=16 << 30)


class AntiOracleSettings(Settings):
    """When a caller's use looks like trying identifiers out, and whether it is refused.

    ``sequential_run`` neighbouring numbers are a sign where such rows are
    ``sequential_share`` of what was looked at; so are ``novel_per_hour`` people never
    seen before in an hour of single calls, if they are ``novel_share`` of all.
    """

    block: bool = False
    sequential_run: int = Field(default=20, ge=3)
    sequential_share: float = Field(default=0.02, gt=0, le=1)
    novel_per_hour: int = Field(default=500, ge=1)
    novel_share: float = Field(default=0.8, gt=0, le=1)


class LogFormat(StrEnum):
    """JSON lines for machines, plain text for people."""

    JSON = "json"
    CONSOLE = "console"


class TelemetrySettings(Settings):
    """Logs, metrics and traces; traces are off until an endpoint is given."""

    metrics_address: str | None = None
    log_format: LogFormat = LogFormat.JSON
    otlp_endpoint: str | None = None


class Config(Settings):
    """The whole configuration."""

    environment: Environment
    instance: str = Field(default="pseudo", pattern=r"^[a-z][a-z0-9-]{1,39}$")
    duties: tuple[Duty, ...] | None = Field(default=None, min_length=1)
    state_directory: Path
    server: ServerSettings = ServerSettings()
    key_vault: LocalVaultSettings | AzureVaultSettings = Field(
        default=LocalVaultSettings(), discriminator="type"
    )
    database: DatabaseSettings = DatabaseSettings()
    identity: IdentitySettings = IdentitySettings()
    identifiers: IdentifierSettings = IdentifierSettings()
    dates: DateSettings = DateSettings()
    audit: AuditSettings = AuditSettings()
    keys: KeySettings = KeySettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    text: TextSettings = TextSettings()
    anti_oracle: AntiOracleSettings = AntiOracleSettings()

    @property
    def served_duties(self) -> frozenset[Duty]:
        """Return the duties: those given, else both on a laptop, else ingestion."""
        if self.duties is not None:
            return frozenset(self.duties)
        is_laptop = self.environment is Environment.LAPTOP
        return frozenset(Duty) if is_laptop else frozenset({Duty.INGESTION})

    @property
    def database_url(self) -> str:
        """Return the configured URL, or that of SQLite in the state directory."""
        if self.database.url is not None:
            return self.database.url.get_secret_value()
        return f"sqlite:///{self.state_directory / 'pseudo.sqlite'}"

    @property
    def archive_directory(self) -> Path:
        """Return where checkpoints are copied to."""
        return self.audit.archive_directory or self.state_directory / "checkpoints"

    @model_validator(mode="after")
    def _refuse_laptop_parts_in_production(self) -> Self:
        if self.environment is Environment.LAPTOP:
            return self
        faults = {
            "key_vault: a local key vault": isinstance(
                self.key_vault, LocalVaultSettings
            ),
            "identity.local_issuer": self.identity.local_issuer,
            "identifiers.accept_test_range: the 999 range": (
                self.identifiers.accept_test_range
            ),
            "server.tls: certificates made on the spot": self.server.tls is None,
            "audit.archive_directory: an archive beside the database": (
                self.audit.archive_directory is None
            ),
            "duties: ingestion and linkage in one process, under one vault identity": (
                len(self.served_duties) > 1
            ),
            "identity: nobody is believed": not (
                self.identity.profiles or self.identity.certificates
            ),
        }
        found = [name for name, present in faults.items() if present]
        if found:
            msg = "production refuses " + "; ".join(found)
            raise ValueError(msg)
        return self


def load_config(path: Path) -> Config:
    """Read a configuration file; relative paths are relative to the file.

    Raises:
        ConfigurationInvalid: The file cannot be read, or a key is unknown, missing
            or impossible; the message names the keys.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        msg = f"configuration {path.name}: not a readable YAML file"
        raise ConfigurationInvalid(msg) from None
    if not isinstance(raw, dict):
        msg = f"configuration {path.name}: expected keys and values"
        raise ConfigurationInvalid(msg)
    return _resolve_paths(build_config(raw), path.parent.resolve())


def extend_environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with additions, for a child process."""
    return {**os.environ, **added}


def build_config(raw: object) -> Config:
    """Check a configuration that is already parsed.

    Raises:
        ConfigurationInvalid: Naming each key at fault, never its value.
    """
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'configuration'}: "
            f"{fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationInvalid("configuration: " + "; ".join(faults)) from None


def _resolve_paths(settings: Config, base: Path) -> Config:
    def resolve(value: object) -> object:
        if isinstance(value, Path):
            return base / value.expanduser()
        if isinstance(value, BaseModel):
            changed = {
                name: resolve(getattr(value, name)) for name in type(value).model_fields
            }
            return value.model_copy(update=changed)
        return value

    resolved = resolve(settings)
    if not isinstance(resolved, Config):  # pragma: no cover - a model stays a model
        raise TypeError
    return resolved
