"""A small table of patients, and the policy that tests have it treated by."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pyarrow as pa

from tests.lib.values.nhs_numbers import make_nhs_number

PURPOSE = "service evaluation"
SCHEMA = pa.schema(
    [
        ("nhs_number", pa.string()),
        ("surname", pa.string()),
        ("postcode", pa.string()),
        ("born", pa.date32()),
        ("admitted", pa.timestamp("ms")),
        ("score", pa.int32()),
    ]
)


def write_policy(project: str, *, number: int = 1, rename: str = "patient") -> str:
    """Return the text of ``project/cohort@number``."""
    return f"""
policy: {project}/cohort@{number}
patient: {{column: nhs_number, kind: nhs_number}}
columns:
  nhs_number: {{treatment: pseudonymise, kind: nhs_number, rename: {rename}}}
  surname: {{treatment: drop}}
  postcode: {{treatment: generalise, to: outward_code}}
  born: {{treatment: generalise, to: year}}
  admitted: {{treatment: shift_date}}
  score: {{treatment: keep, reason: outcome of the study}}
"""


def make_numbers(first: int, count: int) -> list[str]:
    """Return distinct NHS numbers of the test range, the same for the same seed."""
    found: dict[str, None] = {}
    seed = first
    while len(found) < count:
        found[make_nhs_number(seed)] = None
        seed += 1
    return list(found)


def make_cohort(numbers: Sequence[object], schema: pa.Schema = SCHEMA) -> pa.Table:
    """Return one row a number; other columns are the same for the same number."""
    rows = range(len(numbers))
    return pa.table(
        {
            "nhs_number": pa.array(numbers, schema.field("nhs_number").type),
            "surname": [f"Surname{row}" for row in rows],
            "postcode": [f"LS{row % 20 + 1} 4AP" for row in rows],
            "born": [date(1950, 1, 1) + timedelta(days=37 * row) for row in rows],
            "admitted": [
                datetime(2024, 5, 1, 8, 30) + timedelta(hours=5 * row)  # noqa: DTZ001
                for row in rows
            ],
            "score": [row % 100 for row in rows],
        },
        schema=schema,
    )


def make_batch(numbers: Sequence[object]) -> pa.RecordBatch:
    """Return a cohort as one batch."""
    (batch,) = make_cohort(numbers).combine_chunks().to_batches()
    return batch


def make_batches(first: int, *, batches: int, rows: int) -> list[pa.RecordBatch]:
    """Return batches of distinct patients."""
    numbers = make_numbers(first, batches * rows)
    return [
        make_batch(numbers[start : start + rows])
        for start in range(0, len(numbers), rows)
    ]
