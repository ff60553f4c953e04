"""Superseded and re-issued numbers where texts and patient tables name a patient."""

import pyarrow as pa
import pytest

from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.redaction import KnownKind
from pseudo_service.core.tables.patient_table import PatientTable
from tests.lib.harnesses.deidentification import (
    BLIND_KEY,
    NHS_NUMBER,
    deidentify,
    list_rejected,
    make_context,
)
from tests.lib.harnesses.redactors import WordRedactor
from tests.lib.values.cohort import make_numbers
from tests.lib.values.superseded_numbers import make_superseded
from tests.spec.test_redact_text import RULES, TABLE_POLICY

OLD, NEW, REUSED = make_numbers(50_000, 3)
FATES = {OLD: NEW, REUSED: None}


def run(*, follows: bool):
    """Three notes; the patient table names its patients the other way round."""
    superseded = make_superseded(FATES, follows=follows)
    rule = parse_policy(TABLE_POLICY).patient_table
    assert rule is not None
    patients = pa.record_batch(
        {
            "number": [NEW, OLD, REUSED],
            "forename": ["Ada", "Adah", "Bea"],
            "alias": [None, "Addie", None],
            "phone": ["01632 960001", "01632 960002", "01632 960003"],
            "kin": [None, None, "Kit"],
        }
    )
    hashing = KeyedHash(SecretKey(BLIND_KEY), NHS_NUMBER)
    table = PatientTable(
        rule, patients.schema, hashing=hashing, rules=RULES, superseded=superseded
    )
    table.add(patients)
    table.seal()
    redactor = WordRedactor()
    context = make_context(
        redact=redactor.redact, patient_table=table, superseded=superseded
    )
    notes = pa.record_batch(
        {
            "nhs": [OLD, NEW, REUSED],
            "name": pa.nulls(3, pa.string()),
            "born": pa.nulls(3, pa.date32()),
            "at": pa.nulls(3, pa.date32()),
            "note": [f"was {OLD}, is {NEW}"] * 3,
        }
    )
    outcome = deidentify(TABLE_POLICY, notes, context)
    return outcome, [row for row, _ in redactor.asked]


def test_all_notes_of_a_person_know_all_that_is_known_under_any_number():
    outcome, (old, new, reused) = run(follows=True)
    assert set(old.known[KnownKind.NAMES]) == {"Ada", "Adah", "Addie"}
    assert old.known == new.known
    assert set(old.known[KnownKind.NUMBERS]) == {OLD, NEW}
    assert old.surrogate_key == new.surrogate_key is not None
    assert old.shift_days == new.shift_days is not None
    first, second, third = outcome.batch["note"].to_pylist()
    assert first == second
    assert first.count(outcome.batch["nhs"][0].as_py()) == 2
    assert reused.known == {}
    assert (reused.pseudonyms, reused.surrogate_key, reused.shift_days) == (
        {},
        None,
        None,
    )
    assert third == f"was {OLD}, is {NEW}"  # this redactor knows what it is told


def test_where_merges_are_not_followed_numbers_are_people():
    _, (old, new, reused) = run(follows=False)
    assert set(old.known[KnownKind.NAMES]) == {"Adah", "Addie"}
    assert set(new.known[KnownKind.NAMES]) == {"Ada"}
    assert old.known[KnownKind.NUMBERS] == (OLD,)
    assert old.surrogate_key != new.surrogate_key
    assert reused.known == {}


POLICY = """
policy: study-a/reused@1
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number, on_invalid: %s}
"""


@pytest.mark.parametrize(("on_invalid", "left"), [("null", 3), ("remove_row", 2)])
def test_the_policy_says_what_becomes_of_a_reissued_number(on_invalid, left):
    context = make_context(superseded=make_superseded(FATES, follows=False))
    outcome = deidentify(POLICY % on_invalid, {"nhs": [OLD, REUSED, NEW]}, context)
    assert outcome.batch.num_rows == left
    assert sum(each is None for each in outcome.batch["nhs"].to_pylist()) == left - 2
    assert outcome.counts["nhs"] == {"test_range": 2, "reissued": 1}
    assert list_rejected(outcome) == {("nhs", "reissued", 1)}


def test_numbers_of_other_kinds_are_left_alone():
    policy = POLICY.replace("nhs_number", "mrn@RXH") % "null"
    superseded = make_superseded(FATES)
    outcome = deidentify(
        policy, {"nhs": [OLD, REUSED]}, make_context(superseded=superseded)
    )
    assert outcome.counts["nhs"] == {"valid": 2}
    assert outcome.identities[0].canonical.to_pylist() == [OLD, REUSED]
