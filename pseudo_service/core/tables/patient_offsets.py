"""The date offset of each row of a batch, taken from the row's patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pseudo_service.core.projects.project import DateShiftRule
from pseudo_service.core.pseudonyms.kind_keys import KindKeys
from pseudo_service.core.tables.identifier_columns import Identifiers
from pseudo_service.core.transforms.date_shift import choose_offsets


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientOffsets:
    """Each row's date offset in days, and whether the row has a patient."""

    days: npt.NDArray[np.int32] = field(repr=False)
    has_patient: npt.NDArray[np.bool_] = field(repr=False)

    def list_days(self) -> list[int | None]:
        """Return each row's offset; None where the row has no patient."""
        pairs = zip(self.days.tolist(), self.has_patient.tolist(), strict=True)
        return [days if has_patient else None for days, has_patient in pairs]


def compute_offsets(
    patients: Sequence[Identifiers],
    *,
    rows: int,
    keys: Mapping[str, KindKeys],
    rule: DateShiftRule,
) -> PatientOffsets:
    """Return the offsets of a batch's rows.

    Args:
        patients: The columns that may name the patient. The first one that has an
            identifier in a row decides.
        rows: How many rows each column has.
        keys: The project's keyed hashes, by kind as text.
        rule: The project's rule for offsets.
    """
    days = np.zeros(rows, dtype=np.int32)
    has_patient = np.zeros(rows, dtype=np.bool_)
    for source in reversed(patients):
        macs = keys[source.kind.text].date.mac(source.canonical)
        own = np.append(choose_offsets(macs, rule), np.int32(0))[source.places]
        days = np.where(source.is_present, own, days)
        has_patient |= source.is_present
    return PatientOffsets(days=days, has_patient=has_patient)
