"""What reads disclosures, over the state that a service wrote, without its servers."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from pseudo_service.adapters.entropy import SystemEntropy
from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.disclosures import SqlDisclosures
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.adapters.sql.stores.key_rows import SqlKeyRows
from pseudo_service.adapters.sql.stores.opt_outs import SqlOptOuts
from pseudo_service.adapters.sql.stores.projects import SqlProjects
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.bootstrap.external_services import open_key_vault
from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.disclosures.disclosure import DisclosedPeople, Disclosure
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.keys.material import SERVICE_OWNER, KeyUse, Root, RootPurpose
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.disclosures.opt_out_recall import OptOutRecall, RecallReport
from pseudo_service.engine.disclosures.reader import (
    DisclosureReader,
    UnaccountedOperations,
)
from pseudo_service.engine.disclosures.register_query import (
    RegisterQueries,
    RegisterReaders,
)
from pseudo_service.engine.disclosures.subject_location import (
    LocatedSubject,
    SubjectLocation,
)
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.register.opening import RegisterGrant, RegisterOpening
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import PURPOSE

RULES = IdentifierRules(accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT)


def make_officer(project: str) -> Actor:
    grant = RoleGrant.parse(f"linkage_officer:{project}")
    return Actor(subject="officer", grants=frozenset({grant}), expires_at=None)


@dataclass(frozen=True, kw_only=True)
class DisclosureDesk:
    """The use cases, and short ways to ask them."""

    recalling: OptOutRecall
    location: SubjectLocation
    unaccounted: UnaccountedOperations
    opening: RegisterOpening
    reader: DisclosureReader
    store: SqlDisclosures
    database: SqlDatabase
    service_root: Root

    def recall(self, project: str) -> tuple[list[str], RecallReport]:
        """Return all pseudonyms and the report."""
        actor = make_officer(project)
        pseudonyms: list[str] = []
        for one in self.recalling.recall(project, purpose=PURPOSE, actor=actor):
            if isinstance(one, RecallReport):
                return pseudonyms, one
            pseudonyms += one.pseudonyms
        raise AssertionError

    def locate(self, identifier: str, kind: str = "nhs_number") -> LocatedSubject:
        """Return where the holder of an identifier was released."""
        return self.location.locate(
            RegisterGrant(operation="test"), subjects=[self.name(identifier, kind)]
        )

    def name(self, identifier: str, kind: str = "nhs_number") -> str:
        """Return a person as a request for location names them."""
        key = self.service_root.derive(KeyUse.BLIND_INDEX, kind)
        blind = KeyedHash(key, IdentifierKind.parse(kind)).mac_one(identifier)
        return f"{kind}:{blind.hex()}"

    def open(
        self, project: str, kind: str = "nhs_number"
    ) -> list[tuple[Disclosure, DisclosedPeople]]:
        """Return a project's disclosures of a kind, opened."""
        opened = self.opening.open(RegisterGrant(operation="test"))
        return list(self.reader.read(opened, project=project, kind=kind))


@contextlib.contextmanager
def open_disclosure_desk(service: RunningService) -> Iterator[DisclosureDesk]:
    """Read the service's database as the linkage identity would."""
    config, clock, entropy = service.config, service.clock, SystemEntropy()
    vault = open_key_vault(config, clock=clock, entropy=entropy)
    database = SqlDatabase(config.database_url, chain="desk-of-a-test")
    journal = SqlJournal(database)
    access_control = AccessControl(journal=journal, clock=clock)
    key_ring = KeyRing(
        vault=vault,
        rows=SqlKeyRows(database),
        clock=clock,
        entropy=entropy,
        lifetime=timedelta(minutes=5),
    )
    root = key_ring.newest(SERVICE_OWNER, RootPurpose.SERVICE)
    opening = RegisterOpening(
        register=SqlRegister(database), vault=vault, service_root=root
    )
    store = SqlDisclosures(database)
    reader = DisclosureReader(disclosures=store, service_root=root)
    unaccounted = UnaccountedOperations(log=SqlAuditLog(database))
    try:
        yield DisclosureDesk(
            recalling=OptOutRecall(
                queries=RegisterQueries(
                    access_control=access_control,
                    projects=SqlProjects(database),
                    readers=RegisterReaders(
                        opening=opening,
                        disclosures=reader,
                        unaccounted=unaccounted,
                        key_ring=key_ring,
                    ),
                    recorder=AuditRecorder(journal, clock),
                    entropy=entropy,
                ),
                opt_outs=OptOutLists(
                    store=SqlOptOuts(database),
                    service_root=root,
                    rules=RULES,
                    clock=clock,
                    entropy=entropy,
                    access_control=access_control,
                ),
            ),
            location=SubjectLocation(
                opening=opening, disclosures=reader, unaccounted=unaccounted
            ),
            unaccounted=unaccounted,
            opening=opening,
            reader=reader,
            store=store,
            database=database,
            service_root=root,
        )
    finally:
        database.close()
