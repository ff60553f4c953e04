"""What receipts say was done to each column."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.policies.treatments import TreatmentName
from pseudo_service.core.projects.project import (
    DateShiftRule,
    ShiftDirection,
    ShiftUnit,
)
from pseudo_service.core.tables.receipt import PinSet
from pseudo_service.core.tables.treatment_records import (
    describe_treatments,
    explain_record,
)

POLICY = """
policy: asthma/cohort@1
patient: {column: nhs_number, kind: nhs_number}
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number, rename: patient}
  surname: {treatment: drop}
  postcode: {treatment: generalise, to: outward_code}
  born: {treatment: generalise, to: age_band, as_of: 2026-01-01}
  admitted: {treatment: shift_date}
  score: {treatment: keep, reason: outcome of the study}
  code: {treatment: exclude_rows, codes: ["Z31*"], list: restricted, then: drop}
  note: {treatment: redact_text, known: {names: [surname]}, dates: shift}
"""
SCHEMA = pa.schema(
    [
        ("nhs_number", pa.string()),
        ("surname", pa.string()),
        ("postcode", pa.string()),
        ("born", pa.date32()),
        ("admitted", pa.timestamp("ms")),
        ("score", pa.int32()),
        ("code", pa.string()),
        ("note", pa.string()),
    ]
)
PINS = PinSet(
    key_version=3,
    previous_key_version=2,
    key_check_value=b"",
    policy="asthma/cohort@1",
    policy_digest=b"",
    opt_out_list="",
    opt_out_digest=b"",
    date_parameters_digest=b"",
    alias_table="",
    library_versions={},
)
PLAN = compile_plan(parse_policy(POLICY), SCHEMA)
RECORDS = describe_treatments(PLAN, date_shift=DateShiftRule(bound=26), pins=PINS)

EXPECTED = {
    "nhs_number": (
        {
            "treatment": "pseudonymise",
            "answered_as": "patient",
            "kind": "nhs_number",
            "key_version": 3,
            "on_invalid": "null",
        },
        "nhs_number replaced by the project's pseudonym, key version 3",
    ),
    "surname": ({"treatment": "drop", "answered_as": None}, "dropped"),
    "postcode": (
        {
            "treatment": "generalise",
            "answered_as": "postcode",
            "to": "outward_code",
            "as_of": None,
            "of_shifted_date": False,
        },
        "made coarser: outward code",
    ),
    "born": (
        {
            "treatment": "generalise",
            "answered_as": "born",
            "to": "age_band",
            "as_of": "2026-01-01",
            "of_shifted_date": True,
        },
        "made coarser: age band, counted on 2026-01-01, of the moved date",
    ),
    "admitted": (
        {
            "treatment": "shift_date",
            "answered_as": "admitted",
            "unit": "weeks",
            "bound": 26,
            "direction": "past",
            "keeps_weekday": True,
            "time_of_day": "zero",
        },
        "moved up to 26 weeks earlier",
    ),
    "score": (
        {
            "treatment": "keep",
            "answered_as": "score",
            "reason": "outcome of the study",
        },
        "kept as it was (outcome of the study)",
    ),
    "code": (
        {
            "treatment": "exclude_rows",
            "answered_as": None,
            "list": "restricted",
            "codes": 1,
            "then": "drop",
            "reason": None,
        },
        "rows with a code of the list restricted were removed",
    ),
    "note": (
        {
            "treatment": "redact_text",
            "answered_as": "note",
            "mode": "thorough",
            "replacement": "tags",
            "dates": "shift",
            "known": ["names"],
            "known_from": None,
            "reason": None,
        },
        "free text with identifiers searched for (thorough)",
    ),
}


def test_every_column_is_told_in_the_order_of_the_table() -> None:
    assert list(RECORDS) == SCHEMA.names


def test_every_treatment_is_tried_here() -> None:
    assert {str(r["treatment"]) for r in RECORDS.values()} == set(TreatmentName)


@pytest.mark.parametrize("column", EXPECTED)
def test_a_record_states_the_parameters_and_is_explained(column: str) -> None:
    record, words = EXPECTED[column]
    assert RECORDS[column] == record
    assert json.loads(json.dumps(record)) == record
    assert explain_record(record).startswith(words)


def test_days_in_both_directions_are_told_as_such() -> None:
    rule = DateShiftRule(unit=ShiftUnit.DAYS, bound=90, direction=ShiftDirection.BOTH)
    records = describe_treatments(PLAN, date_shift=rule, pins=PINS)
    words = explain_record(records["admitted"])
    assert words.startswith("moved up to 90 days earlier or later")
    assert "weekdays change" in words


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (2, "patient_before holds the pseudonyms of key version 2"),
        (0, "patient_before is empty, because the overlap after a rotation is over"),
    ],
)
def test_pseudonyms_of_the_version_before_are_told(version: int, words: str) -> None:
    asking = POLICY.replace("rename: patient", "previous: patient_before")
    plan = compile_plan(parse_policy(asking), SCHEMA)
    pins = replace(PINS, previous_key_version=version)
    records = describe_treatments(plan, date_shift=DateShiftRule(bound=26), pins=pins)
    record = records["nhs_number"]
    assert record["previous_answered_as"] == "patient_before"
    assert record["previous_key_version"] == (version or None)
    assert explain_record(record).endswith(words)


def test_an_unknown_record_says_nothing() -> None:
    assert explain_record({}) == "not said in this receipt"
