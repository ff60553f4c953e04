"""The text columns of a batch, with what its other columns give to each row."""

from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa

from pseudo_service.core.policies.plan import IdentifierColumn, Plan
from pseudo_service.core.redaction import TEXT_CODES, TextCode
from pseudo_service.core.tables.batch_values import BatchContext
from pseudo_service.core.tables.column_treatment import PatientOffsets, Treated
from pseudo_service.core.tables.identifier_columns import Identifiers
from pseudo_service.core.tables.text_cells import Person, describe_person, redact_column

_UNREMARKABLE: Final = frozenset({TextCode.OK, TextCode.MISSING, TextCode.WITHHELD})


def redact_texts(
    plan: Plan,
    read: Callable[[int], pa.Array],
    *,
    kept: Mapping[int, Identifiers],
    pseudonyms: Mapping[int, pa.StringArray],
    offsets: PatientOffsets | None,
    context: BatchContext,
) -> tuple[dict[int, Treated], dict[str, Mapping[str, int]]]:
    """Redact every text column of a batch.

    Args:
        plan: The table's plan.
        read: Returns a column by its position, of the rows that stay.
        kept: The identifier columns by position, of the rows that stay.
        pseudonyms: Of the distinct identifiers of each answered column.
        offsets: The rows' date offsets, where the policy shifts any date.
        context: The redactor, the keys and the patient table.

    Returns:
        The treated columns by position, and by name what was found in each.
    """
    if not plan.texts:
        return {}, {}
    people = _describe_people(plan, kept, pseudonyms, context)
    days = _list_days(offsets)
    treated: dict[int, Treated] = {}
    found: dict[str, Mapping[str, int]] = {}
    for column in plan.texts:
        uses_table = column.treatment.known_from is not None
        cells = redact_column(
            read(column.position),
            known=[(kind, read(position)) for kind, position in column.known],
            people=people if uses_table else [_forget_table(one) for one in people],
            shift_days=days,
            style=column.treatment.style,
            redact=context.redact,
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
    plan: Plan,
    kept: Mapping[int, Identifiers],
    pseudonyms: Mapping[int, pa.StringArray],
    context: BatchContext,
) -> list[Person]:
    by_position = {column.position: column for column in plan.identifiers}
    others = [at for at in by_position if at not in plan.patients]
    return [
        _describe(by_position[at], plan, kept[at], pseudonyms.get(at), context)
        for at in (*plan.patients, *others)
    ]


def _describe(
    column: IdentifierColumn,
    plan: Plan,
    identifiers: Identifiers,
    pseudonyms: pa.StringArray | None,
    context: BatchContext,
) -> Person:
    keys = context.keys[column.kind.text]
    is_patient = column.position in plan.patients
    table = context.patient_table
    is_asked = is_patient and table is not None and table.kind_text == column.kind.text
    draws = is_patient and plan.policy.draws_surrogates
    canonical = identifiers.canonical
    return describe_person(
        identifiers,
        pseudonyms=pseudonyms,
        surrogate_macs=keys.surrogate.mac(canonical) if draws else None,
        blind=keys.blind.mac(canonical) if is_asked else None,
        table=table,
        former=context.aliases.find_former(canonical, column.kind),
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


def _list_days(offsets: PatientOffsets | None) -> list[int | None] | None:
    if offsets is None:
        return None
    pairs = zip(offsets.days.tolist(), offsets.has_patient.tolist(), strict=True)
    return [days if has_patient else None for days, has_patient in pairs]
