"""Table streams over the engine's own parts, and stores in memory."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

from pseudo_service.core.access.enumeration import EnumerationSettings
from pseudo_service.core.access.roles import Actor, RoleGrant
from pseudo_service.core.audit.events import AuditEvent
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.keys.material import KeyUse
from pseudo_service.core.projects.project import (
    DateShiftRule,
    OptOutApplication,
    OptOutRule,
)
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.access.enumeration_monitor import EnumerationMonitor
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.keys.key_ring import KeyRing
from pseudo_service.engine.keys.project_keys import ProjectKeys
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from pseudo_service.engine.keys.rotation import KeyRotation
from pseudo_service.engine.projects.lifecycle import ProjectLifecycle, ProjectRequest
from pseudo_service.engine.projects.policy_registry import PolicyRegistry
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.reference_lists.superseded import SupersededLists
from pseudo_service.engine.register.known_identities import KnownIdentities
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.engine.tables.deidentify_table import (
    DeidentifyTable,
    DeploymentRules,
    TableHeader,
)
from pseudo_service.engine.tables.patient_intake import PatientLimits
from pseudo_service.engine.tables.project_context import ProjectResolver
from pseudo_service.engine.tables.stream_messages import (
    SentBatch,
    SentEnd,
    StreamMessage,
)
from pseudo_service.engine.tables.table_stream import (
    CommittedBatch,
    FinishedTable,
    StreamServices,
    TableStream,
)
from pseudo_service.ports.opt_outs import OptOutListKind
from pseudo_service.ports.superseded import SupersededList
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.harnesses.redactors import WordRedactor
from tests.lib.harnesses.register_writers import make_register_writer
from tests.lib.services.telemetry import RecordingTelemetry
from tests.lib.stores.linkage_stores import MemoryOptOuts
from tests.lib.stores.memory import MemoryJournal, MemoryPolicies, MemoryVault
from tests.lib.stores.memory_projects import MemoryKeyRows, MemoryProjects, Trail

PROJECT, OPERATION = "asthma", "operation-1"
PURPOSE = "a study of asthma"
LOADER = Actor(
    subject="loader",
    grants=frozenset({RoleGrant.parse(f"pipeline:{PROJECT}")}),
    expires_at=None,
)
CUSTODIAN = Actor(
    subject="custodian",
    grants=frozenset({RoleGrant.parse("custodian")}),
    expires_at=None,
)
RULES = IdentifierRules(accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT)
POLICY = """
policy: asthma/visits@1
patient: {column: nhs, kind: nhs_number}
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number}
  place: {treatment: keep, reason: counts the rows}
"""
SCHEMA = pa.schema({"nhs": pa.string(), "place": pa.int64()})


class MemorySuperseded:
    """``SupersededStore`` of the one table that was loaded."""

    def __init__(self) -> None:
        self.facts: SupersededList | None = None
        self.chunks: list[bytes] = []

    def load(
        self, facts: SupersededList, sealed: Iterator[bytes], audit: AuditEvent
    ) -> None:
        del audit
        self.facts, self.chunks = facts, list(sealed)

    def newest(self) -> SupersededList | None:
        return self.facts

    def read(self, list_id: str) -> Iterator[bytes]:
        del list_id
        yield from self.chunks


@dataclass(kw_only=True)
class Answer:
    """What a stream gave back."""

    batches: list[CommittedBatch]
    finished: FinishedTable

    def rows(self) -> list[dict[str, Any]]:
        return [row for one in self.batches for row in one.batch.to_pylist()]


class StreamHarness:
    """Opens table streams of one project; stores, clock and vault are the test's."""

    def __init__(
        self,
        *,
        policy: str = POLICY,
        opt_outs: OptOutApplication = OptOutApplication.NOT_APPLICABLE,
        follows_merges: bool = False,
        quota: int = 1_000_000,
        limits: PatientLimits | None = None,
        enumeration: EnumerationSettings | None = None,
    ) -> None:
        self.trail, self.clock, self.vault = Trail(), FakeClock(), MemoryVault()
        for key in ("audit", "linkage", "ingest"):
            self.vault.create_key(key)
        self.journal = MemoryJournal(self.trail)
        self.rows = MemoryKeyRows(self.trail)
        self.projects = MemoryProjects(self.rows, self.trail)
        self.listed, self.superseded_store = MemoryOptOuts(), MemorySuperseded()
        self.redactor = WordRedactor()
        self.access_control = AccessControl(journal=self.journal, clock=self.clock)
        self.ring = KeyRing(
            vault=self.vault,
            rows=self.rows,
            clock=self.clock,
            entropy=SeededEntropy("keys"),
            lifetime=timedelta(days=400),
        )
        self._make_lists()
        self.policies = PolicyRegistry(
            projects=self.projects,
            policies=MemoryPolicies(self.trail),
            clock=self.clock,
            access_control=self.access_control,
        )
        self.resolver = ProjectResolver(
            projects=self.projects,
            policies=self.policies,
            keys=ProjectKeys(key_ring=self.ring, service_root=self.service_root),
            opt_outs=self.opt_outs,
            superseded=self.superseded,
            clock=self.clock,
        )
        self.services = self._make_services(enumeration or EnumerationSettings())
        self.tables = DeidentifyTable(
            access_control=self.access_control,
            resolver=self.resolver,
            redactor=self.redactor,
            rules=DeploymentRules(
                identifiers=RULES,
                sentinels=frozenset(),
                library_versions={"pyarrow": "1"},
                patient_limits=limits or PatientLimits(),
            ),
            service_root=self.service_root,
            services=self.services,
        )
        self._create(opt_outs, follows_merges=follows_merges, quota=quota)
        self.policies.register(policy, CUSTODIAN)
        self.trail.events.clear()

    def _make_lists(self) -> None:
        self.service_root = self.ring.ensure_service_root("process", is_new=True)
        shared: dict[str, Any] = {
            "service_root": self.service_root,
            "rules": RULES,
            "clock": self.clock,
            "access_control": self.access_control,
        }
        self.superseded = SupersededLists(
            store=self.superseded_store, entropy=SeededEntropy("aliases"), **shared
        )
        self.opt_outs = OptOutLists(
            store=self.listed, entropy=SeededEntropy("lists"), **shared
        )

    def _make_services(self, enumeration: EnumerationSettings) -> StreamServices:
        mac_key = self.service_root.derive(KeyUse.SEGMENT_MAC)
        known = KnownIdentities(register=self.journal, mac_key=mac_key, patience=5)
        known.load()
        self.signer = ReceiptSigner(
            vault=self.vault,
            clock=self.clock,
            entropy=SeededEntropy("signer"),
            process="process",
            instance="instance",
            lifetime=timedelta(days=1),
        )
        return StreamServices(
            projects=self.projects,
            commit=BatchCommit(
                journal=self.journal,
                known=known,
                writer=make_register_writer(
                    vault=self.vault,
                    clock=self.clock,
                    entropy=SeededEntropy("register"),
                    service_root=self.service_root,
                ),
                service_root=self.service_root,
                clock=self.clock,
            ),
            monitor=EnumerationMonitor(
                settings=enumeration,
                journal=self.journal,
                telemetry=RecordingTelemetry(),
                clock=self.clock,
            ),
            recorder=AuditRecorder(self.journal, self.clock),
            signer=self.signer,
            clock=self.clock,
        )

    def _create(
        self, opt_outs: OptOutApplication, *, follows_merges: bool, quota: int
    ) -> None:
        self.lifecycle = ProjectLifecycle(
            projects=self.projects,
            rows=self.rows,
            key_ring=self.ring,
            vault=self.vault,
            clock=self.clock,
            entropy=SeededEntropy("tags"),
            access_control=self.access_control,
        )
        request = ProjectRequest(
            project_id=PROJECT,
            title="Outcomes",
            date_shift=DateShiftRule(bound=26),
            opt_outs=OptOutRule(application=opt_outs, legal_basis="consent"),
            daily_quota=quota,
            follows_merges=follows_merges,
        )
        self.lifecycle.create(request, CUSTODIAN)

    def rotate(self, *, overlap_days: int = 0) -> None:
        """Make the next version of the project's key."""
        rotation = KeyRotation(
            projects=self.projects,
            rows=self.rows,
            key_ring=self.ring,
            clock=self.clock,
            access_control=self.access_control,
        )
        rotation.rotate(
            PROJECT,
            current_version=1,
            reason="yearly",
            actor=CUSTODIAN,
            overlap_days=overlap_days,
        )

    def suspend(self) -> None:
        self.lifecycle.suspend(PROJECT, reason="a complaint", actor=CUSTODIAN)

    def load_opt_outs(self, *numbers: str, days: int = 7) -> None:
        self.opt_outs.load(
            OptOutListKind.OPT_OUT,
            entries=len(numbers),
            expires_at=self.clock.now() + timedelta(days=days),
            chunks=[numbers],
            actor=CUSTODIAN,
        )

    def load_superseded(self, old: str, new: str) -> None:
        self.superseded.load(entries=1, chunks=[([old], [new])], actor=CUSTODIAN)

    def open(self, actor: Actor = LOADER, **changes: Any) -> TableStream:
        return self.tables.open(make_header(**changes), actor)

    def run(self, messages: Sequence[StreamMessage], **changes: Any) -> Answer:
        """Send a whole table and return every answer."""
        with ExitStack() as stack:
            stream = stack.enter_context(self.open(**changes))
            *batches, finished = stream.run(iter(messages), decode)
        return Answer(
            batches=[one for one in batches if isinstance(one, CommittedBatch)],
            finished=_check_finished(finished),
        )

    def hash_blindly(self, kind: str = "nhs_number") -> Any:
        return self.resolver.hash_blindly(IdentifierKind.parse(kind))


def make_header(**changes: Any) -> TableHeader:
    """Return the header of a table of visits."""
    schema = changes.get("schema", SCHEMA)
    facts: dict[str, Any] = {
        "project": PROJECT,
        "policy": "visits@1",
        "schema": schema,
        "schema_bytes": schema.serialize().to_pybytes(),
        "purpose": PURPOSE,
        "operation": OPERATION,
        "part": 0,
        "expected_pins": None,
    }
    return TableHeader(**{**facts, **changes})


def make_visits(*numbers: str | None, first: int = 0) -> pa.RecordBatch:
    places = range(first, first + len(numbers))
    columns = [pa.array(numbers, pa.string()), pa.array(places, pa.int64())]
    return pa.record_batch(columns, schema=SCHEMA)


def encode(batch: pa.RecordBatch) -> bytes:
    encoded: bytes = batch.serialize().to_pybytes()
    return encoded


def decode(data: bytes, schema: pa.Schema, rows: int) -> pa.RecordBatch:
    batch = pa.ipc.read_record_batch(pa.py_buffer(data), schema)
    assert batch.num_rows == rows
    return batch


def send(*batches: pa.RecordBatch) -> list[StreamMessage]:
    """Return the messages of a table, its end included."""
    sent: list[StreamMessage] = [
        SentBatch(sequence=at, row_count=batch.num_rows, data=encode(batch))
        for at, batch in enumerate(batches)
    ]
    rows = sum(batch.num_rows for batch in batches)
    return [*sent, SentEnd(batches=len(batches), rows=rows)]


def _check_finished(answer: CommittedBatch | FinishedTable) -> FinishedTable:
    assert isinstance(answer, FinishedTable)
    return answer
