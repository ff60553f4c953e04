"""De-identifies one record batch under a plan: the heart of the table stream.

Rows leave first, so that nothing is computed of, or learnt from, an opted-out
patient. Then every column has its treatment. Work is done on distinct values, in
bulk; no loop in Python runs over rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pseudo_service.core.errors import AnswerUnsound, SchemaChanged, name_field
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import (
    CLASSES,
    IdentifierClass,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.policies.plan import ColumnPlan, IdentifierColumn, Plan
from pseudo_service.core.policies.treatments import (
    ExcludeRows,
    Keep,
    OnInvalid,
    Pseudonymise,
    RedactText,
)
from pseudo_service.core.pseudonyms.kind_keys import KindKeys
from pseudo_service.core.tables.batch_values import BatchContext, BatchOutcome
from pseudo_service.core.tables.column_treatment import PatientOffsets, treat_column
from pseudo_service.core.tables.identifier_columns import (
    Identifiers,
    Rows,
    compute_offsets,
    read_identifiers,
)
from pseudo_service.core.tables.quality import RejectedCells, count_codes, find_rejected
from pseudo_service.core.tables.row_removal import (
    RemovalReason,
    Removals,
    remove_opted_out,
)
from pseudo_service.core.tables.text_cells import FOUND
from pseudo_service.core.tables.text_columns import redact_texts
from pseudo_service.core.transforms.code_exclusion import find_excluded
from pseudo_service.core.transforms.date_shift import choose_offsets

__all__ = [
    "BatchContext",
    "BatchOutcome",
    "Identities",
    "KindKeys",
    "deidentify_batch",
]


def deidentify_batch(
    plan: Plan, batch: pa.RecordBatch, context: BatchContext
) -> BatchOutcome:
    """De-identify one batch.

    Raises:
        SchemaChanged: The batch does not have the schema of the plan.
        AnswerUnsound: The answer would not be what the plan promises; nothing of
            it may leave.
    """
    if not batch.schema.equals(plan.input_schema, check_metadata=False):
        msg = (
            "the batch does not have the schema of the header: send one table a stream"
        )
        raise SchemaChanged(msg)
    rules = _choose_rules(plan, context)
    given = {
        c.position: read_identifiers(batch.column(c.position), c.kind, rules)
        for c in plan.identifiers
    }
    # Opt-outs hold for the number as it was given, whatever became of it since.
    removals = _decide_removals(plan, batch, given, context)
    columns = {
        at: column.refuse_reissued(context.aliases) for at, column in given.items()
    }
    counts, rejected = _judge_identifiers(plan, columns, removals.find_judged(), rules)
    _remove_invalid(plan, columns, removals)
    rows = removals.find_kept()
    kept = {
        at: column.select(rows).follow_merges(context.aliases)
        for at, column in columns.items()
    }
    pseudonyms = _pseudonymise(plan, kept, context)
    arrays = {at: kept[at].spread(texts) for at, texts in pseudonyms.items()}
    offsets = _compute_offsets(plan, kept, context)

    def read(position: int) -> pa.Array:
        return _read_values(batch, position, rows)

    texts, found = redact_texts(
        plan, read, kept=kept, pseudonyms=pseudonyms, offsets=offsets, context=context
    )
    for column in plan.columns:
        if column.output is None or column.position in arrays:
            continue
        is_text = isinstance(column.rule.treatment, RedactText)
        treated = (
            texts[column.position]
            if is_text
            else treat_column(
                column.rule.treatment,
                read(column.position),
                offsets=offsets,
                sentinels=context.sentinels | plan.sentinels,
            )
        )
        arrays[column.position] = treated.values
        counts[column.name] = count_codes(treated.codes, treated.names)
        rejected += find_rejected(
            column.name,
            treated.codes,
            treated.names,
            unremarkable=treated.unremarkable,
            rows=rows,
        )
    named = {c.name: counts[c.name] for c in plan.columns if c.name in counts}
    return BatchOutcome(
        batch=_assemble(plan, batch, arrays, rows, _recall(plan, kept, context)),
        rows_in=batch.num_rows,
        removed=removals.count(),
        counts=named | {name + FOUND: labels for name, labels in found.items()},
        rejected=rejected,
        identities=_collect_identities(
            (column for column in plan.identifiers if column.is_answered), kept, context
        ),
        dated=_collect_identities(_find_dated(plan), kept, context),
    )


def _choose_rules(plan: Plan, context: BatchContext) -> IdentifierRules:
    chi = plan.policy.chi_in_nhs_column
    rules = context.identifier_rules
    return rules if chi is None else replace(rules, chi_in_nhs_column=chi)


def _read_values(batch: pa.RecordBatch, position: int, rows: Rows | None) -> pa.Array:
    values = batch.column(position)
    if pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    return values if rows is None else values.take(pa.array(rows))


def _decide_removals(
    plan: Plan,
    batch: pa.RecordBatch,
    columns: Mapping[int, Identifiers],
    context: BatchContext,
) -> Removals:
    removals = Removals.begin(batch.num_rows)
    if context.opt_outs is not None:
        patients = [columns[position] for position in plan.patients]
        named = [
            columns[column.position]
            for column in plan.identifiers
            if column.is_answered and column.position not in plan.patients
        ]
        remove_opted_out(removals, patients, context.opt_outs, named=named)
    for column in plan.columns:
        match column.rule.treatment:
            case ExcludeRows(codes=codes):
                values = _read_values(batch, column.position, None)
                excluded = find_excluded(values, codes)
                removals.remove(excluded, RemovalReason.EXCLUDED_CODE)
            case _:
                continue
    return removals


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


def _judge_identifiers(
    plan: Plan,
    columns: Mapping[int, Identifiers],
    rows: Rows | None,
    rules: IdentifierRules,
) -> tuple[dict[str, dict[str, int]], list[RejectedCells]]:
    """Count identifiers by class, and mark those that were to be pseudonyms."""
    counts: dict[str, dict[str, int]] = {}
    rejected: list[RejectedCells] = []
    for column in plan.identifiers:
        classes = columns[column.position].classes
        classes = classes if rows is None else classes[rows]
        counts[column.name] = count_codes(classes, CLASSES)
        accepted = {found for found in CLASSES if rules.accepts(found, column.kind)}
        if column.is_answered:
            rejected += find_rejected(
                column.name,
                classes,
                CLASSES,
                unremarkable=accepted | {IdentifierClass.MISSING},
                rows=rows,
            )
    return counts, rejected


def _pseudonymise(
    plan: Plan, kept: Mapping[int, Identifiers], context: BatchContext
) -> dict[int, pa.StringArray]:
    """Return the pseudonyms of each answered column's distinct identifiers."""
    pseudonyms = {}
    for column in plan.identifiers:
        if column.is_answered:
            keys = context.keys[column.kind.text]
            macs = keys.pseudonym.mac(kept[column.position].canonical)
            pseudonyms[column.position] = keys.form.encode(macs)
    return pseudonyms


def _recall(
    plan: Plan, kept: Mapping[int, Identifiers], context: BatchContext
) -> dict[int, pa.StringArray]:
    """Return the columns of old pseudonyms; nulls where none may be answered now."""
    recalled = {}
    for column in plan.columns:
        if column.previous is None:
            continue
        identifiers = kept[column.position]
        keys = context.keys[identifiers.kind.text].previous
        texts = (
            keys.form.encode(keys.pseudonym.mac(identifiers.canonical))
            if keys is not None
            else pa.nulls(len(identifiers.canonical), pa.string())
        )
        recalled[column.position] = identifiers.spread(texts)
    return recalled


def _compute_offsets(
    plan: Plan, kept: Mapping[int, Identifiers], context: BatchContext
) -> PatientOffsets | None:
    if not plan.policy.shifts_dates:
        return None

    def compute(source: Identifiers) -> npt.NDArray[np.int32]:
        hashing = context.keys[source.kind.text].date
        return choose_offsets(hashing.mac(source.canonical), context.date_shift)

    sources = [kept[position] for position in plan.patients]
    days, has_patient = compute_offsets(sources, compute)
    return PatientOffsets(days=days, has_patient=has_patient)


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


def _assemble(
    plan: Plan,
    batch: pa.RecordBatch,
    arrays: Mapping[int, pa.Array],
    rows: Rows | None,
    previous: Mapping[int, pa.Array],
) -> pa.RecordBatch:
    """Put the answer together, and refuse it unless it is what the plan promises.

    Raises:
        AnswerUnsound: A type or a length is wrong, or a column that is not kept
            shares its memory with what was sent.
    """
    expected = batch.num_rows if rows is None else len(rows)
    sent = {_find_address(column) for column in batch.columns} - {None}
    answer = []
    for column, field, found in _pair_outputs(plan, arrays, previous):
        values = _blank_nulls(found)
        is_kept = isinstance(column.rule.treatment, Keep | ExcludeRows)
        if (
            values.type != field.type
            or len(values) != expected
            or (not is_kept and _find_address(values) in sent)
        ):
            shown = name_field(column.name, column.position)
            msg = f"the answer for column {shown} is not what the plan says; report it"
            raise AnswerUnsound(msg)
        answer.append(values)
    return pa.RecordBatch.from_arrays(answer, schema=plan.output_schema)


def _pair_outputs(
    plan: Plan, arrays: Mapping[int, pa.Array], previous: Mapping[int, pa.Array]
) -> Iterator[tuple[ColumnPlan, pa.Field, pa.Array]]:
    """Yield each field of the answer with its input column and its values."""
    for column in plan.columns:
        if column.output is not None:
            yield column, column.output, arrays[column.position]
        if column.previous is not None:
            yield column, column.previous, previous[column.position]


def _blank_nulls(values: pa.Array) -> pa.Array:
    """Return the values with nothing left in the memory beneath a null.

    A null is only a bit: what lies in its slot travels in an Arrow stream, and may
    be a value that was withheld, or a null date moved by the patient's offset.
    """
    if not values.null_count:
        return values
    return values.take(pa.array(np.arange(len(values))))


def _find_address(values: pa.Array) -> int | None:
    """Return where a column's values lie in memory; None where there are none."""
    data = values.buffers()[-1] if values.buffers() else None
    return data.address if data is not None and data.size else None
