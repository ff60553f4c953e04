"""De-identifies one record batch under a plan: the one path that all data take.

``identify_batch`` decides who is answered, ``treat_batch`` gives every column its
treatment. Tables do both at once; the unary calls register people in between.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from pseudo_service.core.errors import AnswerUnsound, name_field
from pseudo_service.core.policies.plan import ColumnPlan, Plan
from pseudo_service.core.policies.treatments import ExcludeRows, Keep, RedactText
from pseudo_service.core.tables.batch_values import (
    BatchContext,
    BatchOutcome,
    IdentifiedBatch,
)
from pseudo_service.core.tables.column_treatment import Treated, treat_column
from pseudo_service.core.tables.identified_batch import identify_batch
from pseudo_service.core.tables.patient_offsets import PatientOffsets, compute_offsets
from pseudo_service.core.tables.quality import CellCodes, RejectedCells
from pseudo_service.core.tables.text_columns import redact_texts


def deidentify_batch(
    plan: Plan, batch: pa.RecordBatch, context: BatchContext
) -> BatchOutcome:
    """De-identify one batch.

    Raises:
        SchemaChanged: The batch does not have the schema of the plan.
        AnswerUnsound: The answer would not be what the plan promises; nothing of
            it may leave.
    """
    return treat_batch(identify_batch(plan, batch, context))


def treat_batch(found: IdentifiedBatch) -> BatchOutcome:
    """Compute the answer to a batch of which it is decided who is answered.

    Raises:
        AnswerUnsound: The answer would not be what the plan promises; nothing of
            it may leave.
    """
    plan = found.plan
    pseudonyms = _pseudonymise(found)
    offsets = _compute_offsets(found)
    texts, labels = redact_texts(found, pseudonyms=pseudonyms, offsets=offsets)
    treated = dict(texts)
    for column in plan.columns:
        if _is_treated_alone(column) and column.position not in pseudonyms:
            treated[column.position] = _treat(column, found, offsets)
    arrays = {at: one.values for at, one in treated.items()}
    for at, answered in pseudonyms.items():
        arrays[at] = found.kept[at].spread(answered)
    cells, rejected = _describe_cells(found, treated)
    return BatchOutcome(
        batch=_assemble(found, arrays, _pseudonymise_previous(found)),
        rows_in=found.batch.num_rows,
        removals=found.removals,
        cells=cells,
        found=labels,
        rejected=[*found.rejected, *rejected],
        identities=found.identities,
        dated=found.dated,
    )


def _is_treated_alone(column: ColumnPlan) -> bool:
    is_text = isinstance(column.rule.treatment, RedactText)
    return column.output is not None and not is_text


def _treat(
    column: ColumnPlan, found: IdentifiedBatch, offsets: PatientOffsets | None
) -> Treated:
    return treat_column(
        column.rule.treatment,
        found.read(column.position),
        offsets=offsets,
        sentinels=found.context.sentinels | found.plan.sentinels,
    )


def _pseudonymise(found: IdentifiedBatch) -> dict[int, pa.StringArray]:
    """Return the pseudonyms of each answered column's distinct identifiers."""
    pseudonyms = {}
    for column in found.plan.identifiers:
        if column.is_answered:
            keys = found.context.keys[column.kind.text]
            macs = keys.pseudonym.mac(found.kept[column.position].canonical)
            pseudonyms[column.position] = keys.form.encode(macs)
    return pseudonyms


def _pseudonymise_previous(found: IdentifiedBatch) -> dict[int, pa.StringArray]:
    """Return the columns of old pseudonyms; nulls where none may be answered now."""
    answered = {}
    for column in found.plan.columns:
        if column.previous is None:
            continue
        identifiers = found.kept[column.position]
        keys = found.context.keys[identifiers.kind.text].previous
        texts = (
            keys.form.encode(keys.pseudonym.mac(identifiers.canonical))
            if keys is not None
            else pa.nulls(len(identifiers.canonical), pa.string())
        )
        answered[column.position] = identifiers.spread(texts)
    return answered


def _compute_offsets(found: IdentifiedBatch) -> PatientOffsets | None:
    if not found.plan.policy.shifts_dates:
        return None
    return compute_offsets(
        [found.kept[position] for position in found.plan.patients],
        rows=found.rows_out,
        keys=found.context.keys,
        rule=found.context.date_shift,
    )


def _describe_cells(
    found: IdentifiedBatch, treated: Mapping[int, Treated]
) -> tuple[dict[str, CellCodes], list[RejectedCells]]:
    """Return what became of each column's cells, and those of treated ones at fault."""
    cells = dict(found.judged)
    rejected: list[RejectedCells] = []
    for column in found.plan.columns:
        one = treated.get(column.position)
        if one is None:
            continue
        cells[column.name] = CellCodes(
            codes=one.codes, names=one.names, rows=found.rows
        )
        rejected += cells[column.name].find_rejected(
            column.name, unremarkable=one.unremarkable
        )
    in_order = {c.name: cells[c.name] for c in found.plan.columns if c.name in cells}
    return in_order, rejected


def _assemble(
    found: IdentifiedBatch,
    arrays: Mapping[int, pa.Array],
    previous: Mapping[int, pa.Array],
) -> pa.RecordBatch:
    """Put the answer together, and refuse it unless it is what the plan promises.

    Raises:
        AnswerUnsound: A type or a length is wrong, or a column that is not kept
            shares its memory with what was sent.
    """
    sent = {_find_address(column) for column in found.batch.columns} - {None}
    answer = []
    for column, field, computed in _pair_outputs(found.plan, arrays, previous):
        values = _blank_nulls(computed)
        is_kept = isinstance(column.rule.treatment, Keep | ExcludeRows)
        if (
            values.type != field.type
            or len(values) != found.rows_out
            or (not is_kept and _find_address(values) in sent)
        ):
            shown = name_field(column.name, column.position)
            msg = f"the answer for column {shown} is not what the plan says; report it"
            raise AnswerUnsound(msg)
        answer.append(values)
    return pa.RecordBatch.from_arrays(answer, schema=found.plan.output_schema)


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
