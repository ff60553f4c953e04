"""The table stream: opened once, batch after batch, closed by a signed receipt."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from pseudo_service.core.access.roles import Actor, Permission
from pseudo_service.core.audit.events import AuditKind
from pseudo_service.core.digit_runs import OPERATION_ID
from pseudo_service.core.errors import InvalidArgument, PinsChanged
from pseudo_service.core.identifiers.kinds import IdentifierRules
from pseudo_service.core.ids import NO_KEY_VERSION, OperationId
from pseudo_service.core.keys.material import KeyUse, Root, SecretKey
from pseudo_service.core.policies.plan import Plan, compile_plan
from pseudo_service.core.policies.policy import Policy
from pseudo_service.core.projects.project import Project
from pseudo_service.core.tables.patient_table import PatientTable
from pseudo_service.core.tables.receipt import PinSet
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.projects.policy_registry import RegisteredPolicy
from pseudo_service.engine.tables.patient_intake import (
    AnnouncedPatients,
    PatientIntake,
    PatientLimits,
    check_announced,
)
from pseudo_service.engine.tables.project_context import (
    ProjectContext,
    ProjectResolver,
)
from pseudo_service.engine.tables.stream_record import StreamFacts
from pseudo_service.engine.tables.table_stream import StreamServices, TableStream
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
    operation: OperationId
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
        resolver: ProjectResolver,
        redactor: TextRedactor,
        rules: DeploymentRules,
        service_root: Root,
        services: StreamServices,
    ) -> None:
        self._access_control = access_control
        self._resolver = resolver
        self._redactor = redactor
        self._rules = rules
        self._services = services
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
        project = self._resolver.find_active(header.project)
        registered = self._resolver.find_policy(header.project, header.policy)
        policy = registered.policy
        # 3. The plan: an unlisted column or a wrong type ends the stream here.
        plan = compile_plan(policy, header.schema)
        check_announced(policy, header.patients, self._rules.patient_limits)
        # 4. Pin the keys, the superseded numbers and the opt-out list till the stream ends.
        within = self._resolver.pin(
            project,
            plan.kinds,
            needs_previous=bool(plan.previous_kinds),
            is_stream=True,
        )
        pins = self._state_pins(registered, plan, within, header.patients)
        _check_expected(header.expected_pins, pins)
        table = self._make_patient_table(policy, header.patients, within)
        # 5. On record before the first row.
        self._record_opening(header, pins, actor)
        return TableStream(
            facts=StreamFacts(
                project=project,
                operation=header.operation,
                part=header.part,
                purpose=header.purpose,
                actor=actor,
                pins=pins,
            ),
            plan=plan,
            context=within.make_batch_context(
                self._rules.identifiers,
                sentinels=self._rules.sentinels,
                redact=self._redactor.redact,
                patient_table=table,
            ),
            patients=self._make_intake(table, header.patients),
            # Keyed: a plain digest of a table of one row could be searched for.
            input_digest=hmac.new(
                self._digest_key.reveal(), header.schema_bytes, hashlib.sha256
            ),
            services=self._services,
        )

    def _make_patient_table(
        self,
        policy: Policy,
        announced: AnnouncedPatients | None,
        within: ProjectContext,
    ) -> PatientTable | None:
        if announced is None or policy.patient_table is None:
            return None
        return PatientTable(
            policy.patient_table,
            announced.schema,
            hashing=self._resolver.hash_blindly(policy.patient_table.kind),
            rules=policy.adapt_rules(self._rules.identifiers),
            superseded=within.superseded,
        )

    def _make_intake(
        self, table: PatientTable | None, announced: AnnouncedPatients | None
    ) -> PatientIntake | None:
        if announced is None or table is None:
            return None
        return PatientIntake(table, announced, self._rules.patient_limits)

    def _state_pins(
        self,
        registered: RegisteredPolicy,
        plan: Plan,
        within: ProjectContext,
        patients: AnnouncedPatients | None,
    ) -> PinSet:
        roots, listed = within.roots, within.opt_out_list
        texts = self._redactor.describe() if plan.texts else {}
        return PinSet(
            key_version=within.key_version,
            key_check_value=roots.check_values(),
            previous_key_version=(
                roots.previous.version if roots.previous else NO_KEY_VERSION
            ),
            policy=registered.policy.address,
            policy_digest=registered.digest,
            opt_out_list=listed.list_id if listed else "",
            opt_out_digest=listed.digest if listed else b"",
            date_parameters_digest=digest_parameters(within.project, self._rules),
            alias_table=within.pinned_superseded.pin,
            library_versions={**self._rules.library_versions, **texts},
            patient_table_digest=patients.pin(self._patients_key) if patients else b"",
        )

    def _record_opening(self, header: TableHeader, pins: PinSet, actor: Actor) -> None:
        self._services.recorder.record(
            AuditKind.TABLE_OPENED,
            actor=actor.subject,
            project=header.project,
            operation=header.operation,
            part=header.part,
            purpose=header.purpose,
            policy=pins.policy,
            policy_digest=pins.policy_digest.hex(),
            key_version=pins.key_version,
            previous_key_version=pins.previous_key_version,
            opt_out_list=pins.opt_out_list,
            alias_table=pins.alias_table,
            patients=header.patients.rows if header.patients else 0,
        )


def _check_expected(expected: PinSet | None, pins: PinSet) -> None:
    if expected is not None and expected != pins:
        msg = (
            "the policy, key version, opt-out list, alias table, patient table, "
            "date parameters or libraries changed since the run began: start its parts again"
        )
        raise PinsChanged(msg)


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
