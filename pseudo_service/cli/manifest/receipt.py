"""``pseudo manifest receipt``: what was done to each column, from its receipts."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pseudo_service.cli.console.exit_codes import ExitCode, Failure
from pseudo_service.cli.console.output import count, say, say_field, show_table
from pseudo_service.cli.manifest.files import Manifest
from pseudo_service.core.tables.text_cells import FOUND
from pseudo_service.core.tables.treatment_records import explain_record

_ANSWERED = frozenset({"ok", "valid"})
_MISSING = "missing"


def describe_columns(manifest: Manifest) -> dict[str, Any]:
    """Return the run and its columns as ``--json`` gives them.

    Counts are added up over the parts. Columns are of the input; ``answered_as`` says
    what one is called in the output, None where it is not in it.

    Raises:
        Failure: A receipt cannot be read, or two say different things of a column.
    """
    statements = [_read_statement(part.signed.statement) for part in manifest.parts]
    counts: dict[str, Counter[str]] = {}
    for statement in statements:
        for name, found in statement.get("columns", {}).items():
            counts.setdefault(name, Counter()).update(found)
    treatments = _merge_treatments(statements)
    found_in_texts = {name: counts.pop(name + FOUND, Counter()) for name in treatments}
    return {
        "project": manifest.project,
        "policy": manifest.pins.get("policy"),
        "key_version": manifest.pins.get("key_version"),
        "purpose": manifest.purpose,
        "rows_in": sum(part.rows_in for part in manifest.parts),
        "rows_out": sum(part.rows_out for part in manifest.parts),
        "removed": _add_removed(manifest),
        "columns": [
            {
                "column": name,
                **record,
                "explained": explain_record(record),
                "cells": _encode_counts(counts.get(name, Counter())),
                "found_in_texts": dict(found_in_texts[name]),
            }
            for name, record in treatments.items()
        ],
    }


def show_columns(described: Mapping[str, Any]) -> None:
    """Print it in words."""
    say_field("project", described["project"])
    say_field("policy", str(described["policy"]))
    say_field("key version", str(described["key_version"]))
    say_field("purpose", described["purpose"])
    say_field(
        "rows", f"{count(described['rows_out'])} of {count(described['rows_in'])}"
    )
    for reason, rows in described["removed"].items():
        say_field("removed", f"{count(rows)} rows: {reason.replace('_', ' ')}")
    say()
    show_table(
        ("column", "what was done", "missing", "not accepted or other"),
        [_make_row(column) for column in described["columns"]],
        numbers=frozenset({"missing"}),
    )
    say()
    say(
        "Percentages are of the cells looked at. `pseudo manifest verify` proves that "
        "these receipts are the service's and the rows are theirs."
    )


def _make_row(column: Mapping[str, Any]) -> tuple[str, str, str, str]:
    name, answered_as = column["column"], column.get("answered_as")
    renamed = f" (now {answered_as})" if answered_as not in (None, name) else ""
    cells = column["cells"]
    missing = f"{cells[_MISSING]['percent']:g}%" if _MISSING in cells else ""
    others = [
        f"{code.replace('_', ' ')} {share['percent']:g}%"
        for code, share in cells.items()
        if code != _MISSING and code not in _ANSWERED
    ]
    return name + renamed, column["explained"], missing, ", ".join(others)


def _read_statement(text: bytes) -> dict[str, Any]:
    try:
        statement = json.loads(text)
    except ValueError:
        statement = None
    if not isinstance(statement, dict):
        msg = "a receipt in the manifest cannot be read: run `pseudo manifest verify`"
        raise Failure(msg, ExitCode.FAULTS_FOUND)
    return statement


def _merge_treatments(statements: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    joined: dict[str, dict[str, Any]] = {}
    for statement in statements:
        for name, record in _read_treatments(statement):
            if joined.setdefault(name, record) != record:
                msg = (
                    "two receipts say different things of one column: run "
                    "`pseudo manifest verify`"
                )
                raise Failure(msg, ExitCode.FAULTS_FOUND)
    return joined


def _read_treatments(
    statement: Mapping[str, Any],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each column's record; of a receipt without any, the bare columns."""
    records = statement.get("treatments") or {
        name: {} for name in statement.get("columns", {}) if not name.endswith(FOUND)
    }
    for name, record in records.items():
        yield name, dict(record)


def _add_removed(manifest: Manifest) -> dict[str, int]:
    removed: Counter[str] = Counter()
    for part in manifest.parts:
        removed.update(part.removed)
    return dict(removed)


def _encode_counts(counts: Counter[str]) -> dict[str, dict[str, float]]:
    total = counts.total()
    return {
        code: {"count": cells, "percent": round(100 * cells / total, 2)}
        for code, cells in counts.most_common()
    }
