"""The text columns of a batch, with what its other columns give to each row."""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from pseudo_service.core.policies.plan import IdentifierColumn
from pseudo_service.core.redaction import TEXT_CODES, TextCode
from pseudo_service.core.tables.batch_values import IdentifiedBatch
from pseudo_service.core.tables.column_treatment import Treated
from pseudo_service.core.tables.patient_offsets import PatientOffsets
from pseudo_service.core.tables.text_cells import Person, describe_person, redact_column

_UNREMARKABLE: Final = frozenset({TextCode.OK, TextCode.MISSING, TextCode.WITHHELD})


def redact_texts(
    batch: IdentifiedBatch,
    *,
    pseudonyms: Mapping[int, pa.StringArray],
    offsets: PatientOffsets | None,
) -> tuple[dict[int, Treated], dict[str, Mapping[str, int]]]:
    """Redact every text column of a batch.

    Args:
        batch: The batch, with its identifiers read.
        pseudonyms: Of the distinct identifiers of each answered column.
        offsets: The rows' date offsets, where the policy shifts any date.

    Returns:
        The treated columns by position, and by name what was found in each.
    """
    plan = batch.plan
    if not plan.texts:
        return {}, {}
    people = _describe_people(batch, pseudonyms)
    days = offsets.list_days() if offsets is not None else None
    treated: dict[int, Treated] = {}
    found: dict[str, Mapping[str, int]] = {}
    for column in plan.texts:
        uses_table = column.treatment.known_from is not None
        cells = redact_column(
            batch.read(column.position),
            known=[(kind, batch.read(position)) for kind, position in column.known],
            people=people if uses_table else [_forget_table(one) for one in people],
            shift_days=days,
            style=column.treatment.style,
            redact=batch.context.redact,
        )
        treated[column.position] = Treated(
            values=cells.values,
            codes=cells.codes,
            names=TEXT_CODES,
            unremarkable=_UNREMARKABLE,
        )
        if cells.found:
            found[plan.columns[column.position].name] = dict(cells.found)
    return treated, found


def _describe_people(
    batch: IdentifiedBatch, pseudonyms: Mapping[int, pa.StringArray]
) -> list[Person]:
    by_position = {column.position: column for column in batch.plan.identifiers}
    patients = batch.plan.patients
    others = [at for at in by_position if at not in patients]
    return [
        _describe(by_position[at], batch, pseudonyms.get(at))
        for at in (*patients, *others)
    ]


def _describe(
    column: IdentifierColumn, batch: IdentifiedBatch, pseudonyms: pa.StringArray | None
) -> Person:
    plan, context = batch.plan, batch.context
    keys = context.keys[column.kind.text]
    is_patient = column.position in plan.patients
    table = context.patient_table
    is_asked = is_patient and table is not None and table.kind_text == column.kind.text
    draws = is_patient and plan.policy.draws_surrogates
    identifiers = batch.kept[column.position]
    canonical = identifiers.canonical
    return describe_person(
        identifiers,
        pseudonyms=pseudonyms,
        surrogate_macs=keys.surrogate.mac(canonical) if draws else None,
        blind=keys.blind.mac(canonical) if is_asked else None,
        table=table,
        former=context.superseded.find_former(canonical, column.kind),
    )


def _forget_table(person: Person) -> Person:
    return Person(
        places=person.places,
        canonical=person.canonical,
        pseudonyms=person.pseudonyms,
        surrogate_macs=person.surrogate_macs,
        known=None,
        former=person.former,
    )
