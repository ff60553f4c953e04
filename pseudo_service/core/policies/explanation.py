"""Says in plain words what a policy does, and what in it deserves a second look."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pyarrow as pa

from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import ColumnRule, Policy
from pseudo_service.core.policies.suggestion import REVIEW
from pseudo_service.core.policies.treatments import (
    AfterExclusion,
    Drop,
    ExcludeRows,
    Generalise,
    Keep,
    OnInvalid,
    Pseudonymise,
    RedactText,
    ShiftDate,
)
from pseudo_service.core.redaction import Replacement, TextDates, TextMode
from pseudo_service.core.transforms.generalisation import Generalisation

_OF_DATES = frozenset({Generalisation.MONTH, Generalisation.YEAR})
_EXPLAINED_REPLACEMENTS: Mapping[Replacement, str] = MappingProxyType(
    {
        Replacement.TAGS: "identifiers become tags such as [NAME]",
        Replacement.MASKS: "identifiers become X of the same length",
        Replacement.SURROGATES: "identifiers become invented ones, the same for the "
        "same patient",
    }
)
_EXPLAINED_DATES: Mapping[TextDates, str] = MappingProxyType(
    {
        TextDates.SHIFT: "its dates move by the patient's offset",
        TextDates.REDACT: "its dates are removed",
        TextDates.KEEP: "its dates stay",
    }
)


def explain_policy(policy: Policy, schema: pa.Schema | None = None) -> list[str]:
    """Return one line a fact; those that begin with ``review:`` need a person.

    Args:
        policy: The policy.
        schema: The table's schema, to check the policy against it.

    Raises:
        ColumnMissing, ColumnUnlisted, ColumnDuplicated, ColumnTypeUnsuitable: The
            policy does not fit the schema.
    """
    lines = [f"policy {policy.address}, digest {policy.digest.hex()}"]
    lines += _explain_patient(policy)
    lines += _explain_table(policy)
    if policy.sentinels:
        days = ", ".join(day.isoformat() for day in sorted(policy.sentinels))
        lines.append(f"dates that become null and are counted: {days}")
    lines += [_explain_column(rule, policy) for rule in policy.columns]
    if schema is not None:
        names = ", ".join(
            f"{field.name} ({field.type})"
            for field in compile_plan(policy, schema).output_schema
        )
        lines.append(f"answered columns: {names}")
    lines += [f"review: {line}" for line in find_doubts(policy)]
    return [_fold_line(line) for line in lines]


def find_doubts(policy: Policy) -> Iterator[str]:
    """Yield what a reviewer should look at, one sentence each."""
    if policy.patient is None:
        yield "no patient is named, so no row can be checked for an opt-out"
    for rule in policy.columns:
        match rule.treatment:
            case Keep(reason=str(reason)) | ExcludeRows(reason=str(reason)):
                if reason.startswith(REVIEW):
                    yield f"{rule.name}: say why it is kept, or drop it"
            case Generalise(to=Generalisation.AGE_BAND) if (
                policy.shifts_dates and rule.treatment.as_of
            ):
                yield f"{rule.name}: the band is of the shifted date of birth"
            case RedactText():
                yield from _find_text_doubts(rule.name, rule.treatment)
            case _:
                continue


def _fold_line(line: str) -> str:
    """Return a fact as one line, so that no text in a policy can pass for another."""
    plain = "".join(mark if mark.isprintable() else " " for mark in line)
    return " ".join(plain.split())


def _explain_patient(policy: Policy) -> list[str]:
    if policy.patient is None:
        return ["patient: none"]
    sources = [f"{s.column} as {s.kind.text}" for s in policy.patient.sources()]
    return ["patient: " + ", else ".join(sources)]


def _explain_column(rule: ColumnRule, policy: Policy) -> str:
    answered = f" as {rule.rename}" if rule.rename else ""
    return f"{rule.name}{answered}: {_explain_treatment(rule, policy)}"


def _explain_treatment(rule: ColumnRule, policy: Policy) -> str:  # noqa: PLR0911 - one a treatment
    match rule.treatment:
        case Keep(reason=why):
            return f"kept as it is ({why})"
        case Drop():
            return "dropped"
        case Pseudonymise(kind=kind, on_invalid=on_invalid):
            removes = on_invalid is OnInvalid.REMOVE_ROW
            fate = "its row is removed" if removes else "it becomes null"
            return (
                f"pseudonymised as {kind.text}; if it is not accepted, {fate}"
                + _explain_previous(rule)
            )
        case ShiftDate(time_of_day=time_of_day):
            return f"moved by the patient's offset, time of day: {time_of_day}"
        case Generalise(to=to):
            shifted = policy.shifts_dates and (
                to in _OF_DATES or rule.treatment.as_of is not None
            )
            return f"reduced to {to}" + (" of the shifted date" if shifted else "")
        case ExcludeRows(codes=codes, list_name=name, then=then):
            fate = "kept" if then is AfterExclusion.KEEP else "dropped"
            return (
                f"rows with any of {len(codes)} codes ({name}) are removed; then {fate}"
            )
        case RedactText():
            return _explain_text(rule.treatment)


def _explain_previous(rule: ColumnRule) -> str:
    if rule.previous_name is None:
        return ""
    return (
        f"; while a rotation's overlap lasts, {rule.previous_name} holds the pseudonym "
        "of the key version before"
    )


def _explain_text(treatment: RedactText) -> str:
    parts = [
        f"redacted free text ({treatment.mode} search)",
        _EXPLAINED_REPLACEMENTS[treatment.replacement],
        _EXPLAINED_DATES[treatment.dates]
        + (f" ({treatment.reason})" if treatment.reason else ""),
    ]
    parts += [
        f"{kind} known from {', '.join(names)}"
        for kind, names in treatment.known.items()
    ]
    if treatment.known_from is not None:
        parts.append(f"more known from the patient table {treatment.known_from}")
    return "; ".join(parts)


def _find_text_doubts(name: str, treatment: RedactText) -> Iterator[str]:
    if not treatment.known and treatment.known_from is None:
        yield (
            f"{name}: nothing is known of its patients; columns under known, or a "
            "patient table, find what no search can"
        )
    if treatment.dates is TextDates.KEEP:
        yield f"{name}: its dates leave as they are"
    if treatment.mode is TextMode.FAST:
        yield f"{name}: the fast search misses more than the thorough one"
    yield f"{name}: no search finds everything; have a sample read before release"


def _explain_table(policy: Policy) -> list[str]:
    table = policy.patient_table
    if table is None:
        return []
    known = "; ".join(f"{kind}: {', '.join(n)}" for kind, n in table.known.items())
    numbers = f"{table.column} as {table.kind.text}"
    return [f"patient table {table.name}, sent ahead: {numbers}; {known}"]
