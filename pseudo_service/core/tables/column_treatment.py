"""What each treatment does to the values of one column."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pseudo_service.core.arrow.column_types import holds_text
from pseudo_service.core.errors import AnswerUnsound
from pseudo_service.core.policies.treatments import (
    Drop,
    ExcludeRows,
    Generalise,
    Keep,
    Pseudonymise,
    RedactText,
    ShiftDate,
    Treatment,
)
from pseudo_service.core.tables.patient_offsets import PatientOffsets
from pseudo_service.core.transforms.date_shift import (
    DATE_CODES,
    DateCode,
    TimeOfDay,
    shift,
)
from pseudo_service.core.transforms.generalisation import (
    GENERALISE_CODES,
    Generalisation,
    generalise,
)

_OK: Final = "ok"
_MISSING: Final = "missing"
_KEPT_CODES: Final = (_OK, _MISSING)
_UNREMARKABLE: Final = frozenset({_OK, _MISSING})
_WIDTHS: Final = {Generalisation.MONTH: 7, Generalisation.YEAR: 4}
_FULL_DATE: Final = 10
# Generalising is done after shifting, so its codes are told as those of dates.
_AS_DATE_CODES: Final = np.array(
    [DATE_CODES.index(DateCode(code.value)) for code in GENERALISE_CODES], np.uint8
)
_UNPARSEABLE: Final = DATE_CODES.index(DateCode.UNPARSEABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """A treated column: values, an index into ``names`` each, what is no fault."""

    values: pa.Array = field(repr=False)
    codes: npt.NDArray[np.uint8] = field(repr=False)
    names: tuple[str, ...]
    unremarkable: Collection[str] = _UNREMARKABLE


def treat_column(
    treatment: Treatment,
    values: pa.Array,
    *,
    offsets: PatientOffsets | None,
    sentinels: frozenset[date],
) -> Treated:
    """Apply a treatment to the rows that stay.

    Args:
        treatment: Any but those that need more than the column: drop, pseudonymise
            and redact_text.
        values: The column's values in the rows that stay.
        offsets: The rows' date offsets, where the policy shifts any date.
        sentinels: Dates that are no dates.
    """
    if isinstance(treatment, Keep | ExcludeRows):
        return _keep(values)
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    match treatment:
        case ShiftDate():
            return _shift(treatment, values, _need(offsets), sentinels)
        case Generalise():
            return _generalise(treatment, values, offsets, sentinels)
        case Drop() | Pseudonymise() | RedactText():
            msg = "a column was treated without what its treatment needs; report it"
            raise AnswerUnsound(msg)


def _keep(values: pa.Array) -> Treated:
    codes = np.zeros(len(values), dtype=np.uint8)
    if values.null_count:
        codes = values.is_null().to_numpy(zero_copy_only=False).astype(np.uint8)
    return Treated(values=values, codes=codes, names=_KEPT_CODES)


def _need(offsets: PatientOffsets | None) -> PatientOffsets:
    if offsets is None:
        msg = "dates are to be shifted and no offsets were computed; report it"
        raise AnswerUnsound(msg)
    return offsets


def _shift(
    treatment: ShiftDate,
    values: pa.Array,
    offsets: PatientOffsets,
    sentinels: frozenset[date],
) -> Treated:
    shifted = shift(
        values,
        offsets.days,
        offsets.has_patient,
        time_of_day=treatment.time_of_day,
        formats=treatment.formats,
        sentinels=sentinels,
    )
    return Treated(values=shifted.values, codes=shifted.codes, names=DATE_CODES)


def _generalise(
    treatment: Generalise,
    values: pa.Array,
    offsets: PatientOffsets | None,
    sentinels: frozenset[date],
) -> Treated:
    is_postcode = treatment.to in {
        Generalisation.OUTWARD_CODE,
        Generalisation.POSTCODE_AREA,
    }
    if offsets is None or is_postcode or pa.types.is_integer(values.type):
        found = generalise(
            values,
            treatment.to,
            as_of=treatment.as_of,
            formats=treatment.formats,
            sentinels=sentinels,
        )
        return Treated(values=found.values, codes=found.codes, names=GENERALISE_CODES)
    # Of a zoned text the stated day counts, not that of its instant in UTC.
    time_of_day = TimeOfDay.ZERO if holds_text(values.type) else TimeOfDay.KEEP
    whole = ShiftDate(time_of_day=time_of_day, formats=treatment.formats)
    return _generalise_shifted(treatment, _shift(whole, values, offsets, sentinels))


def _generalise_shifted(treatment: Generalise, shifted: Treated) -> Treated:
    """Make shifted dates coarser; sentinels are gone, so none is looked for again."""
    values, codes = shifted.values, shifted.codes
    if holds_text(values.type):
        width = _WIDTHS.get(treatment.to, _FULL_DATE)
        codes = np.where(_are_shorter(values, width), np.uint8(_UNPARSEABLE), codes)
        values = pc.utf8_slice_codeunits(values, 0, width)
        values = pc.if_else(pa.array(codes == 0), values, pa.scalar(None, pa.string()))
        if width != _FULL_DATE:
            return Treated(values=values, codes=codes, names=DATE_CODES)
        values = values.cast(pa.date32())
    found = generalise(values, treatment.to, as_of=treatment.as_of)
    codes = np.where(codes == 0, _AS_DATE_CODES[found.codes], codes)
    return Treated(values=found.values, codes=codes, names=DATE_CODES)


def _are_shorter(texts: pa.StringArray, width: int) -> npt.NDArray[np.bool_]:
    """Say which ISO dates state less than is asked for; a null states nothing."""
    lengths = pc.fill_null(pc.binary_length(texts), width)
    found: npt.NDArray[np.bool_] = lengths.to_numpy() < width
    return found
