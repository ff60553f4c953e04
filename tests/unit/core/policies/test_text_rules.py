"""What a policy may say of free text, and what it may not."""

import pyarrow as pa
import pytest

from pseudo_service.core.errors import (
    ColumnMissing,
    ColumnTypeUnsuitable,
    ColumnUnlisted,
    PolicyInvalid,
)
from pseudo_service.core.policies.explanation import explain_policy
from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.policies.suggestion import profile_table, write_policy
from pseudo_service.core.redaction import KnownKind, Replacement, TextDates, TextMode
from pseudo_service.core.tables.patient_table import check_schema
from tests.lib.values.nhs_numbers import make_nhs_number

POLICY = """\
policy: study-a/notes@1
patient: {column: nhs, kind: nhs_number}
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number}
  name: {treatment: drop}
  note: {treatment: redact_text, known: {names: [name]}, known_from: patients}
patient_table:
  name: patients
  column: number
  kind: nhs_number
  known: {names: [forename, surname], dates: [born]}
"""
BARE = (
    "policy: study-a/notes@1\ncolumns:\n  name: {treatment: drop}\n  note: {FIELDS}\n"
)


def test_what_a_text_column_says_is_read():
    policy = parse_policy(
        POLICY.replace(
            "known_from: patients}",
            "known_from: patients, mode: fast, replacement: masks, dates: keep, "
            "reason: the outcome is counted in days}",
        )
    )

    treatment = policy.columns[2].treatment
    assert treatment.known == {KnownKind.NAMES: ("name",)}
    assert treatment.known_from == "patients"
    assert treatment.style.mode is TextMode.FAST
    assert treatment.style.replacement is Replacement.MASKS
    assert treatment.style.dates is TextDates.KEEP
    assert policy.patient_table.columns == ("number", "forename", "surname", "born")


def test_what_is_not_said_is_the_careful_choice():
    style = parse_policy(POLICY).columns[2].treatment.style
    assert (style.mode, style.replacement, style.dates) == (
        "thorough",
        "tags",
        "redact",
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("known: [name]", "give a mapping"),
        ("known: {}", "names nothing"),
        ("known: {names: []}", "the list is empty"),
        ("known: {forenames: [name]}", 'unknown key "forenames"'),
        ("known: {names: [name], people: [name]}", "under two kinds"),
        ("known: {names: [note]}", "the text itself"),
        ("known: {names: [other]}", "not among columns"),
        ("mode: quick", "give one of thorough, fast"),
        ("replacement: stars", "give one of tags, masks, surrogates"),
        ("dates: keep", '"reason" is missing'),
        ("dates: keep, reason: '12'", "give a reason in words"),
        ("dates: redact, reason: because of it", "take it out"),
        ("dates: shift", "say under patient"),
        ("replacement: surrogates", "say under patient"),
        ("known_from: patients", "describe it in patient_table"),
        ("model: thorough", 'unknown key "model"'),
    ],
)  # fmt: skip
def test_what_a_text_column_says_wrongly_is_refused(fields, words):
    with pytest.raises(PolicyInvalid) as refusal:
        parse_policy(BARE.replace("FIELDS", f"treatment: redact_text, {fields}"))
    assert words in refusal.value.message
    assert "(line 4)" in refusal.value.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("known_from: patients", "known_from: others", "describe it in patient_table"),
        (", known_from: patients", "", "no column has known_from"),
        ("  kind: nhs_number\n", "  kind: mrn@RXH\n", "none of patient's"),
        ("  column: number\n", "", '"column" is missing'),
        ("[forename, surname]", "[forename, number]", "that is known"),
        ("  name: patients\n", "  name: patients\n  extra: 1\n", 'unknown key "extra"'),
        ("name: {treatment: drop}", "name: {treatment: shift_date}", None),
    ],
)
def test_what_is_wrong_with_a_patient_table_is_refused(old, new, words):
    text = POLICY.replace(old, new, 1)
    if words is None:
        assert parse_policy(text).shifts_dates
        return
    with pytest.raises(PolicyInvalid) as refusal:
        parse_policy(text)
    assert words in refusal.value.message


def test_dates_are_not_kept_in_texts_beside_shifted_ones():
    text = POLICY.replace("name: {treatment: drop}", "name: {treatment: shift_date}")
    text = text.replace(
        "known_from: patients}", "known_from: patients, dates: keep, reason: needed}"
    )
    with pytest.raises(PolicyInvalid, match="offset"):
        parse_policy(text.replace("known: {names: [name]}, ", ""))


def test_shifted_dates_of_texts_shift_what_is_generalised():
    text = POLICY.replace(
        "known_from: patients}", "known_from: patients, dates: shift}"
    )
    assert parse_policy(text).shifts_dates
    assert not parse_policy(POLICY).shifts_dates


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("names: [name]", "people: [name]"),
        ("known_from: patients}", "known_from: patients, mode: fast}"),
        ("dates: [born]", "people: [born]"),
        ("column: number", "column: nhs_number"),
    ],
)
def test_every_word_about_texts_is_in_the_digest(old, new):
    assert parse_policy(POLICY.replace(old, new)).digest != parse_policy(POLICY).digest


def test_a_policy_without_a_patient_table_keeps_the_digest_it_had():
    policy = parse_policy(
        "policy: a-b/c@1\ncolumns: {x: {treatment: keep, reason: abc}}"
    )
    assert "patient_table" not in policy.canonical_text()


def test_known_columns_that_cannot_be_written_are_refused():
    policy = parse_policy(POLICY)
    schema = pa.schema({"nhs": pa.string(), "name": pa.bool_(), "note": pa.string()})
    with pytest.raises(ColumnTypeUnsuitable, match="known identifiers"):
        compile_plan(policy, schema)


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"number": pa.string(), "forename": pa.string()}, ColumnMissing),
        (
            dict.fromkeys(
                ("number", "forename", "surname", "born", "sex"), pa.string()
            ),
            ColumnUnlisted,
        ),
        (
            {
                "number": pa.float32(),
                **dict.fromkeys(("forename", "surname", "born"), pa.string()),
            },
            ColumnTypeUnsuitable,
        ),
    ],
)
def test_a_patient_table_of_another_shape_is_refused(columns, error):
    rule = parse_policy(POLICY).patient_table
    with pytest.raises(error):
        check_schema(rule, pa.schema(columns))


def test_the_explanation_says_what_happens_to_texts():
    lines = explain_policy(parse_policy(POLICY))

    text = "\n".join(lines)
    assert "names known from name" in text
    assert "patient table patients, sent ahead: number as nhs_number" in text
    assert "its dates are removed" in text
    assert any(line.startswith("review: note: no search finds") for line in lines)


def test_a_suggestion_says_as_what_each_column_is_known():
    numbers = [make_nhs_number(seed) for seed in range(5)]
    table = pa.table(
        {
            "nhs_number": numbers,
            "mrn": [f"RXH{n}" for n in range(5)],
            "forename": ["Ada", "Bob", "Cy", "Di", "Eve"],
            "next_of_kin": ["Al", "Be", "Ce", "De", "Ef"],
            "date_of_birth": ["1950-01-02", "1951-02-03", "1960-03-04", "1970-01-01", "1980-05-05"],
            "address": ["1 High Street"] * 5,
            "postcode": ["OX3 9DU"] * 5,
            "telephone": ["01632 960001"] * 5,
            "email": ["a@example.org"] * 5,
            "note": ["a long note about what was done in the clinic on that day"] * 5,
        }
    )  # fmt: skip

    policy = parse_policy(write_policy(profile_table(table), "study-a/notes@1"))

    assert policy.columns[-1].treatment.known == {
        KnownKind.NUMBERS: ("nhs_number", "mrn"),
        KnownKind.NAMES: ("forename",),
        KnownKind.PEOPLE: ("next_of_kin",),
        KnownKind.DATES: ("date_of_birth",),
        KnownKind.ADDRESSES: ("address",),
        KnownKind.POSTCODES: ("postcode",),
        KnownKind.PHONES: ("telephone",),
        KnownKind.EMAILS: ("email",),
    }
    compile_plan(policy, table.schema)
