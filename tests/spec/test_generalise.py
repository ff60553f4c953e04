"""Generalise: a small table in, a small table out."""

from datetime import date

import pytest

from tests.lib.harnesses.deidentification import deidentify, list_rejected
from tests.lib.values.nhs_numbers import make_nhs_number

ADA = make_nhs_number(1)


def generalise(fields: str, values: list) -> tuple[list, dict]:
    policy = f"""
policy: study-a/people@1
columns:
  value: {{treatment: generalise, {fields}}}
"""
    outcome = deidentify(policy, {"value": values})
    return outcome.batch.column("value").to_pylist(), outcome.counts["value"]


@pytest.mark.parametrize(
    ("fields", "values", "expected"),
    [
        ("to: month", [date(2021, 4, 9), None], ["2021-04", None]),
        ("to: year", [date(2021, 4, 9)], ["2021"]),
        ("to: year, formats: ['%d/%m/%Y']", ["09/04/2021", "04/2021"], ["2021", None]),
        ("to: month", ["2021-04-09", "2021-04", "2021"], ["2021-04", "2021-04", None]),
        (
            "to: age_band, as_of: 2024-03-31",
            [date(1989, 3, 31), date(1989, 4, 1), date(1934, 1, 1), date(2025, 1, 1)],
            ["35-39", "30-34", "90+", None],
        ),
        ("to: age_band", [0, 4, 5, 89, 90, 111, -1], ["0-4", "0-4", "5-9", "85-89", "90+", "90+", None]),
        ("to: outward_code", ["ox3 9du", "W1A1AA", "Oxford", ""], ["OX3", "W1A", None, None]),
        ("to: postcode_area", ["OX3 9DU", "M1 1AE"], ["OX", "M"]),
    ],
)  # fmt: skip
def test_values_become_coarser(fields, values, expected):
    found, counts = generalise(fields, values)

    assert found == expected
    assert sum(counts.values()) == len(values)


def test_where_any_date_is_shifted_the_shifted_date_is_generalised():
    policy = """
policy: study-a/people@1
patient: {column: nhs_number, kind: nhs_number}
columns:
  nhs_number: {treatment: drop}
  admitted: {treatment: shift_date}
  month: {treatment: generalise, to: month}
  text_month: {treatment: generalise, to: month, formats: ["%d/%m/%Y"]}
  age: {treatment: generalise, to: age_band, as_of: 2024-03-31}
"""
    day = date(2024, 3, 5)
    outcome = deidentify(
        policy,
        {
            "nhs_number": [ADA, None],
            "admitted": [day, day],
            "month": [day, day],
            "text_month": ["05/03/2024", "05/03/2024"],
            "age": [date(1989, 4, 20), date(1989, 4, 20)],
        },
    )

    row, without_patient = outcome.batch.to_pylist()
    assert row["admitted"] < day
    assert row["month"] == row["text_month"] == f"{row['admitted']:%Y-%m}"
    assert row["age"] == "35-39", "born 1989-04-20 and moved back over 31 March"
    assert set(without_patient.values()) == {None}
    assert ("month", "no_patient", 1) in list_rejected(outcome)
