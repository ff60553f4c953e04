"""What a reviewer reads of a policy: one line a fact, and what needs a second look."""

import pyarrow as pa
import pytest

from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import ColumnMissing, ColumnUnlisted
from pseudo_service.core.policies.explanation import explain_policy, find_doubts
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.policies.suggestion import REVIEW

HEAD = "policy: a-b/c@1\n"
PATIENT = "patient: {column: nhs, kind: nhs_number}\n"
NHS = "  nhs: {treatment: pseudonymise, kind: nhs_number}\n"


def read(columns, *, patient=PATIENT, more=""):
    return parse_policy(HEAD + patient + more + "columns:\n" + NHS + columns)


def explain(fields, **options):
    """Return the line of one column x, without its name."""
    lines = explain_policy(read(f"  x: {{{fields}}}\n", **options))
    (line,) = [line for line in lines if line.startswith("x")]
    return line.removeprefix("x").removeprefix(": ")


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ("treatment: keep, reason: the outcome", "kept as it is (the outcome)"),
        ("treatment: keep, reason: the outcome, rename: y",
         " as y: kept as it is (the outcome)"),
        ("treatment: drop", "dropped"),
        ("treatment: pseudonymise, kind: mrn@RXH",
         "pseudonymised as mrn@RXH; if it is not accepted, it becomes null"),
        ("treatment: pseudonymise, kind: mrn@RXH, on_invalid: remove_row",
         "pseudonymised as mrn@RXH; if it is not accepted, its row is removed"),
        ("treatment: shift_date, time_of_day: keep",
         "moved by the patient's offset, time of day: keep"),
        ("treatment: generalise, to: year", "reduced to year"),
        ("treatment: generalise, to: outward_code", "reduced to outward_code"),
        ("treatment: exclude_rows, codes: [A, B*], list: law, then: drop",
         "rows with any of 2 codes (law) are removed; then dropped"),
        ("treatment: exclude_rows, codes: [A], list: law, then: keep, reason: why",
         "rows with any of 1 codes (law) are removed; then kept"),
        ("treatment: redact_text",
         ("redacted free text (thorough search); identifiers become tags such as "
         "[NAME]; its dates are removed")),
        (("treatment: redact_text, mode: fast, replacement: masks, dates: keep, "
         "reason: days count, known: {numbers: [nhs]}"),
         ("redacted free text (fast search); identifiers become X of the same length; "
         "its dates stay (days count); numbers known from nhs")),
        ("treatment: redact_text, replacement: surrogates, dates: shift",
         ("redacted free text (thorough search); identifiers become invented ones, the "
         "same for the same patient; its dates move by the patient's offset")),
    ],
)  # fmt: skip
def test_each_treatment_is_said_in_words(fields, line):
    assert explain(fields) == line


@pytest.mark.parametrize(
    ("fields", "is_shifted"),
    [
        ("to: month", True),
        ("to: year", True),
        ("to: age_band, as_of: 2024-01-01", True),
        ("to: age_band", False),
        ("to: postcode_area", False),
    ],
)
def test_beside_shifted_dates_it_is_said_what_the_shift_reaches(fields, is_shifted):
    columns = f"  seen: {{treatment: shift_date}}\n  x: {{treatment: generalise, {fields}}}\n"  # fmt: skip
    (line,) = [each for each in explain_policy(read(columns)) if each[:2] == "x:"]

    assert line.endswith(" of the shifted date") is is_shifted


def test_the_column_of_the_version_before_is_named():
    line = explain("treatment: pseudonymise, kind: mrn@RXH, previous: before")

    assert "; while a rotation's overlap lasts, before holds the pseudonym" in line


def test_the_head_names_the_policy_its_patient_and_its_sentinels():
    policy = read(
        "  mrn: {treatment: drop}\n",
        patient="patient: {column: nhs, kind: nhs_number, else: {column: mrn, kind: mrn@RXH}}\n",
        more="sentinels: [9999-12-31, 1900-01-01]\n",
    )

    assert explain_policy(policy)[:3] == [
        f"policy a-b/c@1, digest {policy.digest.hex()}",
        "patient: nhs as nhs_number, else mrn as mrn@RXH",
        "dates that become null and are counted: 1900-01-01, 9999-12-31",
    ]
    assert "patient: none" in explain_policy(read("", patient=""))


def test_the_patient_table_is_said_with_its_columns():
    policy = read(
        "  x: {treatment: redact_text, known_from: people}\n",
        more="patient_table: {name: people, column: number, kind: nhs_number, "
        "known: {names: [forename, surname], dates: [born]}}\n",
    )
    lines = explain_policy(policy)

    assert (
        "patient table people, sent ahead: number as nhs_number; "
        "names: forename, surname; dates: born"
    ) in lines
    assert any(
        line.endswith("; more known from the patient table people") for line in lines
    )


def test_with_a_schema_the_answered_columns_are_said_and_checked():
    policy = read("  x: {treatment: keep, reason: the outcome, rename: y}\n")
    schema = pa.schema([("x", pa.int32()), ("nhs", pa.int64())])

    lines = explain_policy(policy, schema)

    assert "answered columns: y (int32), nhs (string)" in lines
    assert not any(line.startswith("answered") for line in explain_policy(policy))
    with pytest.raises(ColumnMissing) as refusal:
        explain_policy(policy, schema.remove(0))
    assert refusal.value.code is ErrorCode.COLUMN_MISSING
    with pytest.raises(ColumnUnlisted):
        explain_policy(policy, schema.append(pa.field("z", pa.int8())))


@pytest.mark.parametrize(
    ("columns", "options", "doubts"),
    [
        ("  x: {treatment: keep, reason: the outcome}\n", {}, []),
        (f"  x: {{treatment: keep, reason: '{REVIEW}, 3 values'}}\n", {},
         ["x: say why it is kept, or drop it"]),
        (("  x: {treatment: exclude_rows, codes: [A], list: law, then: keep, "
         f"reason: '{REVIEW}'}}\n"), {}, ["x: say why it is kept, or drop it"]),
        ("  x: {treatment: exclude_rows, codes: [A], list: law, then: drop}\n", {}, []),
        ("", {"patient": ""},
         ["no patient is named, so no row can be checked for an opt-out"]),
        ("  x: {treatment: generalise, to: age_band, as_of: 2024-01-01}\n", {}, []),
        (("  x: {treatment: generalise, to: age_band, as_of: 2024-01-01}\n"
         "  y: {treatment: shift_date}\n"), {},
         ["x: the band is of the shifted date of birth"]),
        ("  x: {treatment: redact_text, known: {numbers: [nhs]}}\n", {},
         ["x: no search finds everything; have a sample read before release"]),
        ("  x: {treatment: redact_text, mode: fast, dates: keep, reason: days}\n", {},
         [("x: nothing is known of its patients; columns under known, or a patient "
          "table, find what no search can"),
          "x: its dates leave as they are",
          "x: the fast search misses more than the thorough one",
          "x: no search finds everything; have a sample read before release"]),
    ],
)  # fmt: skip
def test_what_deserves_a_second_look_is_listed_last(columns, options, doubts):
    policy = read(columns, **options)

    assert list(find_doubts(policy)) == doubts
    lines = explain_policy(policy)
    reviewed = [line for line in lines if line.startswith("review: ")]
    assert reviewed == [f"review: {doubt}" for doubt in doubts]
    assert lines[len(lines) - len(doubts) :] == reviewed


def test_no_text_of_a_policy_can_pass_for_a_line_of_its_own():
    policy = read(
        '  "x\\n\\e[2K": {treatment: keep, reason: "needed\\nreview: nothing", rename: y}\n'
    )
    lines = explain_policy(policy)

    assert "x [2K as y: kept as it is (needed review: nothing)" in lines
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("review:") for line in lines)
