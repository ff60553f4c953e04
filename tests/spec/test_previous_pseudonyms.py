"""Old pseudonyms beside the new, while a rotation's window of overlap is open."""

import hashlib
import hmac

import pyarrow as pa
import pytest

from pseudo_service.core.errors import PolicyInvalid
from pseudo_service.core.policies.explanation import explain_policy
from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.pseudonyms.text_form import parse_pseudonym
from tests.lib.harnesses.deidentification import PREVIOUS_KEYS, deidentify, make_context
from tests.lib.values.nhs_numbers import make_nhs_number

POLICY = """
policy: study-a/visits@1
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number, rename: patient, previous: old_patient}
  visit: {treatment: keep, reason: order of visits}
"""
ADA, BOB = make_nhs_number(1), make_nhs_number(2)
VISITS = {"nhs_number": [ADA, None, "123", BOB, ADA], "visit": [1, 2, 3, 4, 5]}


def test_the_old_pseudonym_stands_right_after_the_new_one():
    answer = deidentify(POLICY, VISITS, make_context(overlaps=True)).batch
    assert answer.schema.names == ["patient", "old_patient", "visit"]
    new, old = answer.column(0).to_pylist(), answer.column(1).to_pylist()
    assert [text is None for text in old] == [text is None for text in new]
    assert old[0] == old[4] != old[3]
    assert {text[:7] for text in old if text} == {"TEST-N2"}
    assert {text[:7] for text in new if text} == {"TEST-N3"}


def test_the_old_pseudonym_is_of_the_old_key():
    answer = deidentify(POLICY, VISITS, make_context(overlaps=True)).batch
    message = b"nhs_number\x1f" + ADA.encode()
    expected = hmac.digest(PREVIOUS_KEYS["nhs_number"], message, hashlib.sha256)[:16]
    assert parse_pseudonym(answer.column(1)[0].as_py()).mac == expected


def test_outside_the_window_the_column_is_there_and_empty():
    answer = deidentify(POLICY, VISITS).batch
    assert answer.schema.names == ["patient", "old_patient", "visit"]
    assert answer.column(1).null_count == len(VISITS["visit"])
    assert answer.column(0).null_count == 2


def test_the_column_is_nobodys_further_identity():
    with_old = deidentify(POLICY, VISITS, make_context(overlaps=True))
    without = deidentify(POLICY, VISITS)
    assert with_old.counts == without.counts
    assert len(with_old.identities[0].canonical) == 2


@pytest.mark.parametrize("name", ["patient", "visit"])
def test_a_name_that_another_column_leaves_under_is_refused(name):
    with pytest.raises(PolicyInvalid, match="two columns leave as"):
        parse_policy(POLICY.replace("old_patient", name))


def test_only_pseudonyms_have_a_previous_version():
    with pytest.raises(PolicyInvalid, match="unknown key"):
        parse_policy(POLICY.replace("reason:", "previous: old, reason:"))


def test_a_policy_without_it_keeps_the_digest_that_it_always_had():
    plain = POLICY.replace(", previous: old_patient", "")
    assert "previous" not in parse_policy(plain).canonical_text()
    assert parse_policy(plain).digest != parse_policy(POLICY).digest
    assert parse_policy(plain).digest.hex() == DIGEST_BEFORE


DIGEST_BEFORE = "d1e020f07557d95eb077b652a419453e332109a0cf05ddff7a3ef90575571af3"


def test_it_is_explained():
    lines = explain_policy(parse_policy(POLICY))
    assert any("old_patient holds the pseudonym of the key version" in x for x in lines)


def test_the_plan_names_the_kinds_that_need_the_old_key():
    schema = pa.schema({"nhs_number": pa.string(), "visit": pa.int64()})
    plan = compile_plan(parse_policy(POLICY), schema)
    assert plan.previous_kinds == {"nhs_number"}
    plain = parse_policy(POLICY.replace(", previous: old_patient", ""))
    assert not compile_plan(plain, schema).previous_kinds
