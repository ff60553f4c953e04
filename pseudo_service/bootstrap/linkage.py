"""Builds the linkage duty: the desk, releases, and maintenance of the register."""

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
from pseudo_service.core.linkage.sealed_events import LinkageEventSealer
from pseudo_service.engine.audit.subject_codes import SubjectCodes
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
from pseudo_service.engine.linkage.approval_verifier import ApprovalVerifier
from pseudo_service.engine.linkage.desk import LinkageDesk
from pseudo_service.engine.linkage.event_index import LinkageEventIndex
from pseudo_service.engine.linkage.intake import LinkageIntake
from pseudo_service.engine.linkage.reading import LinkageReader
from pseudo_service.engine.linkage.release import LinkageRelease
from pseudo_service.engine.linkage.release_answers import ReleaseAnswers
from pseudo_service.engine.linkage.release_preparation import ReleasePreparer
from pseudo_service.engine.linkage.release_recorder import ReleaseRecorder
from pseudo_service.engine.linkage.translation_record import TranslationRecord
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
    reader: LinkageReader
    release: LinkageRelease
    trace: SubjectTrace
    maintenance: RegisterMaintenance
    recall: OptOutRecall
    key_map: KeyVersionMap
    requests: RequestStore


@dataclass(frozen=True, slots=True, kw_only=True)
class _Register:
    """What the use cases of the register share."""

    store: SqlRegister
    opening: RegisterOpening
    disclosures: SqlDisclosures
    reader: DisclosureReader
    unaccounted: UnaccountedOperations


@dataclass(frozen=True, slots=True, kw_only=True)
class _Requests:
    """What the use cases of linkage requests share."""

    store: SqlRequests
    log: SqlAuditLog
    sealer: LinkageEventSealer
    codes: SubjectCodes
    index: LinkageEventIndex
    visibility: RequestVisibility


def build_linkage_use_cases(
    config: Config, base: SharedServices, database: SqlDatabase, common: UseCases
) -> LinkageUseCases:
    """Return the use cases of the linkage duty."""
    register = _open_register(base, database)
    requests = _open_requests(config, base, database, common)
    queries = _build_queries(base, register)
    return LinkageUseCases(
        desk=_build_desk(base, common, requests),
        reader=_build_reader(base, requests),
        release=_build_release(config, base, common, requests, register),
        trace=SubjectTrace(
            log=requests.log,
            sealer=requests.sealer,
            codes=requests.codes,
            access_control=base.access_control,
            recorder=base.recorder,
        ),
        maintenance=_build_maintenance(config, base, database, register),
        recall=OptOutRecall(queries=queries, opt_outs=common.opt_outs),
        key_map=KeyVersionMap(
            queries=queries,
            key_ring=base.key_ring,
            signer=base.signer,
            clock=base.clock,
        ),
        requests=requests.store,
    )


def _open_register(base: SharedServices, database: SqlDatabase) -> _Register:
    store = SqlRegister(database)
    disclosures = SqlDisclosures(database)
    return _Register(
        store=store,
        opening=RegisterOpening(
            register=store,
            vault=base.vault,
            service_root=base.service_root,
            parallel_map=_map_in_threads,
        ),
        disclosures=disclosures,
        reader=DisclosureReader(
            disclosures=disclosures, service_root=base.service_root
        ),
        unaccounted=UnaccountedOperations(log=SqlAuditLog(database)),
    )


def _open_requests(
    config: Config, base: SharedServices, database: SqlDatabase, common: UseCases
) -> _Requests:
    store, log = SqlRequests(database), SqlAuditLog(database)
    sealer = LinkageEventSealer(base.service_root.derive(KeyUse.LINKAGE_RECORD))
    index = LinkageEventIndex(log=log, sealer=sealer)
    return _Requests(
        store=store,
        log=log,
        sealer=sealer,
        codes=SubjectCodes(
            service_root=base.service_root,
            rules=choose_rules(config).identifiers,
            read_superseded=common.superseded.current,
        ),
        index=index,
        visibility=RequestVisibility(
            requests=store,
            index=index,
            access_control=base.access_control,
            clock=base.clock,
        ),
    )


def _build_maintenance(
    config: Config, base: SharedServices, database: SqlDatabase, register: _Register
) -> RegisterMaintenance:
    return RegisterMaintenance(
        opening=register.opening,
        stores=MaintainedStores(
            register=register.store,
            keeper=SqlRegisterKeeper(database),
            disclosures=register.disclosures,
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
            recorder=base.recorder,
            entropy=base.entropy,
        ),
        service_root=base.service_root,
        rules=choose_rules(config).identifiers,
    )


def _build_desk(
    base: SharedServices, common: UseCases, requests: _Requests
) -> LinkageDesk:
    return LinkageDesk(
        requests=requests.store,
        intake=LinkageIntake(
            projects=base.projects,
            codes=requests.codes,
            clock=base.clock,
            entropy=base.entropy,
        ),
        visibility=requests.visibility,
        index=requests.index,
        sealer=requests.sealer,
        trail=common.audit,
        access_control=base.access_control,
        clock=base.clock,
    )


def _build_reader(base: SharedServices, requests: _Requests) -> LinkageReader:
    return LinkageReader(
        requests=requests.store,
        visibility=requests.visibility,
        access_control=base.access_control,
        service_root=base.service_root,
        clock=base.clock,
        entropy=base.entropy,
    )


def _build_release(
    config: Config,
    base: SharedServices,
    common: UseCases,
    requests: _Requests,
    register: _Register,
) -> LinkageRelease:
    return LinkageRelease(
        visibility=requests.visibility,
        trail=common.audit,
        verifier=ApprovalVerifier(
            log=requests.log,
            archive=DirectoryArchive(config.archive_directory),
            vault=base.vault,
            sealer=requests.sealer,
        ),
        preparer=ReleasePreparer(
            projects=base.projects,
            key_ring=base.key_ring,
            opt_outs=common.opt_outs,
            opening=register.opening,
            read_superseded=common.superseded.current,
        ),
        answers=_build_answers(requests, register),
        translations=TranslationRecord(
            writer=base.writer,
            service_root=base.service_root,
            journal=base.journal,
            clock=base.clock,
        ),
        recorder=ReleaseRecorder(
            requests=requests.store,
            index=requests.index,
            sealer=requests.sealer,
            journal=base.journal,
            clock=base.clock,
        ),
        clock=base.clock,
    )


def _build_answers(requests: _Requests, register: _Register) -> ReleaseAnswers:
    return ReleaseAnswers(
        opening=register.opening,
        location=SubjectLocation(
            opening=register.opening,
            disclosures=register.reader,
            unaccounted=register.unaccounted,
        ),
        codes=requests.codes,
    )


def _build_queries(base: SharedServices, register: _Register) -> RegisterQueries:
    return RegisterQueries(
        access_control=base.access_control,
        projects=base.projects,
        readers=RegisterReaders(
            opening=register.opening,
            disclosures=register.reader,
            unaccounted=register.unaccounted,
            key_ring=base.key_ring,
        ),
        recorder=base.recorder,
        entropy=base.entropy,
    )


def _map_in_threads(
    make: Callable[[_Given], _Made], given: Iterable[_Given]
) -> Iterator[_Made]:
    """Return what ``map`` does, several at a time."""
    with ThreadPoolExecutor(UNWRAPPED_AT_A_TIME, thread_name_prefix="unwrap") as pool:
        return iter(list(pool.map(make, given)))
