"""What a receipt says was done to each column, and the same in plain words.

A record states the parameters that whoever works with the data must know, such as how
far dates can have moved and whether weekdays stayed; never an offset, a key or a value.
"""

from collections.abc import Mapping
from typing import Any

from pseudo_service.core.policies.plan import ColumnPlan, Plan
from pseudo_service.core.policies.treatments import (
    Drop,
    ExcludeRows,
    Generalise,
    Keep,
    Pseudonymise,
    RedactText,
    ShiftDate,
    Treatment,
    name_treatment,
)
from pseudo_service.core.projects.project import DateShiftRule, ShiftUnit
from pseudo_service.core.tables.receipt import PinSet
from pseudo_service.core.transforms.generalisation import Generalisation

_OF_DATES = frozenset({Generalisation.MONTH, Generalisation.YEAR})

TreatmentRecord = Mapping[str, Any]
"""JSON values: ``treatment``, ``answered_as`` (None if dropped) and its parameters."""


def describe_treatments(
    plan: Plan, *, date_shift: DateShiftRule, pins: PinSet
) -> dict[str, TreatmentRecord]:
    """Return what is done to each input column, in the table's order."""
    return {
        column.name: _describe_column(column, plan, date_shift, pins)
        for column in plan.columns
    }


def _describe_column(
    column: ColumnPlan, plan: Plan, date_shift: DateShiftRule, pins: PinSet
) -> dict[str, Any]:
    treatment = column.rule.treatment
    record: dict[str, Any] = {
        "treatment": name_treatment(treatment).value,
        "answered_as": column.output.name if column.output is not None else None,
    }
    match treatment:
        case Pseudonymise():
            record["key_version"] = pins.key_version
            if column.previous is not None:
                record["previous_answered_as"] = column.previous.name
                record["previous_key_version"] = pins.previous_key_version or None
        case ShiftDate():
            record |= _describe_shift(date_shift)
        case Generalise():
            record["of_shifted_date"] = plan.policy.shifts_dates and (
                treatment.to in _OF_DATES or treatment.as_of is not None
            )
        case _:
            pass
    return record | _describe_parameters(treatment)


def _describe_shift(rule: DateShiftRule) -> dict[str, Any]:
    return {
        "unit": rule.unit.value,
        "bound": rule.bound,
        "direction": rule.direction.value,
        "keeps_weekday": rule.unit is ShiftUnit.WEEKS,
    }


def _describe_parameters(treatment: Treatment) -> dict[str, Any]:  # noqa: PLR0911 - one a treatment
    match treatment:
        case Keep(reason=reason):
            return {"reason": reason}
        case Drop():
            return {}
        case Pseudonymise(kind=kind, on_invalid=on_invalid):
            return {"kind": kind.text, "on_invalid": on_invalid.value}
        case ShiftDate(time_of_day=time_of_day):
            return {"time_of_day": time_of_day.value}
        case Generalise(to=to, as_of=as_of):
            return {"to": to.value, "as_of": as_of.isoformat() if as_of else None}
        case ExcludeRows(codes=codes, list_name=name, then=then, reason=reason):
            return {
                "list": name,
                "codes": len(codes),
                "then": then.value,
                "reason": reason,
            }
        case RedactText():
            return {
                "mode": treatment.mode.value,
                "replacement": treatment.replacement.value,
                "dates": treatment.dates.value,
                "known": sorted(kind.value for kind in treatment.known),
                "known_from": treatment.known_from,
                "reason": treatment.reason,
            }


def explain_record(record: TreatmentRecord) -> str:
    """Return a record in plain words, for whoever receives the table."""
    explain = _EXPLAINED.get(str(record.get("treatment")))
    if explain is None:
        return "not said in this receipt"
    return explain(record)


def _explain_keep(record: TreatmentRecord) -> str:
    return f"kept as it was ({record.get('reason')})"


def _explain_drop(record: TreatmentRecord) -> str:
    del record
    return "dropped; it is not in the table"


def _explain_pseudonymise(record: TreatmentRecord) -> str:
    fate = (
        "its row is removed"
        if record.get("on_invalid") == "remove_row"
        else "the cell is empty"
    )
    return (
        f"{record.get('kind')} replaced by the project's pseudonym, key version "
        f"{record.get('key_version')}; where a number is not accepted, {fate}"
        + _explain_previous(record)
    )


def _explain_previous(record: TreatmentRecord) -> str:
    name = record.get("previous_answered_as")
    if name is None:
        return ""
    version = record.get("previous_key_version")
    if version is None:
        return f"; {name} is empty, because the overlap after a rotation is over"
    return f"; {name} holds the pseudonyms of key version {version}"


def _explain_shift_date(record: TreatmentRecord) -> str:
    past = record.get("direction") == "past"
    reach = f"up to {record.get('bound')} {record.get('unit')}"
    kept = "weekdays stay" if record.get("keeps_weekday") else "weekdays change"
    return (
        f"moved {reach} {'earlier' if past else 'earlier or later'}, by the same for "
        f"all dates of a patient; intervals within a patient stay, {kept}; time of "
        f"day: {record.get('time_of_day')}"
    )


def _explain_generalise(record: TreatmentRecord) -> str:
    text = f"made coarser: {str(record.get('to')).replace('_', ' ')}"
    if record.get("as_of"):
        text += f", counted on {record['as_of']}"
    return text + (", of the moved date" if record.get("of_shifted_date") else "")


def _explain_exclude_rows(record: TreatmentRecord) -> str:
    fate = "the column stays" if record.get("then") == "keep" else "the column is gone"
    return (
        f"rows with a code of the list {record.get('list')} were removed; otherwise "
        f"{fate}"
    )


def _explain_redact_text(record: TreatmentRecord) -> str:
    instead = {
        "tags": "tags such as [NAME] stand for identifiers",
        "masks": "X of the same length stand for identifiers",
        "surrogates": "invented ones, the same for the same patient, stand for "
        "identifiers",
    }.get(str(record.get("replacement")), "identifiers are replaced")
    dates = {
        "shift": "dates move with the patient",
        "redact": "dates are removed",
        "keep": "dates stay as they were",
    }.get(str(record.get("dates")), "")
    return (
        f"free text with identifiers searched for ({record.get('mode')}) and "
        f"replaced: {instead}; {dates}; no search finds everything"
    )


_EXPLAINED = {
    "keep": _explain_keep,
    "drop": _explain_drop,
    "pseudonymise": _explain_pseudonymise,
    "shift_date": _explain_shift_date,
    "generalise": _explain_generalise,
    "exclude_rows": _explain_exclude_rows,
    "redact_text": _explain_redact_text,
}
