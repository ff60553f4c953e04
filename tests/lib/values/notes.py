"""A few notes of patients, what is known of them, and policies for both."""

from datetime import date

import pyarrow as pa

from tests.lib.values.cohort import make_numbers

NUMBERS = make_numbers(64_000, 3)
NAMES = ("Ottilie", "Barnaby", "Clemency")
POLICY = """
policy: {project}/notes@{number}
patient: {{column: nhs_number, kind: nhs_number}}
columns:
  nhs_number: {{treatment: pseudonymise, kind: nhs_number, rename: patient}}
  written: {{treatment: shift_date}}
  note:
    treatment: redact_text
    known_from: patients
    replacement: surrogates
    dates: shift
patient_table:
  name: patients
  column: number
  kind: nhs_number
  known: {{names: [forename]}}
"""


def write_notes_policy(project: str, *, number: int = 1) -> str:
    """Return the text of ``project/notes@number``."""
    return POLICY.format(project=project, number=number)


def make_notes() -> pa.Table:
    """Return one note a patient, and one of nobody."""
    return pa.table(
        {
            "nhs_number": [*NUMBERS, None],
            "written": [date(2024, 5, 1)] * 4,
            "note": [
                *(
                    f"{name} ({number}) came on 2024-05-01."
                    for name, number in zip(NAMES, NUMBERS, strict=True)
                ),
                None,
            ],
        }
    )


def make_patients() -> pa.Table:
    """Return what is known of the patients."""
    return pa.table({"number": NUMBERS, "forename": NAMES})
