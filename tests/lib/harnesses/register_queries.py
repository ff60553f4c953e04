"""Queries of a register in SQLite, with real keys and a list of opt-outs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa

from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.opt_outs import SqlOptOuts
from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.ids import KeyVersion, ProjectId
from pseudo_service.core.keys.material import RootPurpose
from pseudo_service.core.projects.project import (
    OptOutApplication,
    OptOutRule,
    Uncheckable,
)
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.disclosures.reader import (
    DisclosureReader,
    UnaccountedOperations,
)
from pseudo_service.engine.disclosures.register_query import (
    RegisterQueries,
    RegisterReaders,
)
from pseudo_service.engine.disclosures.released_people import open_writer
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.ports.opt_outs import OptOutListKind
from tests.lib.harnesses.register_maintenance import (
    CUSTODIAN,
    NHS,
    PROJECT,
    ROOT,
    RULES,
    MaintainedRegister,
)
from tests.lib.stores.memory_projects import MemoryKeyRows, MemoryProjects, Trail
from tests.lib.stores.stored_values import make_event, make_project

STUDY = ProjectId(PROJECT)
OFFICER = Actor(
    subject="officer",
    grants=frozenset({RoleGrant.parse(f"linkage_officer:{PROJECT}")}),
    expires_at=None,
)
VERSIONS = (KeyVersion(1), KeyVersion(2))


class QueriedRegister:
    """A maintained register whose project has two key versions and applies opt-outs."""

    def __init__(self, cared: MaintainedRegister) -> None:
        self.cared = cared
        for name in ("audit", f"project-{PROJECT}"):
            cared.vault.create_key(name)
        trail = Trail()
        rows = MemoryKeyRows(trail)
        self.projects = MemoryProjects(rows, trail)
        self.key_ring = KeyRing(
            vault=cared.vault,
            rows=rows,
            clock=cared.clock,
            entropy=cared.entropy,
            lifetime=timedelta(hours=1),
        )
        keys = [
            self.key_ring.make_row(PROJECT, RootPurpose.PSEUDONYMS, version=version)
            for version in VERSIONS
        ]
        project = replace(
            make_project(PROJECT),
            opt_outs=OptOutRule(
                application=OptOutApplication.APPLIED,
                legal_basis="section 251",
                uncheckable=Uncheckable.REMOVE,
            ),
        )
        self.projects.create(project, keys, make_event())
        self.access_control = AccessControl(journal=cared.journal, clock=cared.clock)
        self.opt_outs = OptOutLists(
            store=SqlOptOuts(cared.database),
            service_root=ROOT,
            rules=RULES,
            clock=cared.clock,
            entropy=cared.entropy,
            access_control=self.access_control,
        )
        self.reader = DisclosureReader(disclosures=cared.disclosures, service_root=ROOT)
        self.unaccounted = UnaccountedOperations(log=SqlAuditLog(cared.database))
        self.queries = RegisterQueries(
            access_control=self.access_control,
            projects=self.projects,
            readers=RegisterReaders(
                opening=cared.opening,
                disclosures=self.reader,
                unaccounted=self.unaccounted,
                key_ring=self.key_ring,
            ),
            recorder=AuditRecorder(cared.journal, cared.clock),
            entropy=cared.entropy,
        )

    def load_opt_outs(
        self, numbers: Sequence[str], kind: OptOutListKind = OptOutListKind.OPT_OUT
    ) -> str:
        """Put a list in force; return its id."""
        loaded = self.opt_outs.load(
            kind,
            entries=len(numbers),
            expires_at=self.cared.clock.now() + timedelta(days=7),
            chunks=[numbers],
            actor=CUSTODIAN,
        )
        return loaded.list_id

    def write(self, numbers: Sequence[str], version: KeyVersion) -> list[str]:
        """Return the pseudonyms of people under a key version."""
        project = self.projects.get(PROJECT)
        writer = open_writer(self.key_ring, project, NHS, version)
        return writer.write(pa.array(numbers, pa.string())).to_pylist()
