"""The table stream: opened once, batch after batch, closed by a signed receipt."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import pyarrow as pa

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.digit_runs import OPERATION_ID
from pseudo_service.core.errors import InvalidArgument, PinsChanged
from pseudo_service.core.identifiers.kinds import IdentifierRules
from pseudo_service.core.identifiers.superseded import (
    PinnedSupersededNumbers,
    ProjectSupersededNumbers,
)
from pseudo_service.core.keys.material import KeyUse, Root, SecretKey
from pseudo_service.core.policies.plan import Plan, compile_plan
from pseudo_service.core.policies.policy import Policy
from pseudo_service.core.projects.project import Project
from pseudo_service.core.tables.batch_values import BatchContext
from pseudo_service.core.tables.patient_table import PatientTable
from pseudo_service.core.tables.receipt import PinSet
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.access.enumeration_monitor import EnumerationMonitor
from pseudo_service.engine.keys.project_keys import PinnedRoots, ProjectKeys
from pseudo_service.engine.keys.receipt_signing import ReceiptSigner
from pseudo_service.engine.projects.policy_registry import PolicyRegistry
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.reference_lists.superseded import SupersededLists
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.engine.tables.patient_intake import (
    AnnouncedPatients,
    PatientIntake,
    PatientLimits,
    check_announced,
)
from pseudo_service.engine.tables.table_stream import StreamFacts, TableStream
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.journal import Journal
from pseudo_service.ports.opt_outs import OptOutList
from pseudo_service.ports.projects import ProjectStore
from pseudo_service.ports.text_redactor import TextRedactor

_OPERATION = re.compile(r"[A-Za-z0-9-]{8,64}")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")


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
    patients: AnnouncedPatients | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRules:
    """What the deployment decides for every project."""

    identifiers: IdentifierRules
    sentinels: frozenset[date]
    library_versions: Mapping[str, str]
    patient_limits: PatientLimits = field(default_factory=PatientLimits)


class DeidentifyTable:
    """Opens table streams. Everything that can be refused is refused here."""

    def __init__(
        self,
        *,
        access_control: AccessControl,
        projects: ProjectStore,
        policies: PolicyRegistry,
        keys: ProjectKeys,
        opt_outs: OptOutLists,
        ledger: BatchCommit,
        journal: Journal,
        signer: ReceiptSigner,
        redactor: TextRedactor,
        clock: Clock,
        rules: DeploymentRules,
        service_root: Root,
        watch: EnumerationMonitor,
        aliases: SupersededLists,
    ) -> None:
        self._access_control = access_control
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
        self._watch = watch
        self._aliases = aliases
        self._digest_key: SecretKey = service_root.derive(KeyUse.DIGEST, "table_input")
        self._patients_key: SecretKey = service_root.derive(
            KeyUse.DIGEST, "patient_table"
        )

    def open(self, header: TableHeader, actor: Actor) -> TableStream:
        """Check, plan and pin; nothing of the table has been read yet.

        Raises:
            AccessDenied, PurposeMissing, ProjectUnknown, ProjectNotActive,
            PolicyUnknown, ColumnMissing, ColumnUnlisted, ColumnTypeUnsuitable,
            PatientTableRefused, BatchTooLarge, OptOutListMissing, OptOutListStale,
            AliasTableRefused, KeyVaultUnavailable, PinsChanged
        """
        # 1. Who asks, what for: before anything is looked up.
        self._access_control.require_for_data(
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
        check_announced(policy, header.patients, self._rules.patient_limits)
        # 4. Pin the keys, the aliases and the opt-out list till the stream ends.
        roots = self._keys.pin(project)
        if plan.previous_kinds:
            roots = self._keys.pin_previous(project, roots, self._clock.now())
        pinned = self._aliases.current()
        aliases = pinned.for_project(follows_merges=project.follows_merges)
        opt_outs = self._opt_outs.check_for(project, pinned)
        pins = self._state_pins(
            plan,
            project,
            roots,
            opt_outs[1] if opt_outs else None,
            header.patients,
            aliases=pinned,
        )
        if header.expected_pins is not None and header.expected_pins != pins:
            msg = (
                "the policy, key version, opt-out list, alias table, patient table, "
                "date parameters or libraries changed since the run began: start its parts again"
            )
            raise PinsChanged(msg)
        context = BatchContext(
            keys=self._keys.derive(project, roots, plan.kinds),
            date_shift=project.date_shift,
            identifier_rules=self._rules.identifiers,
            sentinels=self._rules.sentinels,
            opt_outs=opt_outs[0] if opt_outs else None,
            redact=self._redactor.redact,
            patient_table=self._make_patient_table(policy, header.patients, aliases),
            aliases=aliases,
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
            patients=self._make_intake(context, header.patients),
            input_digest=self._start_digest(header.schema_bytes),
            ledger=self._ledger,
            journal=self._journal,
            projects=self._projects,
            signer=self._signer,
            watch=self._watch,
            clock=self._clock,
        )

    def _start_digest(self, schema_bytes: bytes) -> hmac.HMAC:
        # Keyed: a plain digest of a table of one row could be searched for.
        return hmac.new(self._digest_key.reveal(), schema_bytes, hashlib.sha256)

    def _make_patient_table(
        self,
        policy: Policy,
        announced: AnnouncedPatients | None,
        aliases: ProjectSupersededNumbers,
    ) -> PatientTable | None:
        if announced is None or policy.patient_table is None:
            return None
        rules = choose_rules(policy, self._rules.identifiers)
        hashing = self._keys.hash_blindly(policy.patient_table.kind)
        return PatientTable(
            policy.patient_table,
            announced.schema,
            hashing=hashing,
            rules=rules,
            aliases=aliases,
        )

    def _make_intake(
        self, context: BatchContext, announced: AnnouncedPatients | None
    ) -> PatientIntake | None:
        if announced is None or context.patient_table is None:
            return None
        return PatientIntake(
            context.patient_table, announced, self._rules.patient_limits
        )

    def _state_pins(
        self,
        plan: Plan,
        project: Project,
        roots: PinnedRoots,
        opt_outs: OptOutList | None,
        patients: AnnouncedPatients | None,
        *,
        aliases: PinnedSupersededNumbers,
    ) -> PinSet:
        policy = plan.policy
        texts = self._redactor.describe() if plan.texts else {}
        return PinSet(
            key_version=roots.pseudonyms.version,
            key_check_value=roots.check_values(),
            previous_key_version=roots.previous.version if roots.previous else 0,
            policy=policy.address,
            policy_digest=policy.digest,
            opt_out_list=opt_outs.list_id if opt_outs else "",
            opt_out_digest=opt_outs.digest if opt_outs else b"",
            date_parameters_digest=digest_parameters(project, self._rules),
            alias_table=aliases.pin,
            library_versions={**self._rules.library_versions, **texts},
            patient_table_digest=patients.pin(self._patients_key) if patients else b"",
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
                "previous_key_version": pins.previous_key_version,
                "opt_out_list": pins.opt_out_list,
                "alias_table": pins.alias_table,
                "patients": header.patients.rows if header.patients else 0,
            },
        )


def check_operation(operation: str) -> None:
    """Raise unless the text can name a run and cannot be an identifier."""
    if _UUID.fullmatch(operation):
        return
    if not _OPERATION.fullmatch(operation) or OPERATION_ID.is_in(operation):
        msg = (
            "operation: a UUID, or 8 to 64 letters, digits and dashes without long "
            "numbers"
        )
        raise InvalidArgument(msg)


def choose_rules(policy: Policy, rules: IdentifierRules) -> IdentifierRules:
    """Return the deployment's rules as a policy changes them."""
    chi = policy.chi_in_nhs_column
    return rules if chi is None else replace(rules, chi_in_nhs_column=chi)


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
        "follows_merges": project.follows_merges,
    }
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).digest()
