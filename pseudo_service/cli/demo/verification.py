"""The demo's proofs: manifests, a tampered copy that is found, the audit trail."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pseudo_service.adapters.checkpoint_archive import DirectoryArchive
from pseudo_service.bootstrap.trust import read_audit_verifier
from pseudo_service.cli.audit.command import print_verdict, verify_export
from pseudo_service.cli.console.audit_keys import VerifyVaultSignature
from pseudo_service.cli.console.output import count_of, say
from pseudo_service.cli.demo.runs import Released
from pseudo_service.cli.demo.service import DemoService
from pseudo_service.cli.manifest.checks import Finding, check_folder
from pseudo_service.cli.manifest.files import read_manifest
from pseudo_service.core.access.roles import Role


def verify_everything(service: DemoService, released: Sequence[Released]) -> bool:
    """Verify all manifests and the audit trail; return whether all is sound."""
    check = read_audit_verifier(service.config)
    sound = verify_manifests(released, check)
    noticed = notice_tampering(released[0], check)
    return verify_audit(service, check) and sound and noticed


def verify_manifests(released: Sequence[Released], check: VerifyVaultSignature) -> bool:
    """Hold every released row against the signed receipts."""
    faults = [
        finding for run in released for finding in _check_manifest(run.folder, check)
    ]
    rows = sum(run.rows_out for run in released)
    if faults:
        say(f"Manifests: {count_of(len(faults), 'fault')}.", style="bold red")
    else:
        say(
            f"{count_of(len(released), 'manifest')}: all {count_of(rows, 'row')} are "
            "exactly those that the service signed for."
        )
    return not faults


def notice_tampering(run: Released, check: VerifyVaultSignature) -> bool:
    """Change one cell in a copy of a release; return whether it is noticed."""
    with tempfile.TemporaryDirectory(prefix="pseudo-demo-copy-") as scratch:
        copy = Path(scratch) / "copy"
        shutil.copytree(run.folder, copy)
        change_one_cell(next(iter(sorted(copy.glob("part-*.parquet")))))
        faults = _check_manifest(copy, check)
    if faults:
        say(f"A copy with one changed cell is found out: {faults[0].fault}.")
    else:
        say("A changed copy was NOT noticed: please report it.", style="bold red")
    return bool(faults)


def change_one_cell(file: Path) -> None:
    """Give the first row of a Parquet file another sex."""
    table = pq.read_table(file)
    place = table.schema.get_field_index("sex")
    values = table["sex"].to_pylist()
    values[0] = "F" if values[0] == "M" else "M"
    changed = table.set_column(place, table.schema.field(place), pa.array(values))
    pq.write_table(changed, file)


def verify_audit(service: DemoService, check: VerifyVaultSignature) -> bool:
    """Anchor the audit trail, then recompute it and say the verdict."""
    with service.connect(Role.AUDITOR) as client:
        client.checkpoint_audit()
        copies = list(DirectoryArchive(service.config.archive_directory).read())
        verdict = verify_export(client, copies, check)
    print_verdict(verdict)
    return not verdict.findings


def _check_manifest(folder: Path, check: VerifyVaultSignature) -> list[Finding]:
    return check_folder(folder, read_manifest(folder), check)
