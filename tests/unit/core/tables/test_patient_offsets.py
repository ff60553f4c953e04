"""Each row's date offset."""

import pyarrow as pa

from pseudo_service.core.identifiers.kinds import NHS_NUMBER, IdentifierKind
from pseudo_service.core.projects.project import DateShiftRule
from pseudo_service.core.tables.identifier_columns import Identifiers, read_identifiers
from pseudo_service.core.tables.patient_offsets import PatientOffsets, compute_offsets
from pseudo_service.core.transforms.date_shift import choose_offsets
from tests.lib.harnesses.deidentification import WEEKS, make_context
from tests.lib.values.nhs_numbers import make_nhs_number

MRN = IdentifierKind.parse("mrn@RXH")
CONTEXT = make_context()
RULE = DateShiftRule(bound=WEEKS)
ADA, BOB = make_nhs_number(1), make_nhs_number(2)


def read(values: list[str | None], kind: IdentifierKind) -> Identifiers:
    return read_identifiers(
        pa.array(values, pa.string()), kind, CONTEXT.identifier_rules
    )


def compute(*columns: Identifiers, rows: int = 3) -> PatientOffsets:
    return compute_offsets(columns, rows=rows, keys=CONTEXT.keys, rule=RULE)


def find_offset(number: str, kind: IdentifierKind) -> int:
    macs = CONTEXT.keys[kind.text].date.mac(pa.array([number]))
    return int(choose_offsets(macs, RULE)[0])


def test_a_patients_rows_move_alike() -> None:
    offsets = compute(read([ADA, BOB, ADA], NHS_NUMBER))
    ada, bob = find_offset(ADA, NHS_NUMBER), find_offset(BOB, NHS_NUMBER)
    assert offsets.list_days() == [ada, bob, ada]


def test_the_first_column_with_an_identifier_decides() -> None:
    offsets = compute(read([ADA, None, None], NHS_NUMBER), read(["R1", "R1", ""], MRN))
    local = find_offset("R1", MRN)
    assert offsets.list_days() == [find_offset(ADA, NHS_NUMBER), local, None]
    assert offsets.has_patient.tolist() == [True, True, False]


def test_without_a_patient_column_no_row_has_a_patient() -> None:
    assert compute(rows=2).list_days() == [None, None]
