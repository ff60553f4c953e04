"""Reading policies: what is taken, what is refused, and in which words."""

import pytest

from pseudo_service.core.errors import PolicyInvalid
from pseudo_service.core.policies.policy import parse_policy

POLICY = """
policy: study-a/admissions@1
patient: {column: nhs_number, kind: nhs_number, else: {column: mrn, kind: mrn@RXH}}
columns:
  nhs_number: {treatment: pseudonymise, kind: nhs_number, rename: patient}
  mrn: {treatment: drop}
  admitted: {treatment: shift_date, time_of_day: keep}
  sex: {treatment: keep, reason: stratification}
"""
ONE_COLUMN = "policy: a-b/c@1\ncolumns:\n  x: {fields}\n"


def test_a_policy_is_addressed_by_project_release_and_number():
    policy = parse_policy(POLICY)

    assert (policy.project, policy.release, policy.number) == (
        "study-a",
        "admissions",
        1,
    )
    assert policy.address == "study-a/admissions@1"
    assert [source.kind.text for source in policy.patient.sources()] == [
        "nhs_number",
        "mrn@RXH",
    ]
    assert [rule.output_name for rule in policy.columns] == [
        "patient",
        None,
        "admitted",
        "sex",
    ]


def test_the_digest_is_of_the_meaning_not_of_the_text():
    lines = POLICY.strip().splitlines()
    moved = [lines[0], "columns:", lines[6], *lines[3:6], lines[1]]
    same = "# a comment\n" + "\n".join(moved).replace("reason: strat", 'reason: "strat')
    same = same.replace("stratification}", 'stratification"}')

    assert parse_policy(same).digest == parse_policy(POLICY).digest
    assert len(parse_policy(POLICY).digest) == 32


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@1", "@2"),
        ("stratification", "stratified analysis"),
        ("time_of_day: keep", "time_of_day: zero"),
        ("rename: patient", "rename: person"),
        ("mrn@RXH", "mrn@RYJ"),
        ("columns:", "sentinels: [1911-11-11]\ncolumns:"),
        ("columns:", "chi_in_nhs_column: reject\ncolumns:"),
    ],
)
def test_whatever_changes_the_meaning_changes_the_digest(old, new):
    changed = POLICY.replace(old, new)

    assert parse_policy(changed).digest != parse_policy(POLICY).digest


def test_no_scalar_has_an_implicit_type():
    policy = parse_policy(
        "policy: a-b/c@1\ncolumns:\n"
        "  no: {treatment: keep, reason: a country}\n"
        "  1e3: {treatment: exclude_rows, codes: [007, 1E10], list: 2021-01-01, then: drop}\n"
        "  null: {treatment: drop}\n"
    )

    assert [rule.name for rule in policy.columns] == ["no", "1e3", "null"]
    assert policy.columns[1].treatment.codes == ("007", "1E10")
    assert policy.columns[1].treatment.list_name == "2021-01-01"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("{}", '"treatment" is missing'),
        ("{treatment: mask}", "give one of keep, drop"),
        ("{treatment: keep}", '"reason" is missing'),
        ("{treatment: keep, reason: '  '}", "it is blank"),
        ("{treatment: keep, reason: '12'}", "give a reason in words"),
        ("{treatment: keep, reason: [a, b]}", "give one text"),
        ("{treatment: keep, reason: because, kind: x}", 'unknown key "kind"'),
        ("{treatment: drop, rename: y}", "take rename out"),
        ("{treatment: pseudonymise}", '"kind" is missing'),
        ("{treatment: pseudonymise, kind: mrn}", "local kind with its site"),
        ("{treatment: pseudonymise, kind: nhs_number, on_invalid: ''}", "it is blank"),
        ("{treatment: pseudonymise, kind: nhs_number, on_invalid: stop}", "null, remove_row"),
        ("{treatment: shift_date}", "whose they are"),
        ("{treatment: generalise, to: decade}", "give one of month, year"),
        ("{treatment: generalise, to: year, formats: ['%d/%m/%y']}", "date format 1"),
        ("{treatment: generalise, to: year, formats: []}", "the list is empty"),
        ("{treatment: generalise, to: year, as_of: 2024-01-01}", "only age_band"),
        ("{treatment: generalise, to: age_band, as_of: 2024-02-30}", "the calendar has"),
        ("{treatment: generalise, to: age_band, as_of: 1 May}", "YYYY-MM-DD"),
        ("{treatment: generalise, to: outward_code, formats: ['%Y']}", "no formats"),
        ("{treatment: exclude_rows, codes: [], list: l, then: drop}", "the list is empty"),
        ("{treatment: exclude_rows, codes: ['*'], list: l, then: drop}", "give a code"),
        ("{treatment: exclude_rows, codes: [A*B], list: l, then: drop}", "give a code"),
        ("{treatment: exclude_rows, codes: [A, A], list: l, then: drop}", "stands here twice"),
        ("{treatment: exclude_rows, codes: [A], list: l, then: keep}", '"reason" is missing'),
        ("{treatment: redact_text, known: {names: [y]}}", "known names a column"),
        ("keep", "give a mapping"),
    ],
)  # fmt: skip
def test_what_a_column_says_wrongly_is_refused_by_path_and_line(fields, words):
    with pytest.raises(PolicyInvalid, match=r"columns\.x.*\(line 3\)") as refusal:
        parse_policy(ONE_COLUMN.replace("{fields}", fields))

    assert words in refusal.value.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("@1", "", "give project/release@number"),
        ("@1", "@0", "give project/release@number"),
        ("study-a/", "Study A/", "give project/release@number"),
        ("policy: study-a/admissions@1", "", '"policy" is missing'),
        ("columns:", "extra: 1\ncolumns:", 'unknown key "extra"'),
        ("columns:", "sentinels: [01/01/1900]\ncolumns:", "YYYY-MM-DD"),
        ("column: nhs_number, kind", "column: other, kind", "not among columns"),
        ("{column: mrn,", "{column: nhs_number,", "the same column again"),
        ("kind: mrn@RXH}", "kind: mrn@RXH, else: {column: sex, kind: mrn@RXH}}", "one else is enough"),
        ("rename: patient", "rename: sex", 'leave as "sex"'),
        ("kind: nhs_number, rename", "kind: chi_number, rename", "make them agree"),
        ("mrn: {treatment: drop}", "mrn: {treatment: keep, reason: needed}", "pseudonymise or drop"),
        ("  sex:", "  mrn: {treatment: drop}\n  sex:", "the key mrn stands twice"),
        ("stratification}", "stratification, reason: again}", "the key reason stands twice"),
        ("stratification", "&a stratification", "anchors (&)"),
        ("stratification", "*a", "anchors (&)"),
        ("stratification", "!!python/none x", "tags (!)"),
        ("stratification", '"' + "x" * 301 + '"', "at most 300 characters"),
        ("stratification}", "[[[[[[[[[x]]]]]]]]]}", "nested deeper"),
        ("stratification}", "{a: [", "no valid YAML at line"),
        ("columns:", "---\npolicy: b\ncolumns:", "one document only"),
        ("columns:", "? [a]\n: b\ncolumns:", "every key must be a text"),
    ],
)  # fmt: skip
def test_what_a_policy_says_wrongly_is_refused(old, new, words):
    with pytest.raises(PolicyInvalid) as refusal:
        parse_policy(POLICY.replace(old, new, 1))

    assert words in refusal.value.message


@pytest.mark.parametrize(
    "text", ["", "[]", "just text", "a: \x00", "\ud800: a", "x" * 300_000]
)
def test_what_is_no_policy_at_all_is_refused(text):
    with pytest.raises(PolicyInvalid):
        parse_policy(text)


def test_a_policy_without_columns_is_refused():
    with pytest.raises(PolicyInvalid, match="no column is named"):
        parse_policy("policy: a-b/c@1\ncolumns: {}\n")


def test_a_table_of_which_nothing_leaves_is_refused():
    with pytest.raises(PolicyInvalid, match="no column leaves"):
        parse_policy(ONE_COLUMN.replace("{fields}", "{treatment: drop}"))


@pytest.mark.parametrize(
    "text",
    [
        ONE_COLUMN.replace("x:", "9994737805:").replace(
            "{fields}", "{treatment: secret}"
        ),
        ONE_COLUMN.replace("{fields}", "{treatment: keep, 9994737805: y, reason: why}"),
        ONE_COLUMN.replace("{fields}", "{treatment: pseudonymise, kind: '9994737805'}"),
        "policy: '9994737805'\ncolumns: {}",
        "policy: a-b/c@1\ncolumns:\n  9994737805: {\n",
        "policy: a-b/c@1\ncolumns:\n  9994737805: {treatment: drop}\n  9994737805: {}\n",
    ],
)
def test_a_refusal_never_repeats_what_may_be_a_patient_s(text):
    with pytest.raises(PolicyInvalid) as refusal:
        parse_policy(text)

    assert "9994737805" not in refusal.value.message
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
