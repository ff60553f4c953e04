"""The demo's notes: free text of invented patients, before and after."""

import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.cli.console.output import say, show_table
from pseudo_service.cli.demo.policies import SECOND_STUDY
from pseudo_service.cli.demo.runs import PURPOSE
from pseudo_service.cli.demo.service import DemoService
from pseudo_service.core.access.roles import Role

_POLICY = """\
policy: {project}/notes@1
description: Notes of the clinic, as surrogates and with shifted dates.
patient:
  column: nhs_number
  kind: nhs_number
columns:
  nhs_number:
    treatment: pseudonymise
    kind: nhs_number
    rename: patient
  forename:
    treatment: drop
  surname:
    treatment: drop
  written:
    treatment: shift_date
  note:
    treatment: redact_text
    known:
      names: [forename, surname]
    replacement: surrogates
    dates: shift
"""
_NOTES = (
    (
        "{forename} {surname} (NHS No {number}) was seen in clinic on 14/03/2024 with her "
        "brother Tom. Peak flow 410, chest clear. Review on 11/04/2024. Dr A Whitfield"
    ),
    (
        "Tel call from Mrs {surname} on 02/05/2024, 01632 960118: wheeze since 30/04/2024. "
        "Salbutamol helps. Parkinson's disease unchanged. NHS {number}."
    ),
    (
        "Dear Dr Okafor, re {forename} {surname}, 12 Example Lane. Discharged 21/06/2024 "
        "on prednisolone 30 mg for 5 days. Yours, Sr Hughes"
    ),
)


def show_notes(service: DemoService, patients: pa.Table) -> None:
    """Have a few notes redacted, and print them before and after."""
    before = write_notes(patients)
    with service.connect(Role.CUSTODIAN) as client:
        client.register_policy(_POLICY.format(project=SECOND_STUDY))
    with service.connect(f"{Role.PIPELINE}:{SECOND_STUDY}") as client:
        table = client.deidentify(
            before, project=SECOND_STUDY, policy="notes@1", purpose=PURPOSE
        )
        after = table.read_all()
    for old, new in zip(before.to_pylist(), after.to_pylist(), strict=True):
        show_table(
            ("patient", new["patient"]),
            [
                ("before", old["note"]),
                ("after", new["note"] or "(withheld: it could not be redacted)"),
            ],
        )
        say()
    codes = table.quality["note"]
    say("Texts: " + ", ".join(f"{n} {code}" for code, n in sorted(codes.items())) + ".")


def write_notes(patients: pa.Table) -> pa.Table:
    """Return a note for each of the first patients whose names and number are there."""
    named = ("nhs_number", "forename", "surname")
    is_whole = pc.match_substring_regex(patients["nhs_number"], "^[0-9]{10}$")
    whole = patients.filter(is_whole).select(named)[: len(_NOTES)].to_pylist()
    return pa.table(
        {
            **{name: [row[name] for row in whole] for name in named},
            "written": pa.array(["2024-05-01"] * len(whole)),
            "note": [
                note.format(
                    forename=row["forename"],
                    surname=row["surname"],
                    number=row["nhs_number"],
                )
                for note, row in zip(_NOTES, whole, strict=False)
            ],
        }
    )
