"""Registers of invented people: built through the real writer, then opened and timed.

People are hospital numbers of ten digits (``mrn@RXH``): of NHS numbers that belong to
nobody there are only 909,091. Both take one block to hash, so they cost the same.
"""

import itertools
import os
import resource
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.adapters.clock import SystemClock
from pseudo_service.adapters.entropy import SystemEntropy
from pseudo_service.adapters.key_vaults.local import LocalKeyVault
from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.migrate import migrate
from pseudo_service.adapters.sql.stores.disclosures import SqlDisclosures
from pseudo_service.adapters.sql.stores.journal import SqlJournal
from pseudo_service.adapters.sql.stores.projects import SqlProjects
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.adapters.sql.stores.register_keeper import SqlRegisterKeeper
from pseudo_service.core.access.roles import Actor, Role, RoleGrant
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.ids import KeyVersion, OperationId
from pseudo_service.core.keys.material import (
    KEY_BYTES,
    SERVICE_OWNER,
    KeyUse,
    Root,
    RootPurpose,
    SecretKey,
)
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.matching import MacIndex
from pseudo_service.core.pseudonyms.warm_up import warm_up
from pseudo_service.core.register.reports import CompactionReport
from pseudo_service.engine.access.access_control import AccessControl
from pseudo_service.engine.audit.recorder import AuditRecorder
from pseudo_service.engine.keys.key_ring import LINKAGE_KEY
from pseudo_service.engine.register.data_key_holder import DataKeyHolder
from pseudo_service.engine.register.maintenance import (
    MaintainedStores,
    RegisterMaintenance,
)
from pseudo_service.engine.register.maintenance_runs import MaintenanceRuns
from pseudo_service.engine.register.opening import RegisterGrant, RegisterOpening
from pseudo_service.engine.register.rewrite_sealing import RewriteSealing
from pseudo_service.engine.register.writer import RegisterWriter
from pseudo_service.ports.journal import BatchChange, Journal

KIND = IdentifierKind.parse("mrn@RXH")
WANTED = 1000
BATCH = 65_536
MEGABYTE = 1 << 20
CLOCK = SystemClock()
SERVICE_ROOT = Root(
    owner=SERVICE_OWNER,
    version=KeyVersion(1),
    purpose=RootPurpose.SERVICE,
    key=SecretKey(b"load-test-service-root".ljust(KEY_BYTES)),
)
PROJECT_ROOT = Root(
    owner="load-test",
    version=KeyVersion(1),
    purpose=RootPurpose.PSEUDONYMS,
    key=SecretKey(b"load-test-project-root".ljust(KEY_BYTES)),
)
PROJECT_HASH = KeyedHash(PROJECT_ROOT.derive(KeyUse.PSEUDONYM, KIND.text), KIND)
BLIND_HASH = KeyedHash(SERVICE_ROOT.derive(KeyUse.BLIND_INDEX, KIND.text), KIND)


def build_from_tables(folder: Path, people: int) -> int:
    """Register people as large tables do; return the number of segments."""
    database, vault = _open(folder)
    journal, writer = SqlJournal(database), _make_writer(vault)
    segments = 0
    for start in range(0, people, BATCH):
        canonical = name_people(start, min(people, start + BATCH))
        blind = BLIND_HASH.mac(canonical)
        row, segment = writer.seal(canonical, blind=blind, kind=KIND.text)
        _commit(
            journal, BatchChange(event=_note(), data_keys=[row], segments=[segment])
        )
        segments += 1
    _finish(folder, people, database)
    return segments


def build_from_single_calls(folder: Path, people: int, *, data_keys: int) -> int:
    """Register people one a segment, evenly over so many data keys."""
    database, vault = _open(folder)
    journal = SqlJournal(database)
    edges = np.linspace(0, people, data_keys + 1).astype(int)
    for start, end in itertools.pairwise(edges.tolist()):
        writer, canonical = _make_writer(vault), name_people(start, end)
        blind = BLIND_HASH.mac(canonical)
        sealed = [
            writer.seal(
                canonical[at : at + 1], blind=blind[at : at + 1], kind=KIND.text
            )
            for at in range(end - start)
        ]
        segments = [segment for _, segment in sealed]
        change = BatchChange(event=_note(), data_keys=[sealed[0][0]], segments=segments)
        _commit(journal, change)
    _finish(folder, people, database)
    return people


def name_people(start: int, end: int) -> pa.StringArray:
    """Return invented hospital numbers of ten digits."""
    return pa.array(np.arange(5_000_000_000 + start, 5_000_000_000 + end)).cast(
        pa.string()
    )


def measure(what: str, folder: Path) -> dict[str, Any]:
    """Open or compact the register in this process, held to one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    warm_up()
    database, vault = _open(folder)
    try:
        if what == "compact":
            return _measure_compaction(database, vault)
        return _measure_opening(database, vault, int((folder / "people").read_text()))
    finally:
        database.close()


def _measure_opening(
    database: SqlDatabase, vault: LocalKeyVault, people: int
) -> dict[str, Any]:
    chosen = np.random.default_rng(7).choice(people, size=WANTED, replace=False)
    expected = [name_people(at, at + 1)[0].as_py() for at in chosen.tolist()]
    macs = PROJECT_HASH.mac(pa.array(expected))
    at_rest = _read_peak()
    started, used = time.perf_counter(), time.process_time()
    found = _resolve(database, vault, macs)
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    if [found.get(place) for place in range(WANTED)] != expected:
        msg = "the register did not resolve every pseudonym"
        raise SystemExit(msg)
    return {
        "people": people,
        "seconds_for_1000": round(seconds, 3),
        "processor_seconds": round(processor, 3),
        "people_per_second": round(people / seconds),
        "peak_mb": round(_read_peak()),
        "at_rest_mb": round(at_rest),
    }


def _resolve(
    database: SqlDatabase, vault: LocalKeyVault, macs: npt.NDArray[np.uint8]
) -> dict[int, str]:
    """Return the identifier of each MAC, by its place, as a release does."""
    opening = RegisterOpening(
        register=SqlRegister(database), vault=vault, service_root=SERVICE_ROOT
    )
    wanted, found = MacIndex.build(macs), dict[int, str]()
    scan = opening.scan(RegisterGrant(operation=OperationId("load-test")), kind=KIND)
    for page in scan:
        rows, which = wanted.find(PROJECT_HASH.mac(page.canonical))
        names = page.canonical.take(pa.array(rows)).to_pylist()
        found |= dict(zip(which.tolist(), names, strict=True))
    if scan.faults:
        msg = "the register has faults"
        raise SystemExit(msg)
    return found


def _measure_compaction(database: SqlDatabase, vault: LocalKeyVault) -> dict[str, Any]:
    maintenance = _make_maintenance(database, vault)
    custodian = Actor(
        subject="load-test",
        grants=frozenset({RoleGrant(role=Role.CUSTODIAN)}),
        expires_at=None,
    )
    started, used = time.perf_counter(), time.process_time()
    *_, report = maintenance.compact(reason="load test", actor=custodian)
    assert isinstance(report, CompactionReport)
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "processor_seconds": round(time.process_time() - used, 2),
        "peak_mb": round(_read_peak()),
        "segments_after": report.segments_after,
        "data_keys_after": report.data_keys_after,
    }


def _make_maintenance(
    database: SqlDatabase, vault: LocalKeyVault
) -> RegisterMaintenance:
    journal, register = SqlJournal(database), SqlRegister(database)
    entropy = SystemEntropy()
    return RegisterMaintenance(
        opening=RegisterOpening(
            register=register, vault=vault, service_root=SERVICE_ROOT
        ),
        stores=MaintainedStores(
            register=register,
            keeper=SqlRegisterKeeper(database),
            disclosures=SqlDisclosures(database),
            projects=SqlProjects(database),
        ),
        sealing=RewriteSealing(
            vault=vault,
            clock=CLOCK,
            entropy=entropy,
            service_root=SERVICE_ROOT,
            data_key_lifetime=timedelta(0),
        ),
        runs=MaintenanceRuns(
            access_control=AccessControl(journal=journal, clock=CLOCK),
            recorder=AuditRecorder(journal, CLOCK),
            entropy=entropy,
        ),
        service_root=SERVICE_ROOT,
        rules=IdentifierRules(
            accept_test_range=False, chi_in_nhs_column=ChiInNhsColumn.REJECT
        ),
    )


def _open(folder: Path) -> tuple[SqlDatabase, LocalKeyVault]:
    url = f"sqlite:///{folder / 'pseudo.db'}"
    migrate(url)
    vault = LocalKeyVault(folder / "vault", entropy=SystemEntropy())
    vault.create_key(LINKAGE_KEY)
    return SqlDatabase(url, chain="load-test", patience=600.0), vault


def _make_writer(vault: LocalKeyVault) -> RegisterWriter:
    data_keys = DataKeyHolder(
        vault=vault,
        clock=CLOCK,
        entropy=SystemEntropy(),
        lifetime=timedelta(hours=12),
    )
    return RegisterWriter(
        data_keys=data_keys,
        service_root=SERVICE_ROOT,
        clock=CLOCK,
        entropy=SystemEntropy(),
    )


def _note() -> AuditEvent:
    return AuditEvent(
        kind=AuditKind.BATCH_INTENT, at=CLOCK.now(), actor="load-test", details={}
    )


def _commit(journal: Journal, change: BatchChange) -> None:
    journal.submit(change).wait()


def _finish(folder: Path, people: int, database: SqlDatabase) -> None:
    (folder / "people").write_text(str(people))
    database.close()


def _read_peak() -> float:
    """Return this process's largest resident memory in MB, libraries included."""
    for name, value in _read_status():
        if name == "VmHWM":  # of this program alone; what follows counts its parent's
            return int(value.split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE


def _read_status() -> Iterator[tuple[str, str]]:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    for line in lines:
        name, _, value = line.partition(":")
        yield name, value
