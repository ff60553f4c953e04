"""What a column seems to hold; in doubt, that it identifies somebody."""
# ruff: noqa: DTZ001 - dates of a hospital's texts are naive

from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.policies.column_profiling import (
    FEW_CATEGORIES,
    MOST_DISTINCT,
    Content,
    infer_content,
    infer_formats,
    split_words,
)
from pseudo_service.core.transforms.date_parsing import check_formats
from tests.lib.values.nhs_numbers import make_nhs_number

NUMBERS = [make_nhs_number(seed * 7) for seed in range(100)]


def infer(name, values, kind=None):
    column = values if isinstance(values, pa.Array) else pa.array(values, kind)
    return infer_content(name, column).content


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dateOfBirth", {"date", "of", "birth"}),
        ("NHS_NUMBER", {"nhs", "number"}),
        ("NHSNumber", {"nhs", "number"}),
        ("home postcode", {"home", "postcode"}),
        ("address-line.2", {"address", "line", "2"}),
        ("icd10", {"icd", "10"}),
        ("", set()),
        ("__", set()),
    ],
)
def test_names_are_split_where_case_digits_and_marks_change(name, words):
    assert split_words(name) == words


@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.uint64(), pa.float64()])
def test_nhs_numbers_are_found_by_their_check_digit_whatever_the_name(kind):
    numbers = NUMBERS if kind == pa.string() else [int(each) for each in NUMBERS]

    assert infer("x", numbers, kind) is Content.NHS_NUMBER


def test_half_of_nhs_numbers_is_enough_and_less_is_not():
    assert infer("x", NUMBERS[:4] + ["n"] * 50 + ["a", "b", "c"]) is Content.NHS_NUMBER
    assert infer("x", [*NUMBERS[:4], "a", "b", "c", "d", "e"]) is not Content.NHS_NUMBER


def test_two_values_that_pass_the_check_may_be_chance_unless_the_name_says_so():
    assert infer("x", NUMBERS[:2]) is not Content.NHS_NUMBER
    assert infer("nhs_no", NUMBERS[:2]) is Content.NHS_NUMBER
    assert infer("nhs_no", pa.array([], pa.string())) is Content.NHS_NUMBER
    assert infer("nhs_no", pa.nulls(3)) is Content.NHS_NUMBER


@pytest.mark.parametrize("name", ["nhs_trust", "NHS site", "nhs_email"])
def test_the_word_nhs_beside_another_body_is_no_number(name):
    assert infer(name, ["RXH", "RYJ", "RXH"]) is not Content.NHS_NUMBER


@pytest.mark.parametrize("kind", [pa.decimal128(10, 0), pa.decimal256(12, 0)])
@pytest.mark.parametrize("rows", [2, 100])
def test_nhs_numbers_of_a_type_that_nothing_reads_are_never_kept(kind, rows):
    column = pa.array([Decimal(each) for each in NUMBERS[:rows]], kind)

    assert infer("nhs_number", column) is Content.DIRECT
    if rows > FEW_CATEGORIES:
        assert infer("x", column) is Content.HIGH_CARDINALITY


def test_a_decimal_with_a_fraction_is_a_measure():
    column = pa.array([Decimal(row) / 100 for row in range(100)], pa.decimal128(10, 2))

    assert infer("creatinine", column) is Content.MEASURE
    assert infer("nhs_trust_rate", column) is Content.MEASURE


@pytest.mark.parametrize(
    "column",
    [
        pa.array([b"x"], pa.binary()),
        pa.array([b"x"], pa.large_binary()),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array([["a"], None]),
        pa.array([{"a": 1}]),
    ],
)
def test_what_cannot_be_looked_into_is_nested_even_under_a_harmless_name(column):
    assert infer("sex", column) is Content.NESTED


@pytest.mark.parametrize(
    ("kind", "has_time"),
    [
        (pa.date32(), False),
        (pa.date64(), False),
        (pa.timestamp("us"), True),
        (pa.timestamp("s", "Europe/London"), True),
    ],
)
def test_typed_dates_are_dates_and_of_birth_by_name(kind, has_time):
    column = pa.array([datetime(2024, 5, 1), None], pa.timestamp("s")).cast(kind)
    for name, content in (("admitted", Content.DATE), ("dob", Content.BIRTH_DATE)):
        found = infer_content(name, column)
        assert (found.content, found.has_time, found.formats) == (content, has_time, ())


def test_dates_as_text_bring_their_formats_and_whether_they_have_a_time():
    day = infer_content("date_of_birth", pa.array(["05/04/1951", "25/12/1960", "n/k"]))
    time = infer_content("seen", pa.array(["05/04/2021 09:30", "25/12/2021 10:00"]))

    assert day.content is Content.BIRTH_DATE
    assert (day.formats, day.has_time, day.distinct) == (("%d/%m/%Y",), False, 3)
    assert time.content is Content.DATE
    assert (time.formats, time.has_time) == (("%d/%m/%Y %H:%M",), True)


@pytest.mark.parametrize(
    ("name", "values", "content"),
    [
        ("postcode", ["?"], Content.POSTCODE),
        ("x", ["OX3 9DU", "ox39du", "W1A 1AA", "M1 1AE", "lost"], Content.POSTCODE),
        ("x", ["OX3 9DU", "OX3 9DU", "lost", "gone"], Content.CATEGORY),
        ("notes", ["ok"], Content.FREE_TEXT),
        ("note_id", ["a"] * 9, Content.CATEGORY),
        ("x", ["Seen in clinic with her daughter, who reports no falls."] * 9,
         Content.FREE_TEXT),
        ("x", ["a@example.org", "b@example.org", "c"] * 9, Content.DIRECT),
        ("x", ["01632 960001", "+44 1632 960002", "none"] * 9, Content.DIRECT),
        ("surname", ["Lovelace"] * 9, Content.DIRECT),
        ("mrn_no", ["A1"] * 9, Content.LOCAL_ID),
        ("hospital", ["General"] * 9, Content.CATEGORY),
        ("hospital", [f"H{row}" for row in range(9)], Content.LOCAL_ID),
        ("x", ["E11.9", "I21", "A56.0+", "M49.0*", "G63X"] * 9,
         Content.RESTRICTED_CODES),
        ("primary_diag", ["diabetes"] * 9, Content.RESTRICTED_CODES),
        ("sex", ["F", "M"] * 9, Content.CATEGORY),
        ("x", [f"v{row}" for row in range(FEW_CATEGORIES + 1)] * 9,
         Content.HIGH_CARDINALITY),
        ("x", [f"v{row}" for row in range(FEW_CATEGORIES)] * 9, Content.CATEGORY),
        ("x", ["a", "b", "c", "d"], Content.HIGH_CARDINALITY),
        ("x", [None, "n/a", ""], Content.CATEGORY),
    ],
)  # fmt: skip
def test_texts_are_told_apart_by_name_then_by_shape(name, values, content):
    assert infer(name, pa.array(values, pa.string())) is content


@pytest.mark.parametrize(
    ("name", "values", "content"),
    [
        ("telephone", [1632960001], Content.DIRECT),
        ("gmc", [1.0], Content.DIRECT),
        ("mrn_number", [7, 7, 7, 7, 7], Content.DIRECT),
        ("patient", list(range(9)), Content.DIRECT),
        ("patient_age", [70] * 9, Content.MEASURE),
        ("spell", list(range(9)), Content.HIGH_CARDINALITY),
        ("spell", [1.5 * row for row in range(99)], Content.MEASURE),
        ("dead", [True, False] * 9, Content.MEASURE),
    ],
)
def test_numbers_are_told_apart_by_name_then_by_how_many_there_are(
    name, values, content
):
    assert infer(name, values) is content


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=12), st.lists(st.none() | st.text(max_size=12), max_size=12))
def test_any_name_and_texts_get_a_profile_that_counts_distinct_values(name, texts):
    found = infer_content(name, pa.array(texts, pa.string()))

    assert found.content is not Content.NESTED
    assert found.distinct == len(set(texts) - {None})
    check_formats(found.formats)


def test_a_profile_looks_at_the_first_distinct_values_only():
    dates = [str(date(2020, 1, 1) + timedelta(row)) for row in range(MOST_DISTINCT)]
    strangers = [f"x{row}" for row in range(MOST_DISTINCT)]

    assert infer("x", dates + strangers) is Content.DATE
    assert infer("x", strangers + dates) is Content.HIGH_CARDINALITY


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.dates(min_value=date(1900, 1, 1)), min_size=1, max_size=20),
    st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%d-%b-%Y", "%d.%m.%Y", "%Y/%m/%d"]),
)
def test_the_format_that_wrote_the_dates_is_the_one_inferred(days, layout):
    assert infer_formats([day.strftime(layout) for day in days]) == (layout,)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dates(min_value=date(1900, 1, 1)), min_size=1, max_size=20))
def test_month_first_is_inferred_only_where_a_day_cannot_be_a_month(days):
    texts = [day.strftime("%m/%d/%Y") for day in days]
    is_certain = any(day.day > 12 for day in days)

    assert infer_formats(texts) == (("%m/%d/%Y",) if is_certain else ("%d/%m/%Y",))


@pytest.mark.parametrize(
    ("strangers", "formats"), [(2, ("%Y-%m-%d",)), (3, ())]
)  # of ten texts
def test_a_fifth_of_the_texts_may_be_no_dates(strangers, formats):
    texts = [f"2021-03-{day:02d}" for day in range(1, 11 - strangers)]

    assert infer_formats([*texts, *["lost"] * strangers]) == formats


def test_partial_dates_alone_are_too_little_to_call_texts_dates():
    assert infer_formats(["2021-03", "2021"]) == ()
    assert infer_formats(["2021-03-04"] * 8 + ["2021-03", "2021"]) == (
        "%Y-%m-%d",
        "%Y-%m",
        "%Y",
    )


def test_a_profile_shows_no_value_of_its_column():
    assert "Lovelace" not in repr(infer_content("x", pa.array(["Lovelace"])))
