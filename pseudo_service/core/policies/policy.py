"""A policy: what happens to every column of one table of one project.

Immutable once registered, addressed as ``project/release@n``. The digest is over
the meaning, not the text: comments, key order and quoting do not change it.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum
from typing import Final

from pseudo_service.core.errors import InvalidArgument, name_field
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.policies.text_rules import (
    PatientTableRule,
    check_patient_table,
    check_text_column,
    read_patient_table,
)
from pseudo_service.core.policies.treatments import (
    LONGEST_NAME,
    OMITTED_IF_NONE,
    AfterExclusion,
    Drop,
    ExcludeRows,
    Generalise,
    Pseudonymise,
    RedactText,
    ShiftDate,
    Treatment,
    name_treatment,
    read_date,
    read_kind,
    read_treatment,
)
from pseudo_service.core.policies.yaml_reader import Entry, Fields, read_document
from pseudo_service.core.projects.project import check_project_id
from pseudo_service.core.redaction import Replacement, TextDates

POLICY_FORMAT: Final = "pseudo/policy/v1"
MOST_COLUMNS: Final = 2_000
LONGEST_DESCRIPTION: Final = 2_000
_ADDRESS = re.compile(r"([^/@]{1,60})/([a-z][a-z0-9_-]{0,39})@([1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRule:
    """The column that says whose row it is, and the one to ask when it is empty."""

    column: str
    kind: IdentifierKind
    otherwise: "PatientRule | None" = None

    def sources(self) -> Iterator["PatientRule"]:
        """Yield the columns in the order they are asked."""
        source: PatientRule | None = self
        while source is not None:
            yield source
            source = source.otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRule:
    """One input column, its treatment, and its name in the answer."""

    name: str
    treatment: Treatment
    rename: str | None = None

    @property
    def output_name(self) -> str | None:
        """Return the name in the answer; None where the column does not leave."""
        leaves = not isinstance(self.treatment, Drop) and not (
            isinstance(self.treatment, ExcludeRows)
            and self.treatment.then is AfterExclusion.DROP
        )
        return (self.rename or self.name) if leaves else None

    @property
    def previous_name(self) -> str | None:
        """Return the name of the column of the key version before, if there is one."""
        match self.treatment:
            case Pseudonymise(previous=previous):
                return previous
            case _:
                return None

    def output_names(self) -> list[str]:
        """Return the names in the answer, in their order."""
        names = (self.output_name, self.previous_name)
        return [name for name in names if name is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy as it was read; ``columns`` keep the order of the text."""

    project: str
    release: str
    number: int
    description: str | None
    patient: PatientRule | None
    patient_table: PatientTableRule | None = None
    chi_in_nhs_column: ChiInNhsColumn | None
    sentinels: frozenset[date]
    columns: tuple[ColumnRule, ...]

    @property
    def address(self) -> str:
        """Return ``project/release@n``."""
        return f"{self.project}/{self.release}@{self.number}"

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 of the canonical form."""
        return hashlib.sha256(self.canonical_text().encode()).digest()

    @property
    def shifts_dates(self) -> bool:
        """Say whether any date is shifted; then generalised dates are as well."""
        return any(
            isinstance(rule.treatment, ShiftDate)
            or (
                isinstance(rule.treatment, RedactText)
                and rule.treatment.dates is TextDates.SHIFT
            )
            for rule in self.columns
        )

    @property
    def draws_surrogates(self) -> bool:
        """Say whether any text gets surrogates, which tell whose it is."""
        return any(
            isinstance(rule.treatment, RedactText)
            and rule.treatment.replacement is Replacement.SURROGATES
            for rule in self.columns
        )

    def adapt_rules(self, rules: IdentifierRules) -> IdentifierRules:
        """Return the deployment's rules for identifiers as the policy changes them."""
        chi = self.chi_in_nhs_column
        return rules if chi is None else replace(rules, chi_in_nhs_column=chi)

    def canonical_text(self) -> str:
        """Return the policy as canonical JSON: sorted keys, no white space."""
        statement: dict[str, object] = {
            "format": POLICY_FORMAT,
            "policy": self.address,
            "description": self.description,
            "patient": _normalise(self.patient),
            "chi_in_nhs_column": _normalise(self.chi_in_nhs_column),
            "sentinels": sorted(day.isoformat() for day in self.sentinels),
            "columns": {
                rule.name: {
                    "treatment": name_treatment(rule.treatment),
                    "rename": rule.rename,
                    **_normalise_fields(rule.treatment),
                }
                for rule in self.columns
            },
        }
        if self.patient_table is not None:
            statement["patient_table"] = _normalise(self.patient_table)
        return json.dumps(statement, sort_keys=True, separators=(",", ":"))


def parse_policy(text: str) -> Policy:
    """Read a policy from YAML.

    Raises:
        PolicyInvalid: With the path, the line and what to do.
    """
    document = Fields(read_document(text))
    project, release, number = _read_address(document)
    description = document.take("description")
    patient = document.take("patient")
    table = document.take("patient_table")
    chi = document.take("chi_in_nhs_column")
    sentinels = document.take("sentinels")
    columns = document.need("columns", "name every column of the table")
    document.close()
    policy = Policy(
        project=project,
        release=release,
        number=number,
        description=(
            description.text(longest=LONGEST_DESCRIPTION) if description else None
        ),
        patient=_read_patient(patient) if patient else None,
        patient_table=read_patient_table(table) if table else None,
        chi_in_nhs_column=chi.choice(ChiInNhsColumn) if chi else None,
        sentinels=_read_sentinels(sentinels),
        columns=_read_columns(columns),
    )
    _check_patient(policy, patient)
    _check_columns(policy, columns)
    check_patient_table(
        policy.patient_table,
        table,
        patient_kinds=[s.kind for s in policy.patient.sources()]
        if policy.patient
        else [],
        treatments=[rule.treatment for rule in policy.columns],
    )
    return policy


def _read_address(document: Fields) -> tuple[str, str, int]:
    entry = document.need("policy", "give project/release@number")
    match = _ADDRESS.fullmatch(entry.text(longest=LONGEST_NAME))
    hint = (
        "give project/release@number, such as study-a/admissions@1; both names in "
        "lower-case letters, digits and dashes"
    )
    if match is None:
        entry.refuse(hint)
    try:
        check_project_id(match[1])
    except InvalidArgument:
        entry.refuse(hint)
    return match[1], match[2], int(match[3])


def _read_patient(entry: Entry) -> PatientRule:
    fields_of = Fields(entry)
    column = fields_of.need("column", "name the column of the patient's number")
    kind = fields_of.need("kind", "give nhs_number, or a local kind, mrn@RXH")
    otherwise = fields_of.take("else")
    fields_of.close()
    if otherwise is not None and entry.path.endswith("else"):
        otherwise.refuse("one else is enough; take this one out")
    return PatientRule(
        column=column.text(longest=LONGEST_NAME),
        kind=read_kind(kind),
        otherwise=_read_patient(otherwise) if otherwise else None,
    )


def _read_sentinels(entry: Entry | None) -> frozenset[date]:
    if entry is None:
        return frozenset()
    entry.texts()
    return frozenset(read_date(each) for each in entry.entries())


def _read_columns(entry: Entry) -> tuple[ColumnRule, ...]:
    columns = entry.mapping()
    if not columns:
        entry.refuse("no column is named; name every column of the table")
    if len(columns) > MOST_COLUMNS:
        entry.refuse(f"give at most {MOST_COLUMNS} columns")
    return tuple(_read_column(name, each) for name, each in columns.items())


def _read_column(name: str, entry: Entry) -> ColumnRule:
    if len(name) > LONGEST_NAME:
        entry.refuse(f"give a column name of at most {LONGEST_NAME} characters")
    fields_of = Fields(entry)
    treatment = read_treatment(fields_of)
    rename = fields_of.take("rename")
    fields_of.close()
    rule = ColumnRule(
        name=name,
        treatment=treatment,
        rename=rename.text(longest=LONGEST_NAME) if rename else None,
    )
    if rename is not None and rule.output_name is None:
        rename.refuse("the column does not leave; take rename out")
    return rule


def _check_patient(policy: Policy, entry: Entry | None) -> None:
    if policy.patient is None or entry is None:
        return
    names = {rule.name for rule in policy.columns}
    sources = list(policy.patient.sources())
    if any(source.column not in names for source in sources):
        entry.refuse("the patient's column is not among columns; name it there too")
    if len({source.column for source in sources}) < len(sources):
        entry.refuse("else names the same column again; name another, or take it out")


def _check_columns(policy: Policy, entry: Entry) -> None:
    outputs: set[str] = set()
    kinds = (
        {source.column: source.kind for source in policy.patient.sources()}
        if policy.patient
        else {}
    )
    names = {rule.name for rule in policy.columns}
    for position, rule in enumerate(policy.columns):
        column = entry.mapping()[rule.name]
        for output in rule.output_names():
            if output in outputs:
                shown = name_field(output, position)
                column.refuse(f"two columns leave as {shown}; rename one of them")
            outputs.add(output)
        _check_column(rule, column, kinds=kinds, names=names, policy=policy)
    if not outputs:
        entry.refuse("no column leaves; let one leave, or do not send the table")


def _check_column(
    rule: ColumnRule,
    column: Entry,
    *,
    kinds: dict[str, IdentifierKind],
    names: set[str],
    policy: Policy,
) -> None:
    match rule.treatment:
        case Pseudonymise(kind=kind) if kinds.get(rule.name, kind) != kind:
            column.refuse("patient gives another kind for this column; make them agree")
        case Pseudonymise() | Drop():
            return
        case _ if rule.name in kinds:
            column.refuse("it holds the patient's number: pseudonymise or drop it")
        case ShiftDate() if policy.patient is None:
            column.refuse("dates move by patient: say under patient whose they are")
        case Generalise(as_of=day) if day is not None and day in policy.sentinels:
            column.refuse("as_of is one of the sentinels; give another day")
        case RedactText():
            check_text_column(
                rule.treatment,
                column,
                name=rule.name,
                names=names,
                has_patient=policy.patient is not None,
                shifts_dates=policy.shifts_dates,
                table=policy.patient_table,
            )
        case _:
            return


def _normalise_fields(
    value: Treatment | PatientRule | PatientTableRule,
) -> dict[str, object]:
    return {
        f.name: _normalise(getattr(value, f.name))
        for f in fields(value)
        if not (OMITTED_IF_NONE in f.metadata and getattr(value, f.name) is None)
    }


def _normalise(value: object) -> object:  # noqa: PLR0911 - one a type
    match value:
        case IdentifierKind():
            return value.text
        case PatientRule() | PatientTableRule():
            return _normalise_fields(value)
        case StrEnum():
            return value.value
        case date():
            return value.isoformat()
        case tuple():
            return [_normalise(each) for each in value]
        case Mapping():
            return {str(key): _normalise(each) for key, each in value.items()}
        case _:
            return value
