"""A register in SQLite with its maintenance, and writers that register people in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import update

from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.schema import data_keys, disclosures, segments
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.disclosures import SqlDisclosures
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.adapters.sql.stores.projects import SqlProjects
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.adapters.sql.stores.register_keeper import SqlRegisterKeeper
from pseudo_service.core.access.roles import Actor, Role, RoleGrant
from pseudo_service.core.arrow.sorted_macs import read_prefixes
from pseudo_service.core.disclosures.disclosure import (
    DisclosedPeople,
    DisclosureUse,
)
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose, SecretKey
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.register.known_identities import KnownIdentities
from pseudo_service.engine.register.maintenance import (
    MaintainedStores,
    RegisterMaintenance,
)
from pseudo_service.engine.register.maintenance_runs import MaintenanceRuns
from pseudo_service.engine.register.opening import RegisterGrant, RegisterOpening
from pseudo_service.engine.register.rewrite_sealing import RewriteSealing
from pseudo_service.engine.register.writer import RegisterWriter
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.ports.journal import BatchChange
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.harnesses.register_writers import make_register_writer
from tests.lib.stores.databases import OpenDatabase
from tests.lib.stores.memory import MemoryVault
from tests.lib.stores.stored_values import make_event, make_key_row, make_project

NHS = IdentifierKind.parse("nhs_number")
MRN = IdentifierKind.parse("mrn@RXH")
PROJECT = "heart-study"
ROOT = Root(
    owner="_service", version=1, purpose=RootPurpose.SERVICE, key=SecretKey(b"s" * 32)
)
LIFETIME = timedelta(hours=12)
CUSTODIAN = Actor(
    subject="custodian",
    grants=frozenset({RoleGrant(role=Role.CUSTODIAN)}),
    expires_at=None,
)
RULES = IdentifierRules(accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT)


def hash_blindly(texts: Sequence[str], kind: IdentifierKind = NHS) -> np.ndarray:
    key = ROOT.derive(KeyUse.BLIND_INDEX, kind.text)
    return KeyedHash(key, kind).mac(pa.array(texts, pa.string()))


@dataclass(kw_only=True)
class MaintainedRegister:
    """The database, its maintenance, and what a test does to it."""

    database: SqlDatabase
    clock: FakeClock = field(default_factory=FakeClock)
    entropy: SeededEntropy = field(default_factory=SeededEntropy)
    vault: MemoryVault = field(default_factory=MemoryVault)

    def __post_init__(self) -> None:
        self.vault.create_key("linkage")
        self.journal = SqlJournal(self.database)
        self.register = SqlRegister(self.database)
        self.disclosures = SqlDisclosures(self.database)
        self.keeper = SqlRegisterKeeper(self.database)
        self.opening = RegisterOpening(
            register=self.register, vault=self.vault, service_root=ROOT
        )

    @property
    def maintenance(self) -> RegisterMaintenance:
        return RegisterMaintenance(
            opening=self.opening,
            stores=MaintainedStores(
                register=self.register,
                keeper=self.keeper,
                disclosures=self.disclosures,
                projects=SqlProjects(self.database),
            ),
            sealing=RewriteSealing(
                vault=self.vault,
                clock=self.clock,
                entropy=self.entropy,
                service_root=ROOT,
                data_key_lifetime=LIFETIME,
            ),
            runs=MaintenanceRuns(
                access_control=AccessControl(journal=self.journal, clock=self.clock),
                recorder=AuditRecorder(self.journal, self.clock),
                entropy=self.entropy,
            ),
            service_root=ROOT,
            rules=RULES,
        )

    def make_writer(self) -> RegisterWriter:
        return make_register_writer(
            vault=self.vault,
            clock=self.clock,
            entropy=self.entropy,
            service_root=ROOT,
            lifetime=LIFETIME,
        )

    def add(self, texts: Sequence[str], kind: IdentifierKind = NHS) -> str:
        """Register people in one segment under a data key of its own; return its id."""
        row, segment = self.make_writer().seal(
            pa.array(texts, pa.string()),
            blind=hash_blindly(texts, kind),
            kind=kind.text,
        )
        change = BatchChange(event=make_event(), data_keys=[row], segments=[segment])
        self.journal.submit(change).wait()
        return segment.segment_id

    def release(
        self,
        texts: Sequence[str],
        operation: str,
        *,
        key_version: int = 1,
        use: DisclosureUse = DisclosureUse.PSEUDONYM,
    ) -> str:
        """Record people whom an operation released; return the disclosure's id."""
        prefixes = np.unique(read_prefixes(hash_blindly(texts)))
        row, disclosure = self.make_writer().seal_members(
            DisclosedPeople.of_one_operation(prefixes, self.clock.now()),
            project=PROJECT,
            kind=NHS.text,
            use=use,
            key_version=key_version,
            operation=operation,
        )
        change = BatchChange(
            event=make_event(), data_keys=[row], disclosures=[disclosure]
        )
        self.journal.submit(change).wait()
        return disclosure.disclosure_id

    def create_project(self) -> None:
        keys = [
            make_key_row(PROJECT, purpose=RootPurpose.PSEUDONYMS),
            make_key_row(PROJECT, purpose=RootPurpose.STABLE),
        ]
        SqlProjects(self.database).create(make_project(PROJECT), keys, make_event())

    def read(self) -> list[tuple[str, str]]:
        """Return everyone in the register, by kind, duplicates included."""
        scan = self.opening.scan(RegisterGrant(operation="test"))
        found = [
            (page.kind, text) for page in scan for text in page.canonical.to_pylist()
        ]
        assert not scan.faults
        return sorted(found)

    def load_known(self) -> KnownIdentities:
        """Return who is known, as a process that starts now learns it."""
        known = KnownIdentities(
            register=SqlRegister(self.database),
            mac_key=ROOT.derive(KeyUse.SEGMENT_MAC),
            patience=5,
        )
        known.load()
        return known

    def make_batch_commit(self, known: KnownIdentities) -> BatchCommit:
        return BatchCommit(
            journal=self.journal,
            known=known,
            writer=self.make_writer(),
            service_root=ROOT,
            clock=self.clock,
        )

    def count_segments(self) -> int:
        return sum(1 for _ in self.register.read_segments(after=0))

    def count_data_keys(self) -> int:
        return sum(1 for _ in self.register.read_data_keys())

    def list_events(self, kind: str) -> list[str]:
        log = SqlAuditLog(self.database)
        bodies = [one.body for chain in log.chains() for one in log.read(chain)]
        return [body for body in bodies if f'"kind":"{kind}"' in body]

    def edit(self, table: str, where: str, **values: object) -> None:
        """Change a stored row, as whoever may write to the database could."""
        tables = {
            "segment": (segments, segments.c.segment_id),
            "disclosure": (disclosures, disclosures.c.membership_id),
            "data_key": (data_keys, data_keys.c.data_key_id),
        }
        target, key = tables[table]
        statement = update(target).where(key == where).values(**values)

        def apply(connection: object) -> tuple[()]:
            connection.execute(statement)  # type: ignore[attr-defined] # SQLAlchemy's
            return ()

        self.database.write(apply).wait()


def identify(texts: Sequence[str], kind: IdentifierKind = NHS) -> Identities:
    return Identities(
        kind=kind,
        canonical=pa.array(texts, pa.string()),
        blind=hash_blindly(texts, kind),
    )


@pytest.fixture
def cared(open_sqlite: OpenDatabase) -> MaintainedRegister:
    """An empty register with one project."""
    register = MaintainedRegister(database=open_sqlite())
    register.create_project()
    return register
