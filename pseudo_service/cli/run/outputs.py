"""What a finished run leaves beside its parts: quality, rejected cells, manifest.

None of them holds a value, or the name or path of an input, which may name a
patient: inputs are known by their number in name order.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pseudo_service.adapters.files.atomic import publish
from pseudo_service.cli.console.atomic_files import publish_json
from pseudo_service.cli.run.part import REJECTED_SCHEMA
from pseudo_service.cli.run.state import (
    MANIFEST,
    QUALITY,
    REJECTED,
    FinishedPart,
    RunSettings,
    RunState,
)
from pseudo_service.core.redaction import TextCode

MANIFEST_FORMAT = "pseudo/manifest/v1"
_QUALITY_FORMAT = "pseudo/quality/v1"
_WITHHELD = [
    code.value for code in TextCode if code not in (TextCode.OK, TextCode.MISSING)
]


def write_outputs(
    state: RunState,
    settings: RunSettings,
    operation: str,
    parts: Sequence[FinishedPart],
) -> dict[str, Any]:
    """Write the three files, the manifest last, and return what is to be reported.

    That is the run's totals, and how many texts were withheld for which cause.
    """
    totals = _sum_parts(parts)
    _write_rejected(state, parts)
    quality = _build_quality(settings, parts, totals)
    publish_json(quality, state.output / QUALITY, state.folder)
    manifest = _build_manifest(settings, operation, parts, totals)
    publish_json(manifest, state.output / MANIFEST, state.folder)
    return {**totals, "texts_withheld": _count_withheld(parts)}


def _count_withheld(parts: Iterable[FinishedPart]) -> dict[str, int]:
    """Return how many texts were withheld, by the code that says why."""
    counts = _sum_counts(each for part in parts for each in part.columns.values())
    return {code: counts[code] for code in _WITHHELD if counts.get(code)}


def _sum_parts(parts: Iterable[FinishedPart]) -> dict[str, Any]:
    """Return the totals over parts: parts, rows in and out, removed, rejected."""
    listed = list(parts)
    return {
        "parts": len(listed),
        "rows_in": sum(part.rows_in for part in listed),
        "rows_out": sum(part.rows_out for part in listed),
        "removed": _sum_counts(part.removed for part in listed),
        "rejected": sum(part.rejected for part in listed),
    }


def _build_manifest(
    settings: RunSettings,
    operation: str,
    parts: Sequence[FinishedPart],
    totals: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the manifest: every part with its signed receipt."""
    return {
        "format": MANIFEST_FORMAT,
        "project": settings.project,
        "policy": parts[0].pins["policy"],
        "purpose": settings.purpose,
        "operation": operation,
        "part_rows": settings.part_rows,
        "inputs": settings.inputs,
        "pins": parts[0].pins,
        "totals": dict(totals),
        "parts": [_encode_part(part) for part in parts],
    }


def _build_quality(
    settings: RunSettings, parts: Sequence[FinishedPart], totals: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the counts of every column by class, with percentages."""
    names = {name: None for part in parts for name in part.columns}
    columns = {
        name: _encode_counts(_sum_counts(part.columns.get(name, {}) for part in parts))
        for name in names
    }
    return {
        "format": _QUALITY_FORMAT,
        "project": settings.project,
        "policy": parts[0].pins["policy"],
        "columns": columns,
        **{key: totals[key] for key in ("rows_in", "rows_out", "removed", "rejected")},
    }


def _encode_part(part: FinishedPart) -> dict[str, Any]:
    statement = json.loads(part.receipt["statement"])
    return {
        "name": f"{part.name.stem}.parquet",
        "input": part.name.input,
        "part": part.name.part,
        "rows_in": part.rows_in,
        "rows_out": part.rows_out,
        "removed": part.removed,
        "rejected": part.rejected,
        "output_digest": statement["output_digest"],
        "receipt": part.receipt,
    }


def _encode_counts(counts: Mapping[str, int]) -> dict[str, dict[str, float]]:
    total = sum(counts.values())
    return {
        code: {"count": number, "percent": round(100 * number / total, 4)}
        for code, number in counts.items()
        if number
    }


def _sum_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    merged: Counter[str] = Counter()
    for each in counts:
        merged.update(each)
    return dict(merged)


def _write_rejected(state: RunState, parts: Sequence[FinishedPart]) -> None:
    """Join the parts' marked cells, one part in memory at a time."""
    temporary = state.folder / f"{REJECTED}.tmp"
    with pq.ParquetWriter(temporary, REJECTED_SCHEMA, compression="zstd") as writer:
        for part in parts:
            if part.rejected:
                writer.write_table(_read_rejected(state, part))
    publish(temporary, state.output / REJECTED)


def _read_rejected(state: RunState, part: FinishedPart) -> pa.Table:
    return pq.read_table(state.rejected_file(part.name), schema=REJECTED_SCHEMA)
