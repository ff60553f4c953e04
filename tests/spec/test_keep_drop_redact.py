"""Keep, drop and redact: small tables in, small tables out."""

import numpy as np
import pyarrow as pa
import pytest

from tests.lib.harnesses.deidentification import deidentify

POLICY = """
policy: study-a/notes@1
columns:
  score: {treatment: keep, reason: the outcome, rename: outcome}
  name: {treatment: drop}
  note: {treatment: redact_text, known: {names: [name]}}
"""


def test_kept_columns_stay_dropped_ones_go_and_text_is_withheld():
    outcome = deidentify(
        POLICY,
        {"score": [1.5, None], "name": ["Ada", "Bob"], "note": ["Ada came", None]},
    )

    assert outcome.batch.to_pylist() == [
        {"outcome": 1.5, "note": None},
        {"outcome": None, "note": None},
    ]
    assert outcome.counts == {
        "score": {"ok": 1, "missing": 1},
        "note": {"withheld": 1, "missing": 1},
    }
    assert outcome.rejected == []


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, None], pa.int8()),
        pa.array([True, None]),
        pa.array([1, None], pa.decimal128(5, 2)),
        pa.array(["a", None], pa.large_string()),
        pa.array([1, None], pa.duration("s")),
        pa.array([1, None], pa.time32("s")),
        pa.array([1, None], pa.timestamp("ns", "Europe/London")),
        pa.nulls(2),
    ],
    ids=lambda values: str(values.type),
)
def test_kept_types_stay_as_they_are(values):
    batch = pa.record_batch({"score": values, "name": ["a", "b"], "note": ["a", "b"]})

    kept = deidentify(POLICY, batch).batch.column("outcome")

    assert kept.equals(values)


def test_metadata_does_not_leave():
    field = pa.field("score", pa.int64(), metadata={"note": "Ada"})
    batch = pa.record_batch({"score": [1], "name": ["Ada"], "note": ["x"]})
    batch = batch.set_column(0, field, batch.column(0)).replace_schema_metadata(
        {"pandas": "Ada"}
    )

    schema = deidentify(POLICY, batch).batch.schema

    assert schema.metadata is None
    assert schema.field("outcome").metadata is None


def test_what_a_null_hides_does_not_leave_with_a_kept_column():
    texts = pa.array(["kept", "Ada"])
    validity = pa.array([1, None]).buffers()[0]
    hidden = pa.Array.from_buffers(pa.string(), 2, [validity, *texts.buffers()[1:]])
    numbers = pa.array(np.array([1, 9994737805]))
    concealed = pa.Array.from_buffers(pa.int64(), 2, [validity, numbers.buffers()[1]])
    for values in (hidden, concealed):
        batch = pa.record_batch(
            {"score": values, "name": ["a", "b"], "note": ["a", "b"]}
        )
        kept = deidentify(POLICY, batch).batch.column("outcome")
        stored = kept.buffers()[-1].to_pybytes()
        assert kept.null_count == 1
        assert b"Ada" not in stored
        assert (9994737805).to_bytes(8, "little") not in stored


@pytest.mark.parametrize(
    "treatment",
    ["treatment: pseudonymise, kind: nhs_number", "treatment: generalise, to: month",
     "treatment: generalise, to: age_band, as_of: 2024-01-01",
     "treatment: generalise, to: outward_code", "treatment: redact_text",
     "treatment: exclude_rows, codes: [Z31], list: a list, then: keep, reason: outcome"],
)  # fmt: skip
@pytest.mark.parametrize(
    "kind", [pa.null(), pa.string_view(), pa.large_string()], ids=str
)
def test_text_without_any_value_or_of_another_layout_is_taken(treatment, kind):
    policy = f"""
policy: study-a/empty@1
columns:
  value: {{{treatment}}}
"""
    for values in (pa.nulls(2, kind), pa.nulls(0, kind)):
        outcome = deidentify(policy, pa.record_batch({"value": values}))

        assert outcome.batch.column("value").null_count == len(values)
        assert outcome.counts["value"] == ({"missing": 2} if len(values) else {})
