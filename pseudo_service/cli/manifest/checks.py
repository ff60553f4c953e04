"""Whether an output folder is what the service signed: part by part, and as a whole."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pseudo_service.cli.manifest.files import ListedPart, Manifest, read_part_name
from pseudo_service.cli.run.state import REJECTED, PartName
from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.errors import PseudoError
from pseudo_service.core.keys.statements import VerifyVaultSignature, verify_statement
from pseudo_service.core.tables.receipt import RECEIPT_FORMAT

_BATCH_ROWS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fault, and the part that has it; no part where it is the whole's."""

    part: str | None
    fault: str


def check_folder(
    folder: Path,
    manifest: Manifest,
    verify_vault_signature: VerifyVaultSignature,
) -> list[Finding]:
    """Return every fault; an empty list means that all parts are as signed.

    Receipts are signed one by one. A person who cuts off the last parts of an input and
    restates the manifest's totals leaves no trace here. The audit trail shows it: it
    records every finished part of the operation.
    """
    findings = list(_check_listing(folder, manifest))
    for part in manifest.parts:
        faults = _check_part(folder, manifest, part, verify_vault_signature)
        findings += [Finding(part=part.name.stem, fault=fault) for fault in faults]
    return findings


def _check_listing(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    listed = Counter(part.name for part in manifest.parts)
    for name, times in listed.items():
        if times > 1:
            yield Finding(part=name.stem, fault=f"is listed {times} times")
    for name in _expect_names(manifest, listed):
        if name not in listed:
            yield Finding(part=name.stem, fault="is missing from the manifest")
    for path in sorted(folder.glob("*.parquet")):
        if path.name.startswith("part") and read_part_name(path.name) not in listed:
            yield Finding(part=path.stem, fault="is in the folder, not in the manifest")
        elif read_part_name(path.name) is None and path.name != REJECTED:
            # A program that reads the folder as one table would read it, too.
            fault = "a Parquet file that is no part of the run is in the folder"
            yield Finding(part=None, fault=fault)
    yield from _check_totals(manifest)


def _expect_names(manifest: Manifest, listed: Counter[PartName]) -> Iterator[PartName]:
    """Yield the names without gaps, up to the last part of each input."""
    for index in range(manifest.inputs):
        last = max((name.part for name in listed if name.input == index), default=0)
        for part in range(last + 1):
            yield PartName(input=index, part=part)


def _check_totals(manifest: Manifest) -> Iterator[Finding]:
    sums = {
        "parts": len(manifest.parts),
        "rows_in": sum(part.rows_in for part in manifest.parts),
        "rows_out": sum(part.rows_out for part in manifest.parts),
    }
    for field, value in sums.items():
        if manifest.totals.get(field) != value:
            fault = f"the manifest's total of {field} is not the sum over its parts"
            yield Finding(part=None, fault=fault)


def _check_part(
    folder: Path,
    manifest: Manifest,
    part: ListedPart,
    verify_vault_signature: VerifyVaultSignature,
) -> list[str]:
    try:
        statement = verify_statement(
            part.signed, verify_vault_signature, RECEIPT_FORMAT
        )
    except PseudoError as refusal:
        return [refusal.message]
    return [
        *_check_statement(manifest, part, statement),
        *_check_rows(folder / f"{part.name.stem}.parquet", statement),
    ]


def _check_statement(
    manifest: Manifest, part: ListedPart, statement: dict[str, Any]
) -> Iterator[str]:
    """Compare what was signed with what the manifest says of it."""
    stated = {
        "project": manifest.project,
        "policy": manifest.policy,
        "purpose": manifest.purpose,
        "operation": manifest.operation,
        "part": part.name.number,
        "pins": manifest.pins,
        "rows_in": part.rows_in,
        "rows_out": part.rows_out,
        "removed": part.removed,
        "output_digest": part.output_digest,
    }
    for field, value in stated.items():
        if statement.get(field) != value:
            yield f"its receipt was signed for another {field} than the manifest says"
    removed = sum(statement.get("removed", {}).values())
    if statement.get("rows_out") != statement.get("rows_in", 0) - removed:
        yield "rows out are not rows in less rows removed"


def _check_rows(path: Path, statement: dict[str, Any]) -> Iterator[str]:
    """Digest the Parquet file again and compare it with the receipt."""
    try:
        digest = _digest(path)
    except FileNotFoundError:
        yield "its file is missing"
        return
    except (OSError, pa.ArrowException, PseudoError):
        yield "its file is damaged: it cannot be read as Parquet"
        return
    if digest.rows != statement.get("rows_out"):
        yield f"its file has {digest.rows:,} rows, the receipt another number"
    if digest.digest().hex() != statement.get("output_digest"):
        changed = _list_changed_columns(digest.columns(), statement)
        yield f"its rows are not those that were signed{changed}"


def _list_changed_columns(
    columns: Sequence[dict[str, str]], statement: dict[str, Any]
) -> str:
    signed = statement.get("output_columns", [])
    if [c["name"] for c in columns] != [c.get("name") for c in signed]:
        return ": it has other columns"
    changed = [
        str(position + 1)
        for position, (now, then) in enumerate(zip(columns, signed, strict=True))
        if now != then
    ]
    return f": columns number {', '.join(changed)} differ" if changed else ""


def _digest(path: Path) -> LogicalDigest:
    with pq.ParquetFile(path) as file:
        digest = LogicalDigest(file.schema_arrow)
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            digest.update(batch)
    return digest
