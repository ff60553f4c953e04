"""Exclude rows: a small table in, a small table out."""

import pyarrow as pa
import pytest

from tests.lib.harnesses.deidentification import deidentify
from tests.lib.values.nhs_numbers import make_nhs_number

POLICY = """
policy: study-a/visits@1
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number}
  diagnosis:
    treatment: exclude_rows
    codes: ["Z31*", "A56.0"]
    list: legally restricted
    then: keep
    reason: the outcome of the study
"""
ADA, BOB = make_nhs_number(1), make_nhs_number(2)


@pytest.mark.parametrize(
    "code",
    ["Z31", "Z31.1", "z311", " Z31.9 ", "Z 31", "Z31-1", "A56.0", "A560", "A56.0†",
     "\uff3a31", "E11.9; Z31.1", "E11.9,A560", "I10/Z318"],
)  # fmt: skip
def test_a_listed_code_removes_its_row_however_it_is_written(code):
    outcome = deidentify(POLICY, {"nhs_number": [ADA, BOB], "diagnosis": [code, "E11"]})

    assert outcome.batch.column("diagnosis").to_pylist() == ["E11"]
    assert outcome.removed == {"excluded_code": 1}


@pytest.mark.parametrize(
    "code", [None, "", "A56", "A56.1", "A56.01", "Z30", "Z3", "AZ31"]
)
def test_other_codes_stay(code):
    outcome = deidentify(
        POLICY, {"nhs_number": [ADA], "diagnosis": pa.array([code], pa.string())}
    )

    assert outcome.batch.column("diagnosis").to_pylist() == [code]
    assert outcome.removed == {}


def test_a_removed_patient_leaves_no_identity_unless_another_row_stays():
    outcome = deidentify(
        POLICY,
        {"nhs_number": [ADA, ADA, BOB], "diagnosis": ["Z31.1", "E11", "Z31.1"]},
    )

    (identities,) = outcome.identities
    assert identities.canonical.to_pylist() == [ADA]
    assert outcome.counts["nhs_number"] == {"test_range": 1}


def test_integers_are_matched_and_the_column_can_be_dropped():
    policy = """
policy: study-a/visits@1
columns:
  concept: {treatment: exclude_rows, codes: ["733944008"], list: restricted, then: drop}
  visit: {treatment: keep, reason: order of visits}
"""
    outcome = deidentify(policy, {"concept": [733944008, 22298006], "visit": [1, 2]})

    assert outcome.batch.to_pylist() == [{"visit": 2}]
