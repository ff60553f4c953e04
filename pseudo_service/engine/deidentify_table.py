"""The table stream: opened once, batch after batch, closed by a signed receipt."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from pseudo_service.core.access import Actor, Permission
from pseudo_service.core.audit import AuditEvent, AuditKind
from pseudo_service.core.columns import BatchContext
from pseudo_service.core.errors import InvalidArgument, PinsChanged
from pseudo_service.core.identifiers import IdentifierRules
from pseudo_service.core.keys import KeyUse, Root, SecretKey
from pseudo_service.core.manifest import PinSet
from pseudo_service.core.plan import compile_plan
from pseudo_service.core.policy import Policy
from pseudo_service.core.projects import Project
from pseudo_service.engine.admission import Admission
from pseudo_service.engine.batch_ledger import BatchLedger
from pseudo_service.engine.opt_out_lists import OptOutLists
from pseudo_service.engine.policy_registry import PolicyRegistry
from pseudo_service.engine.project_keys import PinnedRoots, ProjectKeys
from pseudo_service.engine.receipt_signing import ReceiptSigner
from pseudo_service.engine.table_stream import StreamFacts, TableStream
from pseudo_service.engine.text_columns import redact_column
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.opt_outs import OptOutList
from pseudo_service.ports.projects import ProjectStore
from pseudo_service.ports.text_redactor import TextRedactor

_OPERATION = re.compile(r"[A-Za-z0-9-]{8,64}")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_LONG_DIGIT_RUN = re.compile(r"(?:\d-?){9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableHeader:
    """How a client opens a stream. ``policy`` is ``[project/]release@n``."""

    project: str
    policy: str
    schema: pa.Schema
    schema_bytes: bytes
    purpose: str
    operation: str
    part: int
    expected_pins: PinSet | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRules:
    """What the deployment decides for every project."""

    identifiers: IdentifierRules
    sentinels: frozenset[date]
    library_versions: Mapping[str, str]


class DeidentifyTable:
    """Opens table streams. Everything that can be refused is refused here."""

    def __init__(
        self,
        *,
        admission: Admission,
        projects: ProjectStore,
        policies: PolicyRegistry,
        keys: ProjectKeys,
        opt_outs: OptOutLists,
        ledger: BatchLedger,
        journal: Journal,
        signer: ReceiptSigner,
        redactor: TextRedactor,
        clock: Clock,
        rules: DeploymentRules,
        service_root: Root,
    ) -> None:
        self._admission = admission
        self._projects = projects
        self._policies = policies
        self._keys = keys
        self._opt_outs = opt_outs
        self._ledger = ledger
        self._journal = journal
        self._signer = signer
        self._redactor = redactor
        self._clock = clock
        self._rules = rules
        self._digest_key: SecretKey = service_root.derive(KeyUse.DIGEST, "table_input")

    def open(self, header: TableHeader, actor: Actor) -> TableStream:
        """Check, plan and pin; nothing of the table has been read yet.

        Raises:
            AccessDenied, PurposeMissing, ProjectUnknown, ProjectNotActive,
            PolicyUnknown, ColumnMissing, ColumnUnlisted, ColumnTypeUnsuitable,
            OptOutListMissing, OptOutListStale, KeyVaultUnavailable, PinsChanged
        """
        # 1. Who asks, what for: before anything is looked up.
        self._admission.admit_to_data(
            actor,
            Permission.DEIDENTIFY,
            project=header.project,
            purpose=header.purpose,
        )
        check_operation(header.operation)
        # 2. The project and the policy as they stand now.
        project = self._projects.get(header.project)
        project.check_active()
        policy = self._policies.resolve(header.project, header.policy)
        # 3. The plan: an unlisted column or a wrong type ends the stream here.
        plan = compile_plan(policy, header.schema)
        # 4. Pin the keys and the opt-out list; they stay until the stream ends.
        roots = self._keys.pin(project)
        opt_outs = self._opt_outs.check_for(project)
        pins = self._state_pins(
            policy, project, roots, opt_outs[1] if opt_outs else None
        )
        if header.expected_pins is not None and header.expected_pins != pins:
            msg = (
                "the policy, key version, opt-out list, date parameters or libraries "
                "changed since the run began: start its parts again"
            )
            raise PinsChanged(msg)
        context = BatchContext(
            keys=self._keys.derive(project, roots, plan.kinds),
            date_shift=project.date_shift,
            identifier_rules=self._rules.identifiers,
            sentinels=self._rules.sentinels,
            opt_outs=opt_outs[0] if opt_outs else None,
            redact=lambda column: redact_column(self._redactor, column),
        )
        # 5. On record before the first row.
        self._journal.record(self._describe_opening(header, pins, actor))
        facts = StreamFacts(
            project=project,
            operation=header.operation,
            part=header.part,
            purpose=header.purpose,
            actor=actor,
            pins=pins,
        )
        return TableStream(
            facts=facts,
            plan=plan,
            context=context,
            input_digest=self._start_digest(header.schema_bytes),
            ledger=self._ledger,
            journal=self._journal,
            projects=self._projects,
            signer=self._signer,
            clock=self._clock,
        )

    def _start_digest(self, schema_bytes: bytes) -> hmac.HMAC:
        # Keyed: a plain digest of a table of one row could be searched for.
        return hmac.new(self._digest_key.reveal(), schema_bytes, hashlib.sha256)

    def _state_pins(
        self,
        policy: Policy,
        project: Project,
        roots: PinnedRoots,
        opt_outs: OptOutList | None,
    ) -> PinSet:
        return PinSet(
            key_version=roots.pseudonyms.version,
            key_check_value=roots.pseudonyms.check_value() + roots.stable.check_value(),
            policy=policy.address,
            policy_digest=policy.digest,
            opt_out_list=opt_outs.list_id if opt_outs else "",
            opt_out_digest=opt_outs.digest if opt_outs else b"",
            date_parameters_digest=digest_parameters(project, self._rules),
            alias_table="",
            library_versions=dict(self._rules.library_versions),
        )

    def _describe_opening(
        self, header: TableHeader, pins: PinSet, actor: Actor
    ) -> AuditEvent:
        return AuditEvent(
            kind=AuditKind.TABLE_OPENED,
            at=self._clock.now(),
            actor=actor.subject,
            project=header.project,
            operation=header.operation,
            details={
                "part": header.part,
                "purpose": header.purpose,
                "policy": pins.policy,
                "policy_digest": pins.policy_digest.hex(),
                "key_version": pins.key_version,
                "opt_out_list": pins.opt_out_list,
            },
        )


def check_operation(operation: str) -> None:
    """Raise unless the text can name a run and cannot be an identifier."""
    if _UUID.fullmatch(operation):
        return
    if not _OPERATION.fullmatch(operation) or _LONG_DIGIT_RUN.search(operation):
        msg = (
            "operation: a UUID, or 8 to 64 letters, digits and dashes without long "
            "numbers"
        )
        raise InvalidArgument(msg)


def digest_parameters(project: Project, rules: DeploymentRules) -> bytes:
    """Return the digest of what decides dates and identifiers besides the keys."""
    parameters = {
        "unit": project.date_shift.unit.value,
        "bound": project.date_shift.bound,
        "direction": project.date_shift.direction.value,
        "sentinels": sorted(day.isoformat() for day in rules.sentinels),
        "accept_test_range": rules.identifiers.accept_test_range,
        "chi_in_nhs_column": rules.identifiers.chi_in_nhs_column.value,
        "uncheckable": project.opt_outs.uncheckable.value,
        "opt_outs": project.opt_outs.application.value,
    }
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).digest()
