"""What every use case of a process stands on: stores, keys, register, signer."""

from dataclasses import dataclass
from datetime import timedelta

from pseudo_service.adapters.clock import SystemClock
from pseudo_service.adapters.entropy import SystemEntropy
from pseudo_service.adapters.instrumented import ObservedJournal, ObservedKeyVault
from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.adapters.sql.stores.key_rows import SqlKeyRows
from pseudo_service.adapters.sql.stores.projects import SqlProjects
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.bootstrap.external_services import (
    KEY_NAMES,
    open_key_vault,
    open_redactor,
)
from pseudo_service.config import Config, Duty
from pseudo_service.core.keys.material import KeyUse, Root
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from pseudo_service.engine.register.data_key_holder import DataKeyHolder
from pseudo_service.engine.register.known_identities import KnownIdentities
from pseudo_service.engine.register.writer import RegisterWriter
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.key_vault import KeyVault
from pseudo_service.ports.projects import KeyRowStore, ProjectStore
from pseudo_service.ports.telemetry import Telemetry
from pseudo_service.ports.text_redactor import TextRedactor


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeOverrides:
    """What differs between a deployment, a demo and a test."""

    telemetry: Telemetry
    clock: Clock = SystemClock()  # noqa: RUF009 - it has no state
    entropy: Entropy = SystemEntropy()  # noqa: RUF009 - it has no state
    vault: KeyVault | None = None
    redactor: TextRedactor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedServices:
    """The parts that use cases share."""

    telemetry: Telemetry
    clock: Clock
    entropy: Entropy
    vault: KeyVault
    journal: Journal
    projects: ProjectStore
    rows: KeyRowStore
    key_ring: KeyRing
    service_root: Root
    known: KnownIdentities
    writer: RegisterWriter
    signer: ReceiptSigner
    access_control: AccessControl
    recorder: AuditRecorder
    redactor: TextRedactor


def build_shared_services(
    config: Config, overrides: RuntimeOverrides, database: SqlDatabase, process: str
) -> SharedServices:
    """Open the vault, make or unwrap the service root, load the register.

    Raises:
        PseudoError: Whatever keeps the service from being sound.
    """
    clock, entropy = overrides.clock, overrides.entropy
    vault = ObservedKeyVault(
        overrides.vault or open_key_vault(config, clock=clock, entropy=entropy),
        overrides.telemetry,
    )
    for name in KEY_NAMES:
        vault.create_key(name)
    rows = SqlKeyRows(database)
    key_ring = KeyRing(
        vault=vault,
        rows=rows,
        clock=clock,
        entropy=entropy,
        lifetime=timedelta(minutes=config.keys.root_minutes),
    )
    projects = SqlProjects(database)
    root = key_ring.ensure_service_root(process, is_new=not projects.list())
    known = KnownIdentities(
        register=SqlRegister(database),
        mac_key=root.derive(KeyUse.SEGMENT_MAC),
        patience=config.database.commit_timeout_seconds,
    )
    if Duty.INGESTION in config.served_duties:
        known.load()  # 16 bytes a person, which the linkage desk has no use for
    data_keys = DataKeyHolder(
        vault=vault,
        clock=clock,
        entropy=entropy,
        lifetime=timedelta(minutes=config.keys.data_key_minutes),
    )
    writer = RegisterWriter(
        data_keys=data_keys, service_root=root, clock=clock, entropy=entropy
    )
    writer.prepare()
    signer = ReceiptSigner(
        vault=vault,
        clock=clock,
        entropy=entropy,
        process=process,
        instance=config.instance,
        lifetime=timedelta(hours=config.keys.certificate_hours),
    )
    signer.certify()
    journal = ObservedJournal(SqlJournal(database), overrides.telemetry)
    return SharedServices(
        telemetry=overrides.telemetry,
        clock=clock,
        entropy=entropy,
        vault=vault,
        journal=journal,
        projects=projects,
        rows=rows,
        key_ring=key_ring,
        service_root=root,
        known=known,
        writer=writer,
        signer=signer,
        access_control=AccessControl(journal=journal, clock=clock),
        recorder=AuditRecorder(journal, clock),
        redactor=overrides.redactor or open_redactor(config, overrides.telemetry),
    )
