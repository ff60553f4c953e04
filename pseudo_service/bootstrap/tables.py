"""Puts the ingestion duty's use cases together: tables, identifiers and texts."""

from dataclasses import dataclass

from pseudo_service.bootstrap.shared_services import SharedServices
from pseudo_service.config import Config
from pseudo_service.core.access.enumeration import EnumerationSettings
from pseudo_service.engine.access.enumeration_monitor import EnumerationMonitor
from pseudo_service.engine.keys.project_keys import ProjectKeys
from pseudo_service.engine.projects.policy_registry import PolicyRegistry
from pseudo_service.engine.reference_lists.opt_outs import OptOutLists
from pseudo_service.engine.reference_lists.superseded import SupersededLists
from pseudo_service.engine.tables.batch_commit import BatchCommit
from pseudo_service.engine.tables.deidentify_table import (
    DeidentifyTable,
    DeploymentRules,
)
from pseudo_service.engine.tables.project_context import ProjectResolver
from pseudo_service.engine.tables.pseudonymise_values import (
    CheckPseudonyms,
    PseudonymiseValues,
)
from pseudo_service.engine.tables.redact_texts import RedactFreeText
from pseudo_service.engine.tables.table_stream import StreamServices
from pseudo_service.engine.tables.unary_calls import UnaryCalls


@dataclass(frozen=True, slots=True, kw_only=True)
class TableUseCases:
    """What is done with data: in tables, as single identifiers, as single texts."""

    tables: DeidentifyTable
    values: PseudonymiseValues
    pseudonyms: CheckPseudonyms
    texts: RedactFreeText


def build_tables(
    config: Config,
    base: SharedServices,
    rules: DeploymentRules,
    *,
    policies: PolicyRegistry,
    opt_outs: OptOutLists,
    superseded: SupersededLists,
) -> TableUseCases:
    """Return the use cases that share one path for data."""
    resolver = ProjectResolver(
        projects=base.projects,
        policies=policies,
        keys=ProjectKeys(key_ring=base.key_ring, service_root=base.service_root),
        opt_outs=opt_outs,
        superseded=superseded,
        clock=base.clock,
    )
    services = _build_services(config, base)
    calls = UnaryCalls(
        commit=services.commit, monitor=services.monitor, recorder=services.recorder
    )
    return TableUseCases(
        tables=DeidentifyTable(
            access_control=base.access_control,
            resolver=resolver,
            redactor=base.redactor,
            rules=rules,
            service_root=base.service_root,
            services=services,
        ),
        values=PseudonymiseValues(
            access_control=base.access_control,
            resolver=resolver,
            calls=calls,
            rules=rules.identifiers,
        ),
        pseudonyms=CheckPseudonyms(
            access_control=base.access_control, projects=base.projects, rows=base.rows
        ),
        texts=RedactFreeText(
            access_control=base.access_control,
            resolver=resolver,
            calls=calls,
            redactor=base.redactor,
            rules=rules.identifiers,
        ),
    )


def _build_services(config: Config, base: SharedServices) -> StreamServices:
    return StreamServices(
        projects=base.projects,
        commit=BatchCommit(
            journal=base.journal,
            known=base.known,
            writer=base.writer,
            service_root=base.service_root,
            clock=base.clock,
        ),
        monitor=EnumerationMonitor(
            settings=EnumerationSettings(**config.anti_oracle.model_dump()),
            journal=base.journal,
            telemetry=base.telemetry,
            clock=base.clock,
        ),
        recorder=base.recorder,
        signer=base.signer,
        clock=base.clock,
    )
