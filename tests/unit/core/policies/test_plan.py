"""Compiling policies against schemas: what stops a table before its first row."""

import pyarrow as pa
import pytest

from pseudo_service.core.errors import (
    ColumnDuplicated,
    ColumnMissing,
    ColumnTypeUnsuitable,
    ColumnUnlisted,
    SchemaChanged,
)
from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.tables.batch import deidentify_batch
from tests.lib.harnesses.deidentification import make_context

POLICY = """
policy: study-a/admissions@1
patient: {column: nhs_number, kind: nhs_number}
columns:
  sex: {treatment: keep, reason: stratification}
  nhs_number: {treatment: pseudonymise, kind: nhs_number, rename: patient}
  admitted: {treatment: shift_date}
  name: {treatment: drop}
"""
SCHEMA = pa.schema(
    {
        "nhs_number": pa.string(),
        "name": pa.string(),
        "admitted": pa.timestamp("ms"),
        "sex": pa.string(),
    }
)


def compile_with(fields: str, kind: pa.DataType):
    policy = parse_policy(
        f"policy: a-b/c@1\ncolumns:\n  x: {{{fields}}}\n  y: {{treatment: keep, reason: why}}\n"
    )
    return compile_plan(policy, pa.schema({"x": kind, "y": pa.string()}))


def test_the_answer_has_the_order_of_the_table_and_no_metadata():
    schema = SCHEMA.with_metadata({"pandas": "x"})
    plan = compile_plan(parse_policy(POLICY), schema)

    assert plan.output_schema == pa.schema(
        {"patient": pa.string(), "admitted": pa.timestamp("ms"), "sex": pa.string()}
    )
    assert plan.output_schema.metadata is None
    assert [kind.text for kind in plan.kinds] == ["nhs_number"]
    assert plan.patients == (0,)


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [
        (["nhs_number", "name", "admitted"], ColumnMissing, '"sex"'),
        (["nhs_number", "name", "admitted", "sex", "town"], ColumnUnlisted, '"town"'),
        (["nhs_number", "name", "admitted", "sex", "sex"], ColumnDuplicated, '"sex"'),
        (
            ["nhs_number", "name", "admitted", "sex", "999 473 7805 Eric"],
            ColumnUnlisted,
            "number 5",
        ),
    ],
)
def test_columns_too_many_too_few_or_twice_stop_the_table(names, error, words):
    kinds = {field.name: field.type for field in SCHEMA}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names])

    with pytest.raises(error, match=words) as refusal:
        compile_plan(parse_policy(POLICY), schema)

    assert "Eric" not in refusal.value.message


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ("treatment: pseudonymise, kind: nhs_number", pa.float32()),
        ("treatment: pseudonymise, kind: nhs_number", pa.float16()),
        ("treatment: pseudonymise, kind: nhs_number", pa.bool_()),
        (
            "treatment: pseudonymise, kind: nhs_number",
            pa.dictionary(pa.int8(), pa.string()),
        ),
        ("treatment: generalise, to: month", pa.int64()),
        ("treatment: generalise, to: month", pa.time64("us")),
        ("treatment: generalise, to: age_band", pa.date32()),
        ("treatment: generalise, to: age_band, as_of: 2024-01-01", pa.int32()),
        ("treatment: generalise, to: age_band", pa.float64()),
        ("treatment: generalise, to: outward_code", pa.int32()),
        ("treatment: exclude_rows, codes: [A], list: l, then: drop", pa.float64()),
        ("treatment: redact_text", pa.binary()),
        ("treatment: keep, reason: why", pa.binary()),
        ("treatment: keep, reason: why", pa.list_(pa.string())),
        ("treatment: keep, reason: why", pa.struct({"Eric Taylor": pa.string()})),
        ("treatment: keep, reason: why", pa.dictionary(pa.int8(), pa.string())),
        ("treatment: keep, reason: why", pa.map_(pa.string(), pa.string())),
        ("treatment: drop", pa.list_(pa.string())),
        ("treatment: drop", pa.dictionary(pa.int8(), pa.string())),
    ],
)
def test_a_type_that_the_treatment_cannot_take_stops_the_table(fields, kind):
    with pytest.raises(ColumnTypeUnsuitable, match=r'"x".*: .*') as refusal:
        compile_with(fields, kind)

    assert "Eric" not in refusal.value.message


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ("treatment: pseudonymise, kind: nhs_number", pa.int64()),
        ("treatment: pseudonymise, kind: nhs_number", pa.float64()),
        ("treatment: pseudonymise, kind: nhs_number", pa.large_string()),
        ("treatment: generalise, to: month", pa.timestamp("ns", "UTC")),
        ("treatment: generalise, to: age_band", pa.uint8()),
        ("treatment: drop", pa.binary()),
    ],
)
def test_a_type_that_the_treatment_can_take_is_taken(fields, kind):
    plan = compile_with(fields, kind)

    assert plan.output_schema.names[-1] == "y"


def test_a_patient_column_that_cannot_hold_identifiers_stops_the_table():
    text = POLICY.replace("pseudonymise, kind: nhs_number, rename: patient", "drop")
    schema = SCHEMA.set(0, pa.field("nhs_number", pa.float32()))

    with pytest.raises(ColumnTypeUnsuitable, match="whose row it is"):
        compile_plan(parse_policy(text), schema)


def test_a_batch_of_another_schema_is_refused():
    plan = compile_plan(parse_policy(POLICY), SCHEMA)

    with pytest.raises(SchemaChanged):
        deidentify_batch(plan, pa.record_batch({"nhs_number": ["1"]}), make_context())
