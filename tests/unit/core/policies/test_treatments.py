"""Each treatment, read from its fields: what is said, what is not, what is refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import PolicyInvalid
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.policies.treatments import (
    LONGEST_CODE,
    AfterExclusion,
    Drop,
    ExcludeRows,
    Generalise,
    Keep,
    OnInvalid,
    Pseudonymise,
    RedactText,
    ShiftDate,
    TreatmentName,
    name_treatment,
    read_date,
    read_kind,
    read_known,
    read_treatment,
)
from pseudo_service.core.policies.yaml_reader import Entry, Fields, read_document
from pseudo_service.core.redaction import KnownKind, Replacement, TextDates, TextMode
from pseudo_service.core.transforms.date_shift import TimeOfDay
from pseudo_service.core.transforms.generalisation import Generalisation

NHS = IdentifierKind.parse("nhs_number")
TREATMENTS = {
    "treatment: keep\nreason: the outcome": Keep(reason="the outcome"),
    "treatment: drop": Drop(),
    "treatment: pseudonymise\nkind: nhs_number": Pseudonymise(
        kind=NHS, on_invalid=OnInvalid.NULL, previous=None
    ),
    "treatment: pseudonymise\nkind: mrn@RXH\non_invalid: remove_row\nprevious: old": (
        Pseudonymise(
            kind=IdentifierKind.parse("mrn@RXH"),
            on_invalid=OnInvalid.REMOVE_ROW,
            previous="old",
        )
    ),
    "treatment: shift_date": ShiftDate(time_of_day=TimeOfDay.ZERO, formats=()),
    "treatment: shift_date\ntime_of_day: keep\nformats: ['%Y', '%Y-%m']": ShiftDate(
        time_of_day=TimeOfDay.KEEP, formats=("%Y", "%Y-%m")
    ),
    "treatment: generalise\nto: year": Generalise(to=Generalisation.YEAR),
    "treatment: generalise\nto: age_band\nas_of: 2024-02-29\nformats: ['%d/%m/%Y']": (
        Generalise(
            to=Generalisation.AGE_BAND,
            formats=("%d/%m/%Y",),
            as_of=date(2024, 2, 29),
        )
    ),
    "treatment: exclude_rows\ncodes: [Z31*, A56.0]\nlist: law\nthen: drop": ExcludeRows(
        codes=("A56.0", "Z31*"), list_name="law", then=AfterExclusion.DROP, reason=None
    ),
    "treatment: exclude_rows\ncodes: [7]\nlist: law\nthen: keep\nreason: needed": (
        ExcludeRows(
            codes=("7",), list_name="law", then=AfterExclusion.KEEP, reason="needed"
        )
    ),
    "treatment: redact_text": RedactText(
        known={},
        known_from=None,
        mode=TextMode.THOROUGH,
        replacement=Replacement.TAGS,
        dates=TextDates.REDACT,
        reason=None,
    ),
    "treatment: redact_text\nknown: {names: [a], dates: [b]}\nknown_from: people\n"
    "mode: fast\nreplacement: surrogates\ndates: keep\nreason: days count": RedactText(
        known={KnownKind.NAMES: ("a",), KnownKind.DATES: ("b",)},
        known_from="people",
        mode=TextMode.FAST,
        replacement=Replacement.SURROGATES,
        dates=TextDates.KEEP,
        reason="days count",
    ),
}


def read(text):
    fields = Fields(read_document(text))
    treatment = read_treatment(fields)
    fields.close()
    return treatment


def refuse(call, *arguments):
    with pytest.raises(PolicyInvalid) as refusal:
        call(*arguments)
    assert refusal.value.code is ErrorCode.POLICY_INVALID
    return refusal.value.message


def make_entry(value):
    return Entry(path="x", line=3, value=value)


@pytest.mark.parametrize(("text", "treatment"), TREATMENTS.items())
def test_a_treatment_is_read_with_its_careful_defaults(text, treatment):
    assert read(text) == treatment


@pytest.mark.parametrize(("text", "treatment"), TREATMENTS.items())
def test_a_treatment_has_the_name_that_the_policy_gave_it(text, treatment):
    assert f"treatment: {name_treatment(treatment)}" == text.partition("\n")[0]


def test_every_name_of_a_treatment_is_read():
    assert {name_treatment(each) for each in TREATMENTS.values()} == set(TreatmentName)


def test_the_order_of_codes_means_nothing():
    text = "treatment: exclude_rows\ncodes: [{}]\nlist: law\nthen: drop"

    assert read(text.format("B1, A1*")) == read(text.format("A1*, B1"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("reason: x", '"treatment" is missing: give one of keep, drop'),
        ("treatment: Keep\nreason: needed", "give one of keep, drop"),
        ("treatment: keep\nreason: '---'", "give a reason in words"),
        ("treatment: keep\nreason: a1b2", "give a reason in words"),
        ("treatment: keep\nreason: ok", "give a reason in words"),
        ("treatment: pseudonymise\nkind: nhs_number\nprevious: ' '", "it is blank"),
        ("treatment: shift_date\ntime_of_day: drop", "give one of"),
        ("treatment: shift_date\nformats: ['%Y', '%d/%m']", "date format 2: needs"),
        ("treatment: shift_date\nformats: ['%Y-%m-%d%']", "date format 1: use %Y"),
        ("treatment: shift_date\nformats: ['%Y', '%Y']", "stands here twice"),
        ("treatment: shift_date\nas_of: 2024-01-01", 'unknown key "as_of"'),
        ("treatment: generalise", '"to" is missing: give one of month'),
        ("treatment: generalise\nto: month\nas_of: 2024-01-01", "only age_band"),
        ("treatment: generalise\nto: postcode_area\nformats: ['%Y']", "no formats"),
        ("treatment: exclude_rows\nlist: law\nthen: drop", '"codes" is missing'),
        ("treatment: exclude_rows\ncodes: [A]\nthen: drop", '"list" is missing'),
        ("treatment: exclude_rows\ncodes: [A]\nlist: law", '"then" is missing'),
        ("treatment: exclude_rows\ncodes: [A]\nlist: law\nthen: keep\nreason: '1'",
         "give a reason in words"),
        ("treatment: exclude_rows\ncodes: [A]\nlist: law\nthen: drop\nreason: why",
         'unknown key "reason"'),
        ("treatment: exclude_rows\ncodes: [[A]]\nlist: law\nthen: drop", "one text"),
        ("treatment: redact_text\ndates: keep", '"reason" is missing'),
        ("treatment: redact_text\ndates: shift\nreason: why", "dates: keep only"),
        ("treatment: redact_text\nmode: quick", "give one of"),
        ("treatment: redact_text\nreplacement: none", "give one of"),
        ("treatment: redact_text\nknown: {}", "it names nothing"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_of_a_treatment_is_refused(text, words):
    assert words in refuse(read, text)


@pytest.mark.parametrize(
    "code", ["*", "Z*1", "Z31**", ".Z31", "-1", "Z 31", "Z31;A56", "Z31†", "é"]
)
def test_what_is_no_code_is_refused(code):
    text = f"treatment: exclude_rows\ncodes: ['{code}']\nlist: law\nthen: drop"

    assert "give a code of letters" in refuse(read, text)


def test_the_longest_code_is_taken():
    text = "treatment: exclude_rows\ncodes: ['{}']\nlist: law\nthen: drop"

    assert read(text.format("9" * LONGEST_CODE)).codes == ("9" * LONGEST_CODE,)
    assert f"at most {LONGEST_CODE}" in refuse(
        read, text.format("9" * (LONGEST_CODE + 1))
    )


@given(st.dates())
def test_a_day_is_read_back(day):
    assert read_date(make_entry(day.isoformat())) == day


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("20240101", "YYYY-MM-DD"),
        ("2024-W01-1", "YYYY-MM-DD"),
        ("2024-1-1", "YYYY-MM-DD"),
        ("2024-01-01T00", "YYYY-MM-DD"),
        ("2023-02-29", "the calendar has"),
        ("0000-01-01", "the calendar has"),
    ],
)
def test_other_ways_to_write_a_day_are_refused(text, words):
    assert words in refuse(read_date, make_entry(text))


@pytest.mark.parametrize("text", ["nhs_number", "chi_number", "hc_number", "mrn@RXH"])
def test_a_kind_is_read_back(text):
    assert read_kind(make_entry(text)).text == text


@pytest.mark.parametrize("text", ["nhs", "mrn", "@RXH", "mrn@", "9994737805"])
def test_what_is_no_kind_is_refused_without_its_text(text):
    message = refuse(read_kind, make_entry(text))

    assert message.startswith("x (line 3): give nhs_number, chi_number, hc_number")
    assert "9994737805" not in message


def test_known_columns_are_read_by_kind_and_cannot_be_changed():
    known = read_known(read_document("numbers: [a, b]\nnames: [c]"))

    assert known == {KnownKind.NAMES: ("c",), KnownKind.NUMBERS: ("a", "b")}
    with pytest.raises(TypeError):
        known[KnownKind.DATES] = ("d",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("names: [a]\nnumbers: [a]", "stands under two kinds"),
        ("names: [a, a]", "stands here twice"),
        ("names: []", "the list is empty"),
        ("names: a", "give a list"),
        ("pets: [a]", 'unknown key "pets"'),
    ],
)
def test_known_columns_that_say_nothing_or_twice_are_refused(text, words):
    assert words in refuse(read_known, read_document(text))
