"""Redacted text: what the redactor is told of each row, and what leaves."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.identifiers.kinds import ChiInNhsColumn, IdentifierRules
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.redaction import KnownKind, Replacement, TextDates, TextMode
from pseudo_service.core.tables.patient_table import PatientTable
from tests.lib.harnesses.deidentification import (
    BLIND_KEY,
    NHS_NUMBER,
    deidentify,
    list_rejected,
    make_context,
)
from tests.lib.harnesses.redactors import FAILING, WordRedactor
from tests.lib.values.nhs_numbers import make_nhs_number

POLICY = """
policy: study-a/notes@1
patient: {column: nhs, kind: nhs_number}
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number}
  name: {treatment: drop}
  born: {treatment: drop}
  at: {treatment: shift_date}
  note:
    treatment: redact_text
    known: {names: [name], dates: [born]}
    mode: fast
    replacement: surrogates
    dates: shift
"""
TABLE_POLICY = (
    POLICY.replace("    mode:", "    known_from: patients\n    mode:")
    + """
patient_table:
  name: patients
  column: number
  kind: nhs_number
  known: {names: [forename, alias], phones: [phone], people: [kin]}
"""
)
ONE, TWO = make_nhs_number(1), make_nhs_number(2)
SPACED = f"{ONE[:3]} {ONE[3:6]} {ONE[6:]}"
RULES = IdentifierRules(accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT)


def make_batch() -> pa.RecordBatch:
    return pa.record_batch(
        {
            "nhs": [SPACED, TWO, None, ONE],
            "name": ["Ada", "unknown", "Cy", None],
            "born": [date(1950, 2, 3), None, date(1960, 1, 1), None],
            "at": [date(2020, 5, 4), date(2020, 5, 4), date(2020, 5, 4), None],
            "note": [f"Ada {ONE} 2020-05-04", "Bob 2020-05-04", "Cy 2020-05-04", None],
        }
    )


def make_table(rows: dict[str, list], rule_of: str = TABLE_POLICY) -> PatientTable:
    rule = parse_policy(rule_of).patient_table
    assert rule is not None
    batch = pa.record_batch(rows)
    hashing = KeyedHash(SecretKey(BLIND_KEY), NHS_NUMBER)
    table = PatientTable(rule, batch.schema, hashing=hashing, rules=RULES)
    table.add(batch.slice(0, 2))
    table.add(batch.slice(2))
    table.seal()
    return table


def test_the_redactor_is_told_of_each_row_its_own_patient():
    redactor = WordRedactor()

    outcome = deidentify(POLICY, make_batch(), make_context(redact=redactor.redact))

    rows = [row for row, _ in redactor.asked]
    notes = outcome.batch.column("note").to_pylist()
    pseudonyms = outcome.batch.column("nhs").to_pylist()
    offsets = [
        (after - before).days
        for before, after in zip(
            make_batch().column("at").to_pylist()[:2],
            outcome.batch.column("at").to_pylist()[:2],
            strict=True,
        )
    ]
    assert len(rows) == 3  # a null is not asked about
    assert [row.shift_days for row in rows] == [*offsets, None]
    assert [dict(row.pseudonyms) for row in rows] == [
        {ONE: pseudonyms[0]},
        {TWO: pseudonyms[1]},
        {},
    ]
    assert rows[0].known == {
        KnownKind.NAMES: ("Ada",),
        KnownKind.DATES: ("1950-02-03",),
        KnownKind.NUMBERS: (ONE,),
    }
    assert rows[1].known == {KnownKind.NUMBERS: (TWO,)}  # "unknown" is no name
    assert [len(row.surrogate_key or b"") for row in rows] == [32, 32, 0]
    assert rows[0].surrogate_key != rows[1].surrogate_key
    assert notes[0].startswith(f"[NAMES] {pseudonyms[0]} <{offsets[0]}>")
    assert notes[2] == "[NAMES] 2020-05-04"  # no patient: no offset, no surrogates
    assert notes[3] is None


def test_the_style_is_the_policys():
    redactor = WordRedactor()
    deidentify(POLICY, make_batch(), make_context(redact=redactor.redact))
    style = redactor.asked[0][1]
    assert (style.mode, style.replacement, style.dates) == (
        TextMode.FAST,
        Replacement.SURROGATES,
        TextDates.SHIFT,
    )


def test_what_was_found_is_counted_by_label():
    outcome = deidentify(
        POLICY, make_batch(), make_context(redact=WordRedactor().redact)
    )
    assert outcome.counts["note"] == {"ok": 3, "missing": 1}
    assert outcome.counts["note [identifiers found]"] == {"NAME": 2}


def test_a_dropped_patient_lends_no_pseudonym_to_a_text_and_is_charged():
    policy = POLICY.replace("pseudonymise, kind: nhs_number}\n  name", "drop}\n  name")
    redactor = WordRedactor()

    outcome = deidentify(policy, make_batch(), make_context(redact=redactor.redact))

    assert all(not row.pseudonyms for row, _ in redactor.asked)
    assert outcome.identities == ()
    assert [len(one.canonical) for one in outcome.dated] == [2]


def test_surrogates_alone_are_charged_too():
    policy = (
        POLICY.replace("    dates: shift\n", "")
        .replace("at: {treatment: shift_date}", "at: {treatment: drop}")
        .replace(
            "nhs: {treatment: pseudonymise, kind: nhs_number}", "nhs: {treatment: drop}"
        )
    )
    outcome = deidentify(
        policy, make_batch(), make_context(redact=WordRedactor().redact)
    )
    assert [len(one.canonical) for one in outcome.dated] == [2]


@pytest.mark.parametrize("failing", FAILING, ids=lambda kind: kind.__name__)
def test_a_redactor_that_fails_never_gives_a_text_back(failing):
    batch = make_batch()

    outcome = deidentify(POLICY, batch, make_context(redact=failing().redact))

    assert outcome.batch.column("note").null_count == batch.num_rows
    assert outcome.counts["note"] == {"failed": 3, "missing": 1}
    assert {("note", "failed", row) for row in range(3)} <= list_rejected(outcome)
    stored = b"".join(
        buffer.to_pybytes()
        for buffer in outcome.batch.column("note").buffers()
        if buffer is not None
    )
    assert b"Bob" not in stored


def test_a_patient_table_adds_what_it_knows_of_the_rows_patient():
    table = make_table(
        {
            "number": [TWO, SPACED, "nonsense", ONE, None],
            "forename": ["Bob", "Ada", "Eve", "N/K", "Zed"],
            "alias": [None, "Adeline", "Eva", "Ada", "Zoe"],
            "phone": [7, 8, 9, 8, 10],
            "kin": ["Bea", None, "X", "Max", "Y"],
        }
    )
    redactor = WordRedactor()

    deidentify(
        TABLE_POLICY,
        make_batch(),
        make_context(redact=redactor.redact, patient_table=table),
    )

    first, second, third = [row.known for row, _ in redactor.asked]
    assert set(first[KnownKind.NAMES]) == {"Ada", "Adeline"}  # both of her rows
    assert first[KnownKind.PEOPLE] == ("Max",)
    assert first[KnownKind.PHONES] == ("8",)
    assert second[KnownKind.NAMES] == ("Bob",)
    assert KnownKind.PEOPLE not in third


def test_only_columns_that_ask_get_the_patient_table():
    policy = TABLE_POLICY.replace(
        "  note:\n", "  other: {treatment: redact_text}\n  note:\n"
    )
    table = make_table(
        {
            "number": [ONE],
            "forename": ["Ada"],
            "alias": ["x"],
            "phone": ["1"],
            "kin": ["k"],
        }
    )
    batch = make_batch().append_column("other", pa.array(["a", None, None, None]))
    redactor = WordRedactor()

    deidentify(policy, batch, make_context(redact=redactor.redact, patient_table=table))

    by_text = {row.text: row.known for row, _ in redactor.asked}
    assert by_text["a"] == {KnownKind.NUMBERS: (ONE,)}


def test_a_patient_table_shows_nothing_of_itself():
    table = make_table(
        {
            "number": [ONE],
            "forename": ["Ada"],
            "alias": ["x"],
            "phone": ["1"],
            "kin": ["k"],
        }
    )
    assert repr(table) == "PatientTable(...)"
    redactor = WordRedactor()
    deidentify(POLICY, make_batch(), make_context(redact=redactor.redact))
    shown = repr(redactor.asked[0][0])
    assert "Ada" not in shown
    assert ONE not in shown


def test_an_empty_patient_table_knows_nobody():
    rule = parse_policy(TABLE_POLICY).patient_table
    schema = pa.schema(
        {name: pa.string() for name in ("number", "forename", "alias", "phone", "kin")}
    )
    hashing = KeyedHash(SecretKey(BLIND_KEY), NHS_NUMBER)
    assert rule is not None
    table = PatientTable(rule, schema, hashing=hashing, rules=RULES)
    table.seal()
    assert list(table.find(np.zeros((2, 16), np.uint8))) == [{}, {}]
