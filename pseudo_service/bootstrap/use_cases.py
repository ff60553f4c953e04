"""Puts the engine's use cases together over the shared services."""

import ssl
from dataclasses import dataclass
from importlib.metadata import version

from pseudo_service.adapters.checkpoint_archive import DirectoryArchive
from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.opt_outs import SqlOptOuts
from pseudo_service.adapters.sql.stores.policies import SqlPolicies
from pseudo_service.adapters.sql.stores.superseded import SqlSuperseded
from pseudo_service.bootstrap.shared_services import SharedServices
from pseudo_service.bootstrap.tables import build_tables
from pseudo_service.config import Config
from pseudo_service.core.identifiers.kinds import ChiInNhsColumn, IdentifierRules
from pseudo_service.engine.audit.project_audit import ProjectAudit
from pseudo_service.engine.audit.trail import AuditTrail
from pseudo_service.engine.keys.rotation import KeyRotation
from pseudo_service.engine.projects.closing import ProjectClosing
from pseudo_service.engine.projects.lifecycle import ProjectLifecycle
from pseudo_service.engine.projects.policy_registry import PolicyRegistry
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.reference_lists.superseded import SupersededLists
from pseudo_service.engine.tables.deidentify_table import (
    DeidentifyTable,
    DeploymentRules,
)
from pseudo_service.engine.tables.patient_intake import PatientLimits
from pseudo_service.engine.tables.pseudonymise_values import (
    CheckPseudonyms,
    PseudonymiseValues,
)
from pseudo_service.engine.tables.redact_texts import RedactFreeText

_PINNED_LIBRARIES = ("pseudo", "pyarrow", "numpy", "numba")


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """Everything that the service can be asked to do."""

    tables: DeidentifyTable
    values: PseudonymiseValues
    pseudonyms: CheckPseudonyms
    texts: RedactFreeText
    projects: ProjectLifecycle
    rotation: KeyRotation
    policies: PolicyRegistry
    opt_outs: OptOutLists
    superseded: SupersededLists
    audit: AuditTrail
    project_audit: ProjectAudit
    closing: ProjectClosing


def build_use_cases(
    config: Config, base: SharedServices, database: SqlDatabase
) -> UseCases:
    """Return the use cases of one process."""
    rules = choose_rules(config)
    policies = PolicyRegistry(
        projects=base.projects,
        policies=SqlPolicies(database),
        clock=base.clock,
        access_control=base.access_control,
    )
    superseded = SupersededLists(
        store=SqlSuperseded(database),
        service_root=base.service_root,
        rules=rules.identifiers,
        clock=base.clock,
        entropy=base.entropy,
        access_control=base.access_control,
    )
    opt_outs = OptOutLists(
        store=SqlOptOuts(database),
        service_root=base.service_root,
        rules=rules.identifiers,
        clock=base.clock,
        entropy=base.entropy,
        access_control=base.access_control,
        superseded=superseded,
    )
    data = build_tables(
        config, base, rules, policies=policies, opt_outs=opt_outs, superseded=superseded
    )
    return UseCases(
        tables=data.tables,
        values=data.values,
        pseudonyms=data.pseudonyms,
        texts=data.texts,
        projects=ProjectLifecycle(
            projects=base.projects,
            rows=base.rows,
            key_ring=base.key_ring,
            vault=base.vault,
            clock=base.clock,
            entropy=base.entropy,
            access_control=base.access_control,
        ),
        rotation=KeyRotation(
            projects=base.projects,
            rows=base.rows,
            key_ring=base.key_ring,
            clock=base.clock,
            access_control=base.access_control,
        ),
        closing=ProjectClosing(
            projects=base.projects,
            rows=base.rows,
            key_ring=base.key_ring,
            vault=base.vault,
            signer=base.signer,
            journal=base.journal,
            clock=base.clock,
            access_control=base.access_control,
        ),
        policies=policies,
        opt_outs=opt_outs,
        superseded=superseded,
        audit=AuditTrail(
            log=SqlAuditLog(database),
            archive=DirectoryArchive(config.archive_directory),
            vault=base.vault,
            recorder=base.recorder,
            clock=base.clock,
            access_control=base.access_control,
        ),
        project_audit=ProjectAudit(
            log=SqlAuditLog(database),
            recorder=base.recorder,
            clock=base.clock,
            access_control=base.access_control,
        ),
    )


def choose_rules(config: Config) -> DeploymentRules:
    """Return what the deployment decides for every project."""
    accepts_chi = config.identifiers.accept_chi_in_nhs_column
    return DeploymentRules(
        identifiers=IdentifierRules(
            accept_test_range=config.identifiers.accept_test_range,
            chi_in_nhs_column=(
                ChiInNhsColumn.ACCEPT if accepts_chi else ChiInNhsColumn.REJECT
            ),
        ),
        sentinels=frozenset(config.dates.sentinels),
        library_versions={name: version(name) for name in _PINNED_LIBRARIES}
        | {"openssl": ssl.OPENSSL_VERSION},
        patient_limits=PatientLimits(
            rows=config.text.patient_table_rows, bytes=config.text.patient_table_bytes
        ),
    )
