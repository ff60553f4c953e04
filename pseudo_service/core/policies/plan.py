"""A policy compiled against a table's schema, before the first row is read.

Whatever could stop a table for its shape stops it here: a column too many or too
few, a name that stands twice, a type that the treatment cannot take.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from pseudo_service.core.arrow.column_types import (
    can_be_identifier,
    can_be_known,
    is_text,
)
from pseudo_service.core.errors import (
    ColumnDuplicated,
    ColumnMissing,
    ColumnTypeUnsuitable,
    ColumnUnlisted,
    name_field,
    name_fields,
)
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.policies.policy import ColumnRule, Policy
from pseudo_service.core.policies.treatments import (
    Drop,
    ExcludeRows,
    Generalise,
    Keep,
    Pseudonymise,
    RedactText,
    ShiftDate,
    name_treatment,
)
from pseudo_service.core.redaction import KnownKind
from pseudo_service.core.transforms.generalisation import Generalisation

_POSTCODES: Final = frozenset(
    {Generalisation.OUTWARD_CODE, Generalisation.POSTCODE_AREA}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPlan:
    """One input column: where it stands, its rule, and what leaves of it.

    ``previous`` is the field of the pseudonyms of the key version before, right after
    the column's own; None where the policy asks for none.
    """

    position: int
    rule: ColumnRule
    output: pa.Field | None
    previous: pa.Field | None = None

    @property
    def name(self) -> str:
        """Return the input name, under which the column is counted."""
        return self.rule.name


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierColumn:
    """An input column that is read as identifiers of one kind, once a batch."""

    position: int
    name: str
    kind: IdentifierKind
    is_answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TextColumn:
    """A column of free text, and where the known identifiers of its rows stand."""

    position: int
    treatment: RedactText
    known: tuple[tuple[KnownKind, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do with every batch of one table.

    ``patients`` are the positions of identifier columns in the order they are
    asked for a row's patient. ``kinds`` are those that need keys.
    """

    policy: Policy
    input_schema: pa.Schema
    output_schema: pa.Schema
    columns: tuple[ColumnPlan, ...]
    identifiers: tuple[IdentifierColumn, ...]
    patients: tuple[int, ...]
    texts: tuple[TextColumn, ...]
    kinds: tuple[IdentifierKind, ...]

    @property
    def previous_kinds(self) -> frozenset[str]:
        """Return the kinds whose pseudonyms of the version before are asked for."""
        asking = {c.position for c in self.columns if c.previous is not None}
        return frozenset(c.kind.text for c in self.identifiers if c.position in asking)

    @property
    def sentinels(self) -> frozenset[date]:
        """Return the dates that the policy itself lists as no dates."""
        return self.policy.sentinels


def compile_plan(policy: Policy, schema: pa.Schema) -> Plan:
    """Compile a policy against a schema.

    The answer's columns stand in the order of the schema, carry no metadata, and
    may all be null.

    Raises:
        ColumnDuplicated: Two columns of the schema have one name.
        ColumnUnlisted: The schema has a column that the policy does not name.
        ColumnMissing: The policy names a column that the schema lacks.
        ColumnTypeUnsuitable: A type that the treatment cannot take.
    """
    _check_names(policy, schema)
    rules = {rule.name: rule for rule in policy.columns}
    columns = tuple(
        _compile_column(policy, rules[field.name], field, position)
        for position, field in enumerate(schema)
    )
    identifiers = tuple(_find_identifiers(policy, columns, schema))
    outputs = [
        field
        for column in columns
        for field in (column.output, column.previous)
        if field is not None
    ]
    sources = policy.patient.sources() if policy.patient else iter(())
    return Plan(
        policy=policy,
        input_schema=schema.remove_metadata(),
        output_schema=pa.schema(outputs),
        columns=columns,
        identifiers=identifiers,
        patients=tuple(schema.get_field_index(source.column) for source in sources),
        texts=tuple(_find_texts(columns, schema)),
        kinds=tuple(dict.fromkeys(column.kind for column in identifiers)),
    )


def _check_names(policy: Policy, schema: pa.Schema) -> None:
    listed = {rule.name for rule in policy.columns}
    # Where no name is the policy's, the file may have no header line, and what
    # looks like a name is a surname or a postcode of its first row.
    has_header = not listed.isdisjoint(schema.names)
    show = name_fields if has_header else _number_fields
    present = list(enumerate(schema.names))
    if twice := [(i, name) for i, name in present if schema.names.index(name) < i]:
        msg = f"column {show(twice)} stands twice in the table: rename one"
        raise ColumnDuplicated(msg)
    if unlisted := [(i, name) for i, name in present if name not in listed]:
        msg = (
            f"policy {policy.address} does not name column {show(unlisted)}: "
            "add it to a new number of the policy, or leave the column out"
        )
        raise ColumnUnlisted(msg)
    missing = [
        (i, rule.name)
        for i, rule in enumerate(policy.columns)
        if rule.name not in schema.names
    ]
    if missing:
        msg = (
            f"the table lacks column {name_fields(missing)}, which policy "
            f"{policy.address} names: send it, or use a policy without it"
        )
        raise ColumnMissing(msg)


def _number_fields(fields: Iterable[tuple[int, str]]) -> str:
    numbers = ", ".join(f"{position + 1}" for position, _ in fields)
    return f"number {numbers} (names withheld; does the file have a header line?)"


def _compile_column(
    policy: Policy, rule: ColumnRule, field: pa.Field, position: int
) -> ColumnPlan:
    shown = f"column {name_field(rule.name, position)}"
    problem = _find_problem(rule, field.type)
    if problem is None and _lacks_patient(policy, rule, field.type):
        problem = "dates move with the patient, so say under patient whose they are"
    if problem is not None:
        treatment = name_treatment(rule.treatment)
        msg = (
            f"{shown}, type {_name_type(field.type)}, cannot take {treatment}: "
            f"{problem}"
        )
        raise ColumnTypeUnsuitable(msg)
    name = rule.output_name
    kind = _choose_output_type(rule, field.type)
    output = pa.field(name, kind) if name is not None else None
    previous = rule.previous_name
    return ColumnPlan(
        position=position,
        rule=rule,
        output=output,
        previous=pa.field(previous, pa.string()) if previous is not None else None,
    )


def _lacks_patient(policy: Policy, rule: ColumnRule, kind: pa.DataType) -> bool:
    is_date = is_text(kind) or pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    return (
        policy.shifts_dates
        and policy.patient is None
        and isinstance(rule.treatment, Generalise)
        and rule.treatment.to not in _POSTCODES
        and is_date
    )


def _name_type(kind: pa.DataType) -> str:
    """Return a type's own name; those of nested fields may be anything."""
    return str(kind) if not kind.num_fields and len(str(kind)) < 40 else "nested"  # noqa: PLR2004


def _is_plain(kind: pa.DataType) -> bool:
    return bool(
        is_text(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_temporal(kind)
    )


def _find_problem(rule: ColumnRule, kind: pa.DataType) -> str | None:
    """Return why the type cannot take the treatment, and what to do; else None."""
    is_binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    if isinstance(rule.treatment, Drop) and is_binary:
        return None
    if not _is_plain(kind):
        return "send plain text, numbers or dates; decode dictionaries, flatten nests"
    check = _CHECKS.get(type(rule.treatment))
    return check(rule.treatment, kind) if check else None


def _check_pseudonymise(treatment: Pseudonymise, kind: pa.DataType) -> str | None:
    del treatment
    if can_be_identifier(kind):
        return None
    if pa.types.is_floating(kind):
        return "this type has too few digits for an identifier; send text"
    return "send identifiers as text or integers"


def _check_shift_date(treatment: ShiftDate, kind: pa.DataType) -> str | None:
    del treatment
    return _check_date(kind)


def _check_date(kind: pa.DataType) -> str | None:
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind) or is_text(kind):
        return None
    return "send dates, timestamps or text"


def _check_generalise(treatment: Generalise, kind: pa.DataType) -> str | None:
    if treatment.to in _POSTCODES:
        return None if is_text(kind) else "send postcodes as text"
    if treatment.to is not Generalisation.AGE_BAND:
        return _check_date(kind)
    if pa.types.is_integer(kind):
        return "ages need no as_of; take it out" if treatment.as_of else None
    if treatment.as_of is None:
        return "dates of birth need as_of, the day on which ages are counted"
    return _check_date(kind)


def _check_exclude_rows(treatment: ExcludeRows, kind: pa.DataType) -> str | None:
    del treatment
    if is_text(kind) or pa.types.is_integer(kind):
        return None
    return "send codes as text or integers"


def _check_redact_text(treatment: RedactText, kind: pa.DataType) -> str | None:
    del treatment
    return None if is_text(kind) else "send text"


_CHECKS: Mapping[type, Callable[..., str | None]] = MappingProxyType(
    {
        Pseudonymise: _check_pseudonymise,
        ShiftDate: _check_shift_date,
        Generalise: _check_generalise,
        ExcludeRows: _check_exclude_rows,
        RedactText: _check_redact_text,
    }
)


def _choose_output_type(rule: ColumnRule, kind: pa.DataType) -> pa.DataType:
    match rule.treatment:
        case Keep() | ExcludeRows() if not _is_loose_text(kind):
            return kind
        case ShiftDate() if not is_text(kind):
            return kind
        case _:
            return pa.string()


def _is_loose_text(kind: pa.DataType) -> bool:
    """Say whether the type is text that is answered as plain ``string``."""
    return bool(pa.types.is_string_view(kind))


def _find_identifiers(
    policy: Policy, columns: tuple[ColumnPlan, ...], schema: pa.Schema
) -> Iterator[IdentifierColumn]:
    sources = policy.patient.sources() if policy.patient else iter(())
    kinds = {source.column: source.kind for source in sources}
    for column in columns:
        treatment = column.rule.treatment
        is_answered = isinstance(treatment, Pseudonymise)
        kind = treatment.kind if isinstance(treatment, Pseudonymise) else None
        kind = kind or kinds.get(column.name)
        if kind is None:
            continue
        problem = _check_pseudonymise(
            Pseudonymise(kind=kind), schema.field(column.position).type
        )
        if problem is not None:
            shown = name_field(column.name, column.position)
            msg = f"column {shown} cannot say whose row it is: {problem}"
            raise ColumnTypeUnsuitable(msg)
        yield IdentifierColumn(
            position=column.position,
            name=column.name,
            kind=kind,
            is_answered=is_answered,
        )


def _find_texts(
    columns: tuple[ColumnPlan, ...], schema: pa.Schema
) -> Iterator[TextColumn]:
    for column in columns:
        treatment = column.rule.treatment
        if not isinstance(treatment, RedactText):
            continue
        known = [
            (kind, schema.get_field_index(name))
            for kind, names in treatment.known.items()
            for name in names
        ]
        for _, position in known:
            _check_known(schema, position)
        yield TextColumn(
            position=column.position, treatment=treatment, known=tuple(known)
        )


def _check_known(schema: pa.Schema, position: int) -> None:
    field = schema.field(position)
    if not can_be_known(field.type):
        shown = name_field(field.name, position)
        msg = (
            f"column {shown} cannot give known identifiers: send text, numbers or dates"
        )
        raise ColumnTypeUnsuitable(msg)
