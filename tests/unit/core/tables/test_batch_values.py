"""What an identified batch and its outcome say of themselves."""

import pyarrow as pa

from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.tables.batch import treat_batch
from pseudo_service.core.tables.batch_values import read_column
from pseudo_service.core.tables.identified_batch import identify_batch
from tests.lib.harnesses.deidentification import make_context
from tests.lib.values.nhs_numbers import make_nhs_number

POLICY = """
policy: study-a/visits@1
patient: {column: nhs_number, kind: nhs_number}
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number, on_invalid: remove_row}
  ward: {treatment: keep, reason: a ward names nobody}
"""
ADA, BOB = (make_nhs_number(seed) for seed in (1, 2))


def identify(numbers: list[str | None], wards: pa.Array):
    batch = pa.record_batch({"nhs_number": pa.array(numbers), "ward": wards})
    plan = compile_plan(parse_policy(POLICY), batch.schema)
    return identify_batch(plan, batch, make_context())


def test_a_whole_batch_is_read_as_it_came():
    whole = identify([ADA, BOB], pa.array(["A", "B"]))
    assert whole.rows is None
    assert whole.rows_out == 2
    assert whole.read(1).to_pylist() == ["A", "B"]


def test_a_removed_row_is_read_no_more():
    rest = identify([ADA, "999 000 0000", BOB], pa.array(["A", "B", "C"]))
    assert rest.rows_out == 2
    assert rest.read(1).to_pylist() == ["A", "C"]


def test_an_outcome_counts_rows_and_cells():
    outcome = treat_batch(identify([ADA, "999 000 0000"], pa.array(["A", "B"])))
    assert outcome.rows_in == 2
    assert dict(outcome.removed) == {"invalid_identifier": 1}
    assert sum(outcome.counts["nhs_number"].values()) == 2
    assert sum(outcome.counts["ward"].values()) == 1


def test_a_view_of_text_becomes_text_and_other_columns_stay():
    batch = pa.record_batch(
        {"seen": pa.array(["A", None], pa.string_view()), "age": pa.array([1, 2])}
    )
    assert read_column(batch, 0).equals(pa.array(["A", None]))
    assert read_column(batch, 1).equals(batch.column(1))
