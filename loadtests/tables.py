"""Synthetic batches for load: ten columns, a fifth of the NHS numbers distinct."""

import numpy as np
import pyarrow as pa

PROJECT = "load-test"
POLICY = f"""\
policy: {PROJECT}/admissions@1
patient: {{column: nhs_number, kind: nhs_number}}
columns:
  nhs_number: {{treatment: pseudonymise, kind: nhs_number, rename: patient}}
  admitted: {{treatment: shift_date, time_of_day: keep}}
  discharged: {{treatment: shift_date, time_of_day: keep}}
  postcode: {{treatment: generalise, to: outward_code}}
  surname: {{treatment: drop}}
  specialty: {{treatment: keep, reason: load test}}
  diagnosis: {{treatment: keep, reason: load test}}
  ward: {{treatment: keep, reason: load test}}
  los_hours: {{treatment: keep, reason: load test}}
  score: {{treatment: keep, reason: load test}}
"""
NOTES_POLICY = f"""\
policy: {PROJECT}/notes@1
columns:
  note: {{treatment: redact_text, mode: fast}}
"""
_FIRST = 999_000_000


def make_nhs_numbers(count: int, *, first: int = 0) -> pa.StringArray:
    """Return distinct valid numbers of the 999 test range, the same each time.

    ``first`` counts stems of nine digits, of which about ten in eleven are valid.
    """
    # Of eleven stems ten have a check digit.
    stems = np.arange(_FIRST + first, _FIRST + first + int(count * 1.11) + 50)
    digits = stems[:, None] // 10 ** np.arange(8, -1, -1) % 10
    check = (11 - digits @ np.arange(10, 1, -1) % 11) % 11
    numbers = (stems * 10 + check)[check != 10][:count]  # noqa: PLR2004 - mod 11
    if len(numbers) < count or stems[-1] >= 10**9:
        msg = "the 999 range has 909,091 valid numbers: ask for fewer"
        raise ValueError(msg)
    return pa.array(numbers).cast(pa.string())


def make_batches(
    patients: pa.StringArray, *, batches: int, rows: int, distinct: int, seed: int
) -> list[pa.RecordBatch]:
    """Return batches whose patients are drawn from the given ones.

    Args:
        patients: NHS numbers to draw from.
        batches: How many.
        rows: Rows a batch.
        distinct: Distinct patients a batch.
        seed: Makes the same batches again.
    """
    chance = np.random.default_rng(seed)
    return [_make_batch(patients, rows, distinct, chance) for _ in range(batches)]


def _make_postcode(number: int) -> str:
    area = ("AB", "BS", "CF", "LS", "M", "NE", "SW", "YO")[number % 8]
    return f"{area}{number // 8 % 9 + 1} {number % 9}AA"


def _make_batch(
    patients: pa.StringArray, rows: int, distinct: int, chance: np.random.Generator
) -> pa.RecordBatch:
    chosen = chance.choice(len(patients), size=distinct, replace=False)
    who = np.concatenate((chosen, chance.choice(chosen, size=rows - distinct)))
    chance.shuffle(who)
    admitted = chance.integers(1_420_070_400, 1_735_689_600, rows) * 1000
    stays = chance.integers(1, 500, rows) * 3_600_000

    def draw(texts: list[str]) -> pa.Array:
        return pa.array(texts).take(pa.array(chance.integers(0, len(texts), rows)))

    return pa.record_batch(
        {
            "nhs_number": patients.take(pa.array(who)),
            "admitted": pa.array(admitted, pa.timestamp("ms")),
            "discharged": pa.array(admitted + stays, pa.timestamp("ms")),
            "postcode": draw([_make_postcode(i) for i in range(800)]),
            "surname": draw([f"Surname{chr(65 + i % 26)}" for i in range(500)]),
            "specialty": pa.array(chance.integers(100, 900, rows), pa.int32()),
            "diagnosis": draw(
                [f"{chr(65 + i % 26)}{i % 90 + 10}.{i % 9}" for i in range(900)]
            ),
            "ward": draw([f"W{i}" for i in range(40)]),
            "los_hours": pa.array(stays / 3_600_000),
            "score": pa.array(chance.random(rows)),
        }
    )
