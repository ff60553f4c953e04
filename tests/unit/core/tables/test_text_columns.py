"""The text columns of a batch: what its other columns give to their rows."""

import pyarrow as pa

from pseudo_service.core.policies.plan import compile_plan
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.redaction import KnownKind, TextRow
from pseudo_service.core.tables.batch_values import IdentifiedBatch
from pseudo_service.core.tables.identified_batch import identify_batch
from pseudo_service.core.tables.patient_offsets import PatientOffsets, compute_offsets
from pseudo_service.core.tables.patient_table import PatientTable
from pseudo_service.core.tables.text_columns import redact_texts
from tests.lib.harnesses.deidentification import make_context, make_opt_outs
from tests.lib.harnesses.redactors import WordRedactor
from tests.lib.values.nhs_numbers import make_nhs_number

ADA, BOB, EVE = (make_nhs_number(seed) for seed in (1, 2, 3))
POLICY = """
policy: study-a/notes@1
patient: {column: nhs, kind: nhs_number, else: {column: mrn, kind: mrn@RXH}}
columns:
  nhs: {treatment: pseudonymise, kind: nhs_number}
  mrn: {treatment: drop}
  mother: {treatment: pseudonymise, kind: nhs_number}
  name: {treatment: drop}
  note: {treatment: redact_text, known: {names: [name]}, known_from: patients}
  letter: {treatment: redact_text}
patient_table:
  name: patients
  column: number
  kind: nhs_number
  known: {phones: [phone]}
"""
NO_TEXT = """
policy: study-a/notes@1
columns:
  note: {treatment: keep, reason: it is a code}
"""


def make_batch() -> pa.RecordBatch:
    return pa.record_batch(
        {
            "nhs": pa.array([ADA, BOB, None], pa.string()),
            "mrn": pa.array(["R1", None, "R3"], pa.string()),
            "mother": pa.array([EVE, None, ADA], pa.string()),
            "name": pa.array(["Ada", "Bob", None], pa.string()),
            "note": pa.array(["note 0", "note 1", "note 2"], pa.string_view()),
            "letter": pa.array(["letter 0", None, "letter 2"], pa.string()),
        }
    )


class Notes:
    """Identifies a batch of notes and redacts its texts."""

    def __init__(
        self, policy: str = POLICY, *, opted_out: tuple[str, ...] = ()
    ) -> None:
        self.redactor = WordRedactor()
        batch = make_batch() if policy == POLICY else make_batch().select(["note"])
        plan = compile_plan(parse_policy(policy), batch.schema)
        table = self._make_table(policy)
        context = make_context(
            redact=self.redactor.redact,
            patient_table=table,
            opt_outs=make_opt_outs(list(opted_out)) if opted_out else None,
        )
        self.batch: IdentifiedBatch = identify_batch(plan, batch, context)

    def _make_table(self, policy: str) -> PatientTable | None:
        rule = parse_policy(policy).patient_table
        if rule is None:
            return None
        context = make_context()
        rows = pa.record_batch({"number": [ADA, EVE], "phone": ["11", "33"]})
        table = PatientTable(
            rule,
            rows.schema,
            hashing=context.keys["nhs_number"].blind,
            rules=context.identifier_rules,
        )
        table.add(rows)
        table.seal()
        return table

    def ask(self, offsets: PatientOffsets | None = None) -> dict[str, TextRow]:
        """Return what the redactor is told of each text."""
        redact_texts(self.batch, pseudonyms=self.pseudonyms(), offsets=offsets)
        return {row.text: row for row, _ in self.redactor.asked}

    def pseudonyms(self) -> dict[int, pa.StringArray]:
        return {
            at: pa.array(
                [f"P{one}" for one in self.batch.kept[at].canonical.to_pylist()],
                pa.string(),
            )
            for at in (0, 2)
        }


def test_a_plan_without_text_asks_nobody() -> None:
    notes = Notes(NO_TEXT)
    assert redact_texts(notes.batch, pseudonyms={}, offsets=None) == ({}, {})
    assert notes.redactor.asked == []


def test_the_table_is_asked_of_the_patient_and_only_for_the_column_that_names_it() -> (
    None
):
    rows = Notes().ask()
    assert rows["note 0"].known[KnownKind.PHONES] == ("11",)  # not the mother's, 33
    assert KnownKind.PHONES not in rows["note 1"].known
    assert KnownKind.PHONES not in rows["note 2"].known  # Ada is the mother there
    assert KnownKind.PHONES not in rows["letter 0"].known


def test_known_columns_go_to_the_text_that_names_them() -> None:
    rows = Notes().ask()
    assert rows["note 0"].known[KnownKind.NAMES] == ("Ada",)
    assert KnownKind.NAMES not in rows["letter 0"].known


def test_every_identifier_of_a_row_is_known_and_the_answered_have_pseudonyms() -> None:
    rows = Notes().ask()
    assert rows["letter 0"].known[KnownKind.NUMBERS] == (ADA, "R1", EVE)
    assert rows["letter 0"].pseudonyms == {ADA: f"P{ADA}", EVE: f"P{EVE}"}
    assert rows["note 1"].known[KnownKind.NUMBERS] == (BOB,)
    assert rows["letter 2"].known[KnownKind.NUMBERS] == ("R3", ADA)


def test_texts_of_rows_that_left_are_not_asked_about() -> None:
    notes = Notes(opted_out=(BOB,))
    rows = notes.ask()
    assert list(rows) == ["note 0", "letter 0"]  # the third row cannot be checked
    assert rows["note 0"].known[KnownKind.PHONES] == ("11",)


def test_each_rows_offset_is_told_and_none_where_no_date_is_shifted() -> None:
    notes = Notes()
    found = notes.batch
    offsets = compute_offsets(
        [found.kept[at] for at in found.plan.patients],
        rows=found.rows_out,
        keys=found.context.keys,
        rule=found.context.date_shift,
    )
    rows = notes.ask(offsets)
    days = offsets.list_days()
    assert [rows[f"note {at}"].shift_days for at in range(3)] == days
    assert None not in days
    assert {row.shift_days for row in Notes().ask().values()} == {None}


def test_each_column_is_treated_and_what_was_found_is_named() -> None:
    notes = Notes()
    treated, found = redact_texts(
        notes.batch, pseudonyms=notes.pseudonyms(), offsets=None
    )
    assert set(treated) == {4, 5}
    assert treated[5].values.to_pylist() == ["letter 0", None, "letter 2"]
    assert [len(one.codes) for one in treated.values()] == [3, 3]
    assert set(found) == {"note", "letter"}
    assert {"ok", "missing", "withheld"} == set(treated[4].unremarkable)
