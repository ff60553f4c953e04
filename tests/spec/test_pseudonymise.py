"""Pseudonymise: a small table in, a small table out."""

import numpy as np

from pseudo_service.core.identifiers.kinds import ChiInNhsColumn, IdentifierRules
from tests.lib.harnesses.deidentification import deidentify, list_rejected, make_context
from tests.lib.values.nhs_numbers import make_nhs_number

POLICY = """
policy: study-a/visits@1
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number, rename: patient}
  visit: {treatment: keep, reason: order of visits}
"""
ADA, BOB = make_nhs_number(1), make_nhs_number(2)
VISITS = {
    "nhs_number": [ADA, f"{ADA[:3]} {ADA[3:6]} {ADA[6:]}", BOB, None, "N/K", "123", ADA[:9] + "X"],
    "visit": [1, 2, 3, 4, 5, 6, 7],
}  # fmt: skip


def test_one_patient_has_one_pseudonym_however_written():
    patients = deidentify(POLICY, VISITS).batch.column("patient").to_pylist()

    assert patients[0] == patients[1] != patients[2]
    assert patients[3:] == [None, None, None, None]
    assert patients[0].startswith("TEST-N3")


def test_every_value_is_classified_and_the_bad_ones_are_marked():
    outcome = deidentify(POLICY, VISITS)

    assert outcome.counts["nhs_number"] == {
        "test_range": 3,
        "missing": 2,
        "wrong_length": 1,
        "not_a_number": 1,
    }
    assert list_rejected(outcome) == {
        ("nhs_number", "wrong_length", 5),
        ("nhs_number", "not_a_number", 6),
    }


def test_each_identity_is_told_once_with_its_blind_index():
    outcome = deidentify(POLICY, VISITS)

    (identities,) = outcome.identities
    assert sorted(identities.canonical.to_pylist()) == sorted([ADA, BOB])
    keys = make_context().keys["nhs_number"]
    assert np.array_equal(identities.blind, keys.blind.mac(identities.canonical))


def test_remove_row_removes_invalid_rows_but_not_missing_ones():
    policy = POLICY.replace(
        "kind: nhs_number", "kind: nhs_number, on_invalid: remove_row"
    )

    outcome = deidentify(policy, VISITS)

    assert outcome.batch.column("visit").to_pylist() == [1, 2, 3, 4, 5]
    assert outcome.removed == {"invalid_identifier": 2}
    assert outcome.counts["nhs_number"]["wrong_length"] == 1
    assert outcome.counts["visit"] == {"ok": 5}
    assert ("nhs_number", "wrong_length", 5) in list_rejected(outcome)


def test_numbers_of_the_test_range_are_refused_where_the_deployment_refuses_them():
    rules = IdentifierRules(
        accept_test_range=False, chi_in_nhs_column=ChiInNhsColumn.REJECT
    )

    outcome = deidentify(POLICY, VISITS, make_context(rules=rules))

    assert outcome.batch.column("patient").null_count == 7
    assert outcome.identities == ()
    assert ("nhs_number", "test_range", 0) in list_rejected(outcome)


def test_the_policy_decides_on_chi_numbers_in_an_nhs_column():
    table = {"nhs_number": ["0101010028"], "visit": [1]}
    refused = deidentify(POLICY, table)
    accepted = deidentify("chi_in_nhs_column: accept" + POLICY, table)

    assert (
        refused.counts["nhs_number"]
        == accepted.counts["nhs_number"]
        == {"chi_range": 1}
    )
    assert refused.batch.column("patient").to_pylist() == [None]
    assert accepted.batch.column("patient").null_count == 0
    assert accepted.rejected == []
