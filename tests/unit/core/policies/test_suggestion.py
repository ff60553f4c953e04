"""A first policy suggested from a table must compile, run and err on the safe side."""
# ruff: noqa: DTZ001 - the times of a hospital's tables are naive

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from pseudo_service.core.errors import ColumnDuplicated
from pseudo_service.core.policies.column_profiling import infer_formats
from pseudo_service.core.policies.explanation import explain_policy
from pseudo_service.core.policies.policy import parse_policy
from pseudo_service.core.policies.suggestion import profile_table, write_policy
from pseudo_service.core.policies.treatments import (
    Drop,
    Keep,
    Pseudonymise,
    RedactText,
    ShiftDate,
)
from tests.lib.harnesses.deidentification import deidentify
from tests.lib.values.nhs_numbers import make_nhs_number

ROWS = 200
NUMBERS = [make_nhs_number(seed * 7) for seed in range(ROWS)]


def make_table() -> pa.Table:
    born = [f"{1 + i % 28:02d}/{1 + i % 12:02d}/{1930 + i % 80}" for i in range(ROWS)]
    born[:20] = ["01/01/1900"] * 20
    return pa.table(
        {
            "PatientNo": NUMBERS,
            "Forename": ["Ada", "Bob"] * 100,
            "dateOfBirth": born,
            "contact": [f"01632 960{i:03d}" for i in range(ROWS)],
            "home postcode": [f"OX{i % 9 + 1} {i % 9}AB" for i in range(ROWS)],
            "sex": ["F", "M"] * 100,
            "spell": [f"SP{i:06d}" for i in range(ROWS)],
            "admitted": [datetime(2024, 1, 1, 13) + timedelta(hours=i) for i in range(ROWS)],
            "diagnosis": ["E11.9", "I21.4"] * 100,
            "remarks": ["Seen in clinic with her daughter, who reports no falls."] * ROWS,
            "photo": pa.array([b"x"] * ROWS, pa.binary()),
            "stay: hours": [i / 3 for i in range(ROWS)],
        }
    )  # fmt: skip


def suggest(table: pa.Table) -> str:
    return write_policy(profile_table(table), "study-a/first@1")


def test_the_suggestion_treats_every_column_carefully():
    policy = parse_policy(suggest(make_table()))
    treatments = {rule.name: type(rule.treatment) for rule in policy.columns}

    assert policy.patient.column == "PatientNo"
    assert treatments["PatientNo"] is Pseudonymise
    for name in ("Forename", "contact", "spell", "photo"):
        assert treatments[name] is Drop, name
    assert treatments["admitted"] is ShiftDate
    assert treatments["remarks"] is RedactText
    assert treatments["sex"] is treatments["stay: hours"] is Keep


def test_the_suggestion_runs():
    text = suggest(make_table())
    batch = make_table().drop_columns(["photo"]).to_batches()[0]
    text = text.replace("  photo: {treatment: drop}\n", "")

    outcome = deidentify(text, batch)

    assert outcome.batch.num_rows == ROWS
    assert outcome.counts["dateOfBirth"] == {"ok": ROWS - 20, "sentinel": 20}
    assert outcome.counts["home postcode"] == {"ok": ROWS}
    assert not set(NUMBERS) & set(outcome.batch.column(0).to_pylist())


def test_what_is_kept_must_be_reviewed():
    policy = parse_policy(suggest(make_table()))

    lines = explain_policy(policy)

    assert "review: sex: say why it is kept, or drop it" in lines
    assert any("review: remarks" in line for line in lines)


def test_dates_that_many_patients_share_are_pointed_out():
    table = make_table()
    days = [date(2024, 5, 1)] * 150 + [
        date(2020, 1, 1) + timedelta(days=i) for i in range(50)
    ]
    text = suggest(table.set_column(7, "admitted", pa.array(days)))

    assert "sentinels: [1900-01-01]" in text
    assert "many patients share 2024-05-01" in text


def test_without_nhs_numbers_dates_are_generalised():
    text = suggest(make_table().drop_columns(["PatientNo"]))

    policy = parse_policy(text)

    assert policy.patient is None
    assert not policy.shifts_dates
    assert "review: no patient is named, so no row can be checked for an opt-out" in (
        explain_policy(policy)
    )


def test_batches_are_taken_as_well_as_tables_and_an_empty_one_is_no_error():
    table = make_table()

    assert profile_table(iter(table.to_batches(max_chunksize=50))) == profile_table(
        table
    )
    assert profile_table(table.slice(0, 0)).rows == 0


def test_two_columns_of_one_name_are_refused():
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])

    with pytest.raises(ColumnDuplicated):
        profile_table(table)


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["2021-04-05", "05/04/2021"], ("%Y-%m-%d", "%d/%m/%Y")),
        (["05/04/2021", "25/04/2021"], ("%d/%m/%Y",)),
        (["04/05/2021", "04/25/2021"], ("%m/%d/%Y",)),
        (["05-Apr-2021", "n/a"], ()),
        (["2021-04-05"] * 9 + ["2021"], ("%Y-%m-%d", "%Y")),
        (["2021", "2022"], ()),
        (["E11.9", "I21"], ()),
        ([], ()),
    ],
)
def test_formats_are_inferred_from_the_data_day_first(texts, formats):
    assert infer_formats(texts) == formats
