"""The plans of unary calls: their few values are de-identified as a table is."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import pyarrow as pa

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.policies.plan import (
    ColumnPlan,
    IdentifierColumn,
    Plan,
    TextColumn,
    compile_plan,
)
from pseudo_service.core.policies.policy import ColumnRule, PatientRule, Policy
from pseudo_service.core.policies.treatments import Drop, Pseudonymise, RedactText
from pseudo_service.core.redaction import KnownKind

IDENTIFIER: Final = "identifier"
TEXT: Final = "text"
_PLANS: Final = 128
_KNOWN_TYPE: Final = pa.list_(pa.string())


@lru_cache(maxsize=_PLANS)
def plan_identifiers(kind: IdentifierKind) -> Plan:
    """Return the plan of one column of identifiers, each a patient's own."""
    policy = Policy(
        project="",
        release="identifiers",
        number=1,
        description=None,
        patient=PatientRule(column=IDENTIFIER, kind=kind),
        chi_in_nhs_column=None,
        sentinels=frozenset(),
        columns=(ColumnRule(name=IDENTIFIER, treatment=Pseudonymise(kind=kind)),),
    )
    return compile_plan(policy, pa.schema({IDENTIFIER: pa.string()}))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCallShape:
    """What the plan of a call with texts depends on.

    Attributes:
        policy: A registered policy; ``digest`` stands for it.
        digest: The policy's digest.
        column: A text column of the policy.
        kinds: The kinds of the patients' numbers that the call has, each once, in the
            policy's order.
        known: The kinds of the known identifiers that the call has, each once, in the
            order of ``KnownKind``.
    """

    policy: Policy = field(compare=False, repr=False)
    digest: bytes
    column: str
    kinds: tuple[IdentifierKind, ...]
    known: tuple[KnownKind, ...]


@lru_cache(maxsize=_PLANS)
def plan_texts(shape: TextCallShape) -> Plan:
    """Return the policy's plan for texts that come with their patients' numbers.

    The columns are one of patients' numbers for each kind, one of lists for each kind
    of known identifier, then the texts. Nothing else of the policy applies, but whether
    it shifts dates or draws surrogates, which decides what is told of a patient.

    Raises:
        InvalidArgument: The policy has no such text column.
    """
    treatment = find_text_treatment(shape.policy, shape.column)
    answered = _list_answered(shape.policy)
    patients = [
        _plan_column(at, name_patients(kind), kind if kind in answered else None)
        for at, kind in enumerate(shape.kinds)
    ]
    begin = len(patients)
    known = [
        _plan_column(begin + at, name_known(kind), None)
        for at, kind in enumerate(shape.known)
    ]
    at_text = begin + len(known)
    text = ColumnPlan(
        position=at_text,
        rule=ColumnRule(name=TEXT, treatment=treatment),
        output=pa.field(TEXT, pa.string()),
    )
    columns = (*patients, *known, text)
    types = [pa.string()] * begin + [_KNOWN_TYPE] * len(known) + [pa.string()]
    return Plan(
        policy=shape.policy,
        input_schema=pa.schema(
            [(column.name, kind) for column, kind in zip(columns, types, strict=True)]
        ),
        output_schema=pa.schema([c.output for c in columns if c.output is not None]),
        columns=columns,
        identifiers=tuple(
            IdentifierColumn(
                position=at,
                name=name_patients(kind),
                kind=kind,
                is_answered=kind in answered,
            )
            for at, kind in enumerate(shape.kinds)
        ),
        patients=tuple(range(begin)),
        texts=(
            TextColumn(
                position=at_text,
                treatment=treatment,
                known=tuple((kind, begin + at) for at, kind in enumerate(shape.known)),
            ),
        ),
        kinds=shape.kinds,
    )


def find_text_treatment(policy: Policy, column: str) -> RedactText:
    """Return the treatment of a text column.

    Raises:
        InvalidArgument: The policy has no text column of this name.
    """
    for rule in policy.columns:
        if rule.name == column and isinstance(rule.treatment, RedactText):
            return rule.treatment
    msg = f"column: policy {policy.address} has no text column of this name"
    raise InvalidArgument(msg)


def name_patients(kind: IdentifierKind) -> str:
    """Return the column of the patients' numbers of a kind."""
    return f"patient {kind.text}"


def name_known(kind: KnownKind) -> str:
    """Return the column of the known identifiers of a kind."""
    return f"known {kind.value}"


def _list_answered(policy: Policy) -> set[IdentifierKind]:
    """Return the patient's kinds whose pseudonyms the policy answers."""
    treatments = {rule.name: rule.treatment for rule in policy.columns}
    sources = policy.patient.sources() if policy.patient else ()
    return {
        source.kind
        for source in sources
        if isinstance(treatments[source.column], Pseudonymise)
    }


def _plan_column(position: int, name: str, kind: IdentifierKind | None) -> ColumnPlan:
    """Return a column that becomes pseudonyms of a kind, or does not leave."""
    if kind is None:
        rule = ColumnRule(name=name, treatment=Drop())
        return ColumnPlan(position=position, rule=rule, output=None)
    rule = ColumnRule(name=name, treatment=Pseudonymise(kind=kind))
    output = pa.field(name, pa.string())
    return ColumnPlan(position=position, rule=rule, output=output)
