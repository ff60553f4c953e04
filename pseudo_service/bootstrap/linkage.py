"""Puts the linkage duty together: the desk, and the care of the register."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from pseudo_service.adapters.checkpoint_archive import DirectoryArchive
from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.audit_log import SqlAuditLog
from pseudo_service.adapters.sql.stores.disclosures import SqlDisclosures
from pseudo_service.adapters.sql.stores.linkage_requests import SqlRequests
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.adapters.sql.stores.register_keeper import SqlRegisterKeeper
from pseudo_service.bootstrap.shared_services import SharedServices
from pseudo_service.bootstrap.use_cases import UseCases, choose_rules
from pseudo_service.config import Config
from pseudo_service.core.keys.material import KeyUse
from pseudo_service.core.linkage.sealed_events import LinkageRecords
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.audit.subject_trace import SubjectTrace
from pseudo_service.engine.disclosures.opt_out_recall import OptOutRecall
from pseudo_service.engine.disclosures.reader import (
    DisclosureReader,
    UnaccountedOperations,
)
from pseudo_service.engine.disclosures.register_query import (
    RegisterQueries,
    RegisterReaders,
)
from pseudo_service.engine.disclosures.subject_location import SubjectLocation
from pseudo_service.engine.disclosures.version_map import KeyVersionMap
from pseudo_service.engine.linkage.desk import LinkageDesk
from pseudo_service.engine.linkage.intake import LinkageIntake
from pseudo_service.engine.linkage.release import ReleaseDesk
from pseudo_service.engine.linkage.release_answers import ReleaseAnswers
from pseudo_service.engine.linkage.translation_record import TranslationRecord
from pseudo_service.engine.linkage.verified_history import (
    ApprovalVerifier,
    LinkageEventIndex,
)
from pseudo_service.engine.linkage.visibility import RequestVisibility
from pseudo_service.engine.register.maintenance import (
    MaintainedStores,
    RegisterMaintenance,
)
from pseudo_service.engine.register.maintenance_runs import MaintenanceRuns
from pseudo_service.engine.register.opening import RegisterOpening
from pseudo_service.engine.register.rewrite_sealing import RewriteSealing
from pseudo_service.ports.linkage_requests import RequestStore

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")
UNWRAPPED_AT_A_TIME = 8
"""Data keys; a vault in Azure answers an unwrap in some tens of milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageUseCases:
    """What only the linkage identity can do."""

    desk: LinkageDesk
    trace: SubjectTrace
    care: RegisterMaintenance
    recall: OptOutRecall
    key_map: KeyVersionMap
    requests: RequestStore


def build_linkage_use_cases(
    config: Config, base: SharedServices, database: SqlDatabase, common: UseCases
) -> LinkageUseCases:
    """Return the use cases of the linkage duty."""
    opening = RegisterOpening(
        register=SqlRegister(database),
        vault=base.vault,
        service_root=base.service_root,
        parallel_map=_map_in_threads,
    )
    reader = DisclosureReader(
        memberships=SqlDisclosures(database), service_root=base.service_root
    )
    unaccounted = UnaccountedOperations(log=SqlAuditLog(database))
    queries = RegisterQueries(
        access_control=base.access_control,
        projects=base.projects,
        readers=RegisterReaders(
            opening=opening,
            disclosures=reader,
            unaccounted=unaccounted,
            key_ring=base.key_ring,
        ),
        audit=AuditRecorder(base.journal, base.clock),
        entropy=base.entropy,
    )
    rules = choose_rules(config).identifiers
    requests = SqlRequests(database)
    return LinkageUseCases(
        desk=_build_desk(
            config,
            base,
            database,
            common,
            requests=requests,
            opening=opening,
            location=SubjectLocation(
                opening=opening, memberships=reader, unaccounted=unaccounted
            ),
        ),
        trace=SubjectTrace(
            log=SqlAuditLog(database),
            journal=base.journal,
            clock=base.clock,
            access_control=base.access_control,
            service_root=base.service_root,
            rules=rules,
            read_aliases=common.aliases.current,
        ),
        care=_build_maintenance(config, base, database, opening),
        recall=OptOutRecall(queries=queries, opt_outs=common.opt_outs),
        key_map=KeyVersionMap(
            queries=queries,
            key_ring=base.key_ring,
            signer=base.signer,
            clock=base.clock,
        ),
        requests=requests,
    )


def _build_maintenance(
    config: Config,
    base: SharedServices,
    database: SqlDatabase,
    opening: RegisterOpening,
) -> RegisterMaintenance:
    return RegisterMaintenance(
        opening=opening,
        stores=MaintainedStores(
            register=SqlRegister(database),
            keeper=SqlRegisterKeeper(database),
            disclosures=SqlDisclosures(database),
            projects=base.projects,
        ),
        sealing=RewriteSealing(
            vault=base.vault,
            clock=base.clock,
            entropy=base.entropy,
            service_root=base.service_root,
            data_key_lifetime=timedelta(minutes=config.keys.data_key_minutes),
        ),
        runs=MaintenanceRuns(
            access_control=base.access_control,
            audit=AuditRecorder(base.journal, base.clock),
            entropy=base.entropy,
        ),
        service_root=base.service_root,
        rules=choose_rules(config).identifiers,
    )


def _build_desk(
    config: Config,
    base: SharedServices,
    database: SqlDatabase,
    common: UseCases,
    *,
    requests: RequestStore,
    opening: RegisterOpening,
    location: SubjectLocation,
) -> LinkageDesk:
    records = LinkageRecords(base.service_root.derive(KeyUse.LINKAGE_RECORD))
    log = SqlAuditLog(database)
    book = LinkageEventIndex(log=log, records=records)
    release = ReleaseDesk(
        requests=requests,
        history=ApprovalVerifier(
            log=log,
            archive=DirectoryArchive(config.archive_directory),
            vault=base.vault,
            records=records,
        ),
        book=book,
        records=records,
        answers=ReleaseAnswers(
            projects=base.projects,
            key_ring=base.key_ring,
            opt_outs=common.opt_outs,
            opening=opening,
            location=location,
            service_root=base.service_root,
            read_aliases=common.aliases.current,
        ),
        translations=TranslationRecord(
            writer=base.writer,
            service_root=base.service_root,
            journal=base.journal,
            clock=base.clock,
        ),
        trail=common.audit,
        journal=base.journal,
        clock=base.clock,
    )
    return LinkageDesk(
        requests=requests,
        intake=LinkageIntake(
            projects=base.projects,
            service_root=base.service_root,
            rules=choose_rules(config).identifiers,
            clock=base.clock,
            entropy=base.entropy,
            read_aliases=common.aliases.current,
        ),
        showing=RequestVisibility(
            requests=requests,
            book=book,
            access_control=base.access_control,
            clock=base.clock,
        ),
        release=release,
        records=records,
        trail=common.audit,
        service_root=base.service_root,
        access_control=base.access_control,
        clock=base.clock,
        entropy=base.entropy,
    )


def _map_in_threads(
    make: Callable[[_Given], _Made], given: Iterable[_Given]
) -> Iterator[_Made]:
    """Return what ``map`` does, several at a time."""
    with ThreadPoolExecutor(UNWRAPPED_AT_A_TIME, thread_name_prefix="unwrap") as pool:
        return iter(list(pool.map(make, given)))
