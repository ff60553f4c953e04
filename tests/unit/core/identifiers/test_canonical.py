"""Every shape that a hospital's extract writes an identifier in, as a table."""

import re

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.errors import ColumnTypeUnsuitable, IdentifierRefused
from pseudo_service.core.identifiers.canonical import canonicalise, canonicalise_one
from pseudo_service.core.identifiers.kinds import (
    CLASSES,
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)

NHS, CHI, HC = map(IdentifierKind.parse, ("nhs_number", "chi_number", "hc_number"))
MRN = IdentifierKind.parse("mrn@RXH")
DEMO = IdentifierRules(accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT)
PRODUCTION = IdentifierRules(
    accept_test_range=False, chi_in_nhs_column=ChiInNhsColumn.REJECT
)
WITH_CHI = IdentifierRules(
    accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.ACCEPT
)
NUMBER = "9990441537"
# Numbers of issued ranges appear below only at the borders of those ranges.

WRITTEN_SO = [
    "9990441537",
    "999 044 1537",
    "999-044-1537",
    "999\u2013044\u20141537",
    "999\u2011044\u22121537",
    "999\xa0044\xa01537",
    "999\u2009044\u202f1537",
    "999\u2003044\u30001537",
    "  9990441537",
    "9990441537 \t",
    "\ufeff9990441537",
    "999\u200b0441537",
    "9990441537.0",
    "9990441537.",
    "9990441537.00",
    "999 044 1537.0 ",
    "\uff19\uff19\uff19\uff10\uff14\uff14\uff11\uff15\uff13\uff17",
    "NHS 9990441537",
    "NHS No: 999 044 1537",
    "nhs number 9990441537",
    "NHS No. 9990441537",
    "NHS Number: 999-044-1537",
    "NHS#9990441537",
    "9 9 9 0 4 4 1 5 3 7",
]

REFUSED = [
    (NHS, "9990441538", "bad_check_digit"),
    (NHS, "999044153", "wrong_length"),
    (NHS, "99904415371", "wrong_length"),
    (NHS, "9.99E+09", "not_a_number"),
    (NHS, "9,990,441,537", "not_a_number"),
    (NHS, "-9990441537", "not_a_number"),
    (NHS, "999044153X", "not_a_number"),
    (NHS, "9990441537.5", "not_a_number"),
    (NHS, "999044\u0661537", "not_a_number"),
    (NHS, "Smith", "not_a_number"),
    (NHS, "NHS", "missing"),
    (NHS, "NHS No:", "missing"),
    (NHS, "0000000000", "dummy"),
    (NHS, "9999999999", "dummy"),
    (NHS, "111 111 1111", "dummy"),
    (NHS, "1234567890", "dummy"),
    (NHS, "1234567881", "dummy"),
    (NHS, "9876543210", "dummy"),
    (NHS, "0123456789", "dummy"),
    (NHS, "3999999993", "hc_range"),
    (NHS, "0101000006", "chi_range"),
    (NHS, "0113000006", "other_range"),
    (CHI, "0113000006", "other_range"),
    (CHI, "4000000004", "other_range"),
    (CHI, "3200000015", "hc_range"),
    (HC, "4000000004", "other_range"),
    (HC, "0101000006", "chi_range"),
    (MRN, "RXH 3291165", "invalid"),
    (MRN, "RXH\xa33291165", "invalid"),
    (MRN, "R" * 41, "invalid"),
    (MRN, "STRA\u00dfE1", "invalid"),
    (MRN, "\u0131234", "invalid"),
    (MRN, "0000000", "dummy"),
    (MRN, "XXXX", "dummy"),
]

ABSENT = [
    None,
    "",
    "   ",
    "\xa0",
    "NA",
    "n/a",
    "N/A",
    "NULL",
    "none",
    "None",
    "nan",
    "Unknown",
    "NOT KNOWN",
    "-",
    "\u2013",
    "--",
    ".",
    "?",
    "<NA>",
    "\\N",
]


def classify(text, kind, rules=DEMO):
    """Classify by both ways, which must agree."""
    outcome = canonicalise(pa.array([text], pa.string()), kind, rules)
    one = canonicalise_one(text, kind, rules)
    assert one == (outcome.values[0].as_py(), CLASSES[outcome.classes[0]])
    assert outcome.accepted[0] == outcome.values[0].is_valid
    return one


@pytest.mark.parametrize("text", WRITTEN_SO)
def test_every_way_of_writing_a_number_is_the_same_number(text):
    assert classify(text, NHS) == (NUMBER, "test_range")


@pytest.mark.parametrize(("kind", "text", "expected"), REFUSED)
def test_what_is_no_identifier_says_why(kind, text, expected):
    assert classify(text, kind) == (None, expected)


@pytest.mark.parametrize("kind", [NHS, CHI, HC, MRN])
@pytest.mark.parametrize("text", ABSENT)
def test_nothing_recorded_is_missing_and_no_identifier(text, kind):
    assert classify(text, kind) == (None, "missing")


def test_the_test_range_is_accepted_only_where_the_deployment_says_so():
    assert classify(NUMBER, NHS, PRODUCTION) == (None, "test_range")
    assert classify(NUMBER, CHI, PRODUCTION) == (None, "test_range")
    assert classify(NUMBER, CHI, DEMO) == (NUMBER, "test_range")


@pytest.mark.parametrize(
    ("kind", "rules", "expected"),
    [
        (NHS, WITH_CHI, "0101000006"),
        (NHS, DEMO, None),
        (HC, WITH_CHI, None),
        (CHI, DEMO, "0101000006"),
    ],
)
def test_a_chi_number_in_an_nhs_column_is_for_the_policy(kind, rules, expected):
    assert classify("010 100 0006", kind, rules)[0] == expected


@pytest.mark.parametrize("text", ["101000006", "101000006.0", " 101 000 006"])
def test_a_lost_leading_zero_is_restored_for_chi_only(text):
    assert classify(text, CHI) == ("0101000006", "valid")
    assert classify(text, NHS, WITH_CHI) == (None, "wrong_length")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3112990005", "chi_range"),
        ("3112999991", "chi_range"),
        ("3113000009", "valid"),
        ("3200000007", "hc_range"),
        ("3200000015", "hc_range"),
        ("3999999993", "hc_range"),
        ("4000000004", "valid"),
    ],
)
def test_the_borders_of_the_ranges(text, expected):
    assert classify(text, NHS)[1] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2902000006", "valid"),  # 29 February 00, which may be 2000
        ("2902040008", "valid"),
        ("2902010001", "other_range"),
        ("0113000006", "other_range"),
    ],
)
def test_a_chi_number_begins_with_a_day_that_exists(text, expected):
    assert classify(text, CHI)[1] == expected


@pytest.mark.parametrize("text", ["rxh3291165", " RXH3291165 ", "\uff32XH3291165"])
def test_local_numbers_ignore_case_and_blanks_around(text):
    assert classify(text, MRN) == ("RXH3291165", "valid")


def test_local_numbers_keep_leading_zeros():
    assert classify("00123", MRN) == ("00123", "valid")


def test_the_longest_local_number_fits_one_block_of_the_mac():
    long_kind = IdentifierKind.parse("hospital_number@RXH001")
    assert classify("9" * 32, long_kind)[1] == "valid"
    assert classify("9" * 33, long_kind)[1] == "invalid"


@pytest.mark.parametrize(
    "kind", [pa.int64(), pa.uint64(), pa.float64(), pa.large_string(), pa.string_view()]
)
def test_numbers_are_read_from_every_lossless_type(kind):
    value = NUMBER if "string" in str(kind) else int(NUMBER)
    outcome = canonicalise(pa.array([value, None], kind), NHS, DEMO)
    assert outcome.values.to_pylist() == [NUMBER, None]
    assert [CLASSES[code] for code in outcome.classes] == ["test_range", "missing"]


def test_small_integers_and_chi_integers():
    chi = canonicalise(pa.array([101000006, -1, 0]), CHI, DEMO)
    assert chi.values.to_pylist() == ["0101000006", None, None]
    assert [CLASSES[code] for code in chi.classes] == [
        "valid",
        "not_a_number",
        "wrong_length",
    ]


def test_floats_that_are_no_integers_are_no_numbers():
    values = pa.array([float(NUMBER) + 0.5, float("inf"), float("nan"), 1e300, -1.0])
    outcome = canonicalise(values, NHS, DEMO)
    assert [CLASSES[code] for code in outcome.classes] == [
        "not_a_number",
        "not_a_number",
        "missing",
        "not_a_number",
        "not_a_number",
    ]
    assert outcome.values.null_count == 5


@pytest.mark.parametrize(
    "kind", [pa.float32(), pa.float16(), pa.bool_(), pa.binary(), pa.date32()]
)
def test_types_that_corrupt_numbers_are_refused(kind):
    with pytest.raises(ColumnTypeUnsuitable, match=re.escape(str(kind))):
        canonicalise(pa.nulls(1, kind), NHS, DEMO)


def test_a_column_without_any_value():
    for values in (pa.nulls(3), pa.array([], pa.string())):
        outcome = canonicalise(values, NHS, DEMO)
        assert outcome.values.null_count == len(values) == len(outcome.classes)
        assert outcome.values.type == pa.string()


def test_a_slice_of_a_column_is_read_at_its_place():
    column = pa.array(["x", NUMBER, "999 044 1537", "NA", NUMBER])
    assert canonicalise(column[1:2], NHS, DEMO).values.to_pylist() == [NUMBER]
    assert canonicalise(column[2:], NHS, DEMO).values.to_pylist() == [
        NUMBER,
        None,
        NUMBER,
    ]


def test_classes_and_acceptance_run_beside_the_values():
    values = pa.array([NUMBER, "bad", None, "9990441538"])
    outcome = canonicalise(values, NHS, DEMO)
    assert outcome.classes.dtype == np.uint8
    assert outcome.accepted.tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    "text", ["nhs_number@RXH", "mrn", "MRN@RXH", "mrn@rxh", "mrn@", "mrn@TOOLONG1", ""]
)
def test_a_kind_has_a_site_exactly_if_it_is_local(text):
    with pytest.raises(IdentifierRefused):
        IdentifierKind.parse(text)


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("nhs_number", "N"),
        ("chi_number", "C"),
        ("hc_number", "H"),
        ("mrn@RXH", "M"),
        ("lab_number@RXH01", "X"),
    ],
)
def test_a_kind_reads_back_and_has_its_letter(text, letter):
    kind = IdentifierKind.parse(text)
    assert (kind.text, kind.letter) == (text, letter)
