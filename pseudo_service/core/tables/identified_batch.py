"""Reads the identifiers of a batch, and decides which rows are answered and of whom.

Rows leave first, so that nothing is computed of, or learnt from, an opted-out patient.
Work is done on distinct values, in bulk; no loop in Python runs over rows.
"""

from collections.abc import Iterable, Mapping

import pyarrow as pa

from pseudo_service.core.errors import SchemaChanged
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import CLASSES, IdentifierKind
from pseudo_service.core.policies.plan import IdentifierColumn, Plan
from pseudo_service.core.policies.treatments import (
    ExcludeRows,
    OnInvalid,
    Pseudonymise,
)
from pseudo_service.core.tables.batch_values import (
    BatchContext,
    IdentifiedBatch,
    read_column,
)
from pseudo_service.core.tables.identifier_columns import (
    Identifiers,
    Rows,
    read_identifiers,
)
from pseudo_service.core.tables.quality import CellCodes, RejectedCells
from pseudo_service.core.tables.row_removal import (
    RemovalReason,
    Removals,
    remove_opted_out,
)
from pseudo_service.core.transforms.code_exclusion import find_excluded


def identify_batch(
    plan: Plan, batch: pa.RecordBatch, context: BatchContext
) -> IdentifiedBatch:
    """Decide who of a batch is answered; nothing of the answer is computed.

    Raises:
        SchemaChanged: The batch does not have the schema of the plan.
    """
    if not batch.schema.equals(plan.input_schema, check_metadata=False):
        msg = (
            "the batch does not have the schema of the header: send one table a stream"
        )
        raise SchemaChanged(msg)
    rules = plan.policy.adapt_rules(context.identifier_rules)
    given = {
        c.position: read_identifiers(batch.column(c.position), c.kind, rules)
        for c in plan.identifiers
    }
    removals = Removals.begin(batch.num_rows)
    # Opt-outs hold for the number as it was given, whatever became of it since.
    _remove_opted_out(plan, given, context, removals)
    _remove_excluded(plan, batch, removals)
    columns = {
        at: column.refuse_reissued(context.superseded) for at, column in given.items()
    }
    judged, rejected = _classify_identifiers(plan, columns, removals.find_judged())
    _remove_invalid(plan, columns, removals)
    rows = removals.find_kept()
    kept = {
        at: column.select(rows).follow_merges(context.superseded)
        for at, column in columns.items()
    }
    answered = (column for column in plan.identifiers if column.is_answered)
    return IdentifiedBatch(
        plan=plan,
        batch=batch,
        context=context,
        removals=removals,
        rows=rows,
        kept=kept,
        judged=judged,
        rejected=rejected,
        identities=_collect_identities(answered, kept, context),
        dated=_collect_identities(_find_dated(plan), kept, context),
    )


def _remove_opted_out(
    plan: Plan,
    columns: Mapping[int, Identifiers],
    context: BatchContext,
    removals: Removals,
) -> None:
    if context.opt_outs is None:
        return
    patients = [columns[position] for position in plan.patients]
    named = [
        columns[column.position]
        for column in plan.identifiers
        if column.is_answered and column.position not in plan.patients
    ]
    remove_opted_out(removals, patients, context.opt_outs, named=named)


def _remove_excluded(plan: Plan, batch: pa.RecordBatch, removals: Removals) -> None:
    for column in plan.columns:
        match column.rule.treatment:
            case ExcludeRows(codes=codes):
                excluded = find_excluded(read_column(batch, column.position), codes)
                removals.remove(excluded, RemovalReason.EXCLUDED_CODE)
            case _:
                continue


def _remove_invalid(
    plan: Plan, columns: Mapping[int, Identifiers], removals: Removals
) -> None:
    for column in plan.columns:
        match column.rule.treatment:
            case Pseudonymise(on_invalid=OnInvalid.REMOVE_ROW):
                is_invalid = columns[column.position].is_invalid
                removals.remove(is_invalid, RemovalReason.INVALID_IDENTIFIER)
            case _:
                continue


def _classify_identifiers(
    plan: Plan, columns: Mapping[int, Identifiers], rows: Rows | None
) -> tuple[dict[str, CellCodes], list[RejectedCells]]:
    """Return what identifiers are, and those that were to be pseudonyms and are not."""
    judged: dict[str, CellCodes] = {}
    rejected: list[RejectedCells] = []
    for column in plan.identifiers:
        found = columns[column.position]
        codes = found.classes if rows is None else found.classes[rows]
        cells = CellCodes(codes=codes, names=CLASSES, rows=rows)
        judged[column.name] = cells
        if column.is_answered:
            rejected += cells.find_rejected(
                column.name, unremarkable=found.list_unremarkable()
            )
    return judged, rejected


def _find_dated(plan: Plan) -> list[IdentifierColumn]:
    if not (plan.policy.shifts_dates or plan.policy.draws_surrogates):
        return []
    return [
        column
        for column in plan.identifiers
        if column.position in plan.patients and not column.is_answered
    ]


def _collect_identities(
    columns: Iterable[IdentifierColumn],
    kept: Mapping[int, Identifiers],
    context: BatchContext,
) -> tuple[Identities, ...]:
    """Return the identities of some columns, each once a kind."""
    by_kind: dict[IdentifierKind, list[pa.StringArray]] = {}
    for column in columns:
        canonical = kept[column.position].canonical
        if len(canonical):
            by_kind.setdefault(column.kind, []).append(canonical)
    identities = []
    for kind, parts in by_kind.items():
        canonical = parts[0] if len(parts) == 1 else pa.concat_arrays(parts).unique()
        blind = context.keys[kind.text].blind.mac(canonical)
        identities.append(Identities(kind=kind, canonical=canonical, blind=blind))
    return tuple(identities)
