"""The invented patients of the kept files, and the policies for their tables."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from tests.lib.values.cohort import make_numbers

NUMBERS = make_numbers(71_000, 16)
_FORENAMES = ("Ottilie", "Barnaby", "Clemency", "Ignatius", "Philippa", "Thaddeus")
_SURNAMES = ("Wetherby", "Skelton", "Aldridge", "Thackray", "Holroyd")
_DIAGNOSES = ("J45.0", "J45.9", "J46", "Z31.1", "J45.1")
_SUPERSEDED, _SURVIVOR, _REISSUED = NUMBERS[12], NUMBERS[0], NUMBERS[13]
ALIASES = [
    {"superseded": _SUPERSEDED, "current": _SURVIVOR},
    {"superseded": _REISSUED, "current": ""},
]
FIRST_OPT_OUTS = [NUMBERS[14]]
SECOND_OPT_OUTS = [NUMBERS[14], NUMBERS[15]]

ASTHMA = """\
policy: asthma/admissions@1
description: Emergency admissions of people with asthma
patient:
  column: nhs_number
  kind: nhs_number
  else: {column: mrn, kind: mrn@RXH}
sentinels: [1911-11-11]
columns:
  row: {treatment: keep, reason: finds a row of the extract again}
  nhs_number: {treatment: pseudonymise, kind: nhs_number, rename: patient}
  mrn: {treatment: pseudonymise, kind: mrn@RXH, rename: local}
  forename: {treatment: drop}
  surname: {treatment: drop}
  admitted: {treatment: shift_date, time_of_day: keep}
  date_of_birth: {treatment: generalise, to: year}
  postcode: {treatment: generalise, to: outward_code}
  diagnosis:
    treatment: exclude_rows
    codes: ["Z31*"]
    list: legally restricted codes
    then: keep
    reason: the outcome of the study
  note:
    treatment: redact_text
    known: {names: [forename, surname], dates: [date_of_birth], postcodes: [postcode]}
    replacement: surrogates
    dates: shift
"""
ASTHMA_AGAIN = ASTHMA.replace("admissions@1", "admissions@2").replace(
    "rename: patient}", "rename: patient, previous: patient_before}"
)
EPISODES = """\
policy: stroke/episodes@1
patient: {column: nhs_number, kind: nhs_number}
columns:
  row: {treatment: keep, reason: finds a row of the extract again}
  nhs_number: {treatment: pseudonymise, kind: nhs_number, rename: patient}
  begun: {treatment: shift_date}
  seen: {treatment: generalise, to: month}
  date_of_birth: {treatment: generalise, to: age_band, as_of: 2026-01-01}
  postcode: {treatment: generalise, to: postcode_area}
  note:
    treatment: redact_text
    replacement: tags
"""


def make_admissions() -> list[dict[str, str]]:
    """Return 51 rows: three a patient, and three of people without a usable number."""
    rows = [_make_admission(row, row % len(NUMBERS)) for row in range(48)]
    rows += [
        {**_make_admission(48, 1), "nhs_number": ""},
        {**_make_admission(49, 2), "nhs_number": "9990000001"},
        {**_make_admission(50, 3), "nhs_number": "", "mrn": ""},
    ]
    return rows


def _make_admission(row: int, patient: int) -> dict[str, str]:
    forename = _FORENAMES[patient % len(_FORENAMES)]
    surname = _SURNAMES[patient % len(_SURNAMES)]
    day = date(2024, 5, 1) + timedelta(days=11 * row)
    born = date(1950, 1, 1) + timedelta(days=637 * patient)
    number = NUMBERS[patient]
    return {
        "row": str(row),
        "nhs_number": f"{number[:3]} {number[3:6]} {number[6:]}" if row % 2 else number,
        "mrn": f"A{1000 + patient}",
        "forename": forename,
        "surname": surname,
        "admitted": "1911-11-11" if row == 7 else f"{day}T08:{row:02}:00",
        "date_of_birth": str(born),
        "postcode": f"LS{patient % 20 + 1} 4AP",
        "diagnosis": _DIAGNOSES[row % len(_DIAGNOSES)],
        "note": (
            ""
            if row % 3 == 2
            else f"{forename} {surname} (NHS {number}, born {born:%d/%m/%Y}) was seen on "
            f"{day:%d/%m/%Y}. Peak flow 410. Review on {day + timedelta(28):%d %B %Y}."
        ),
    }


def make_stays() -> list[dict[str, str]]:
    """Return one row a patient."""
    return [
        {
            "row": str(row),
            "nhs_number": number,
            "begun": str(date(2025, 2, 3) + timedelta(days=9 * row)),
            "seen": str(date(2025, 2, 4) + timedelta(days=9 * row)),
            "date_of_birth": str(date(1940, 6, 1) + timedelta(days=511 * row)),
            "postcode": f"YO{row + 1} 7HZ",
            "note": f"Call 01632 960{118 + row}, NHS {number}. Speech better.",
        }
        for row, number in enumerate(NUMBERS)
    ]


def write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write a table as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read what ``write_rows`` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_numbers(path: Path, numbers: Iterable[str]) -> None:
    """Write one column of NHS numbers."""
    path.write_text("nhs_number\n" + "".join(f"{each}\n" for each in numbers))
