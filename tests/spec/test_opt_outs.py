"""Opt-outs: who leaves, before anything else is done."""

from pseudo_service.core.arrow.sorted_macs import MacWords, SortedMacs
from pseudo_service.core.projects.project import Uncheckable
from tests.lib.harnesses.deidentification import deidentify, make_context, make_opt_outs
from tests.lib.values.nhs_numbers import make_nhs_number

POLICY = """
policy: study-a/visits@1
patient: {column: nhs_number, kind: nhs_number, else: {column: mrn, kind: mrn@RXH}}
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number}
  mrn: {treatment: drop}
  visit: {treatment: keep, reason: order of visits}
"""
ADA, BOB, EVE = (make_nhs_number(seed) for seed in (1, 2, 3))
VISITS = {
    "nhs_number": [ADA, BOB, None, "123", f"NHS {ADA}"],
    "mrn": ["RXH1", "RXH2", "RXH3", None, None],
    "visit": [1, 2, 3, 4, 5],
}


def run(**check) -> tuple[list, dict, list]:
    context = make_context(opt_outs=make_opt_outs(**check))
    outcome = deidentify(POLICY, VISITS, context)
    identities = [i for ids in outcome.identities for i in ids.canonical.to_pylist()]
    return outcome.batch.column("visit").to_pylist(), outcome.removed, identities


def test_an_opted_out_patient_leaves_with_every_row_and_no_identity():
    visits, removed, identities = run(numbers=[ADA, EVE])

    assert visits == [2]
    assert removed == {"opt_out": 2, "uncheckable": 2}
    assert identities == [BOB]


def test_the_uncheckable_stay_where_the_project_says_so():
    visits, removed, _ = run(numbers=[ADA], uncheckable=Uncheckable.KEEP)

    assert visits == [2, 3, 4]
    assert removed == {"opt_out": 2}


def test_an_allow_list_names_those_who_stay():
    visits, removed, identities = run(numbers=[ADA], is_allow_list=True)

    assert visits == [1, 5]
    assert removed == {"opt_out": 1, "uncheckable": 2}
    assert identities == [ADA]


def test_an_empty_allow_list_lets_nobody_through():
    visits, removed, identities = run(numbers=[], is_allow_list=True)

    assert visits == []
    assert removed == {"opt_out": 3, "uncheckable": 2}
    assert identities == []


def test_a_table_without_patient_cannot_be_checked():
    policy = """
policy: study-a/visits@1
columns:
  visit: {treatment: keep, reason: order of visits}
"""
    context = make_context(opt_outs=make_opt_outs([]))

    outcome = deidentify(policy, {"visit": [1, 2]}, context)

    assert outcome.batch.num_rows == 0
    assert outcome.removed == {"uncheckable": 2}


def test_an_opted_out_person_gets_no_pseudonym_in_another_column_either():
    policy = """
policy: study-a/births@1
patient: {column: baby, kind: nhs_number}
columns:
  baby: {treatment: pseudonymise, kind: nhs_number}
  mother: {treatment: pseudonymise, kind: nhs_number}
  birth: {treatment: keep, reason: order of births}
"""
    table = {"baby": [BOB, BOB, EVE], "mother": [ADA, EVE, None], "birth": [1, 2, 3]}
    context = make_context(opt_outs=make_opt_outs([ADA]))

    outcome = deidentify(policy, table, context)

    assert outcome.batch.column("birth").to_pylist() == [2, 3]
    assert outcome.removed == {"opt_out": 1}
    assert ADA not in outcome.identities[0].canonical.to_pylist()


def test_an_opted_out_person_leaves_where_the_policy_names_no_patient():
    policy = """
policy: study-a/visits@1
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number}
  mrn: {treatment: drop}
  visit: {treatment: keep, reason: order of visits}
"""
    opt_outs = make_opt_outs([ADA], uncheckable=Uncheckable.KEEP)

    outcome = deidentify(policy, VISITS, make_context(opt_outs=opt_outs))

    assert outcome.batch.column("visit").to_pylist() == [2, 3, 4]
    assert outcome.removed == {"opt_out": 2}


def test_indices_that_share_their_first_half_are_told_apart():
    check = make_opt_outs([ADA, BOB, EVE])
    twins = check.listed.words.write()
    twins[:, :8] = twins[0, :8]
    stored = SortedMacs.build(twins)
    absent = twins[:1].copy()
    absent[0, 15] ^= 1

    assert stored.contains(MacWords.read(twins[[2, 0]])).tolist() == [True, True]
    assert stored.contains(MacWords.read(absent)).tolist() == [False]
