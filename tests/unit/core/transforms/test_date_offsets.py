"""Offsets: never none, within the bound, even, and no help in guessing another."""

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.projects.project import (
    DateShiftRule,
    ShiftDirection,
    ShiftUnit,
)
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.transforms.date_shift import choose_offsets
from tests.lib.values.linear_attack import (
    measure_success,
    predict_from_known,
    shift_linearly,
)
from tests.lib.values.nhs_numbers import make_nhs_number

NHS = IdentifierKind.parse("nhs_number")
KEY = b"one key of a project, for dates."
PATIENTS = [make_nhs_number(seed) for seed in range(0, 400_000, 20)]
RULES = [
    DateShiftRule(unit=unit, bound=bound, direction=direction)
    for unit, bound in ((ShiftUnit.WEEKS, 26), (ShiftUnit.DAYS, 101))
    for direction in ShiftDirection
]


def offsets_of(patients, rule, key=KEY):
    hashing = KeyedHash(SecretKey(key), NHS)
    return choose_offsets(hashing.mac(pa.array(patients)), rule)


def possible_offsets(rule):
    unit = 7 if rule.unit is ShiftUnit.WEEKS else 1
    past = {-unit * step for step in range(1, rule.bound + 1)}
    if rule.direction is ShiftDirection.PAST:
        return past
    return past | {-offset for offset in past}


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_every_possible_offset_occurs_and_no_other(rule):
    found = set(offsets_of(PATIENTS, rule).tolist())
    assert found == possible_offsets(rule)
    assert 0 not in found


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_offsets_are_even(rule):
    # Chi-square against even counts: with k offsets its mean is k - 1 and its
    # variance 2(k - 1); five deviations are never reached by chance.
    offsets, counts = np.unique(offsets_of(PATIENTS, rule), return_counts=True)
    expected = len(PATIENTS) / len(offsets)
    statistic = ((counts - expected) ** 2 / expected).sum()
    freedom = len(offsets) - 1
    assert abs(statistic - freedom) < 5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize("divisor_rule", RULES, ids=str)
def test_the_whole_mac_decides(divisor_rule):
    macs = np.random.default_rng(3).integers(0, 256, (500, 16)).astype(np.uint8)
    edges = np.array([[0] * 16, [255] * 16, [0] * 15 + [1], [1] + [0] * 15], np.uint8)
    macs = np.vstack([macs, edges])
    bound = divisor_rule.bound
    both = divisor_rule.direction is ShiftDirection.BOTH
    unit = 7 if divisor_rule.unit is ShiftUnit.WEEKS else 1
    expected = []
    for mac in macs:
        rest = int.from_bytes(mac.tobytes(), "big") % (2 * bound if both else bound)
        expected.append((-1 - rest if rest < bound else rest - bound + 1) * unit)
    assert choose_offsets(macs, divisor_rule).tolist() == expected


def test_patients_keep_their_offset_and_projects_do_not_share_it():
    rule = DateShiftRule()
    first = offsets_of(PATIENTS[:2000], rule)
    assert (first == offsets_of(PATIENTS[:2000], rule)).all()
    other = offsets_of(PATIENTS[:2000], rule, key=KEY[::-1])
    assert 0 < (first == other).mean() < 0.05


def test_the_linear_attack_breaks_the_linear_formula():
    offsets = [shift_linearly(patient, b"a secret key") for patient in PATIENTS[:2000]]
    known = dict(zip(PATIENTS[:2], offsets[:2], strict=True))
    predict = predict_from_known(known, lowest=-50)
    assert measure_success(predict, PATIENTS[2:2000], offsets[2:]) == 1.0


@pytest.mark.parametrize("known_patients", [2, 3])
def test_the_linear_attack_learns_nothing_about_ours(known_patients):
    rule = DateShiftRule(unit=ShiftUnit.DAYS, bound=101)  # as many as the formula's
    offsets = offsets_of(PATIENTS[:2000], rule).tolist()
    known = dict(zip(PATIENTS[:known_patients], offsets[:known_patients], strict=True))
    predict = predict_from_known(known, lowest=-101)
    rest = slice(known_patients, 2000)
    assert measure_success(predict, PATIENTS[rest], offsets[rest]) < 0.03
