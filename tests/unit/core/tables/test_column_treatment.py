"""What a treatment does to one column, and what it refuses to do."""

from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.errors import AnswerUnsound
from pseudo_service.core.identifiers.kinds import NHS_NUMBER
from pseudo_service.core.policies.treatments import (
    AfterExclusion,
    Drop,
    ExcludeRows,
    Generalise,
    Keep,
    Pseudonymise,
    RedactText,
    ShiftDate,
    Treatment,
)
from pseudo_service.core.tables.column_treatment import Treated, treat_column
from pseudo_service.core.tables.patient_offsets import PatientOffsets
from pseudo_service.core.transforms.generalisation import Generalisation

KEEP = Keep(reason="counts the rows")
EXCLUDE = ExcludeRows(
    codes=("Z31*",), list_name="fertility", then=AfterExclusion.KEEP, reason=None
)
DAYS = 40
NO_DATE = date(1900, 1, 1)


def make_offsets(*days: int | None) -> PatientOffsets:
    return PatientOffsets(
        days=np.array([each or 0 for each in days], np.int32),
        has_patient=np.array([each is not None for each in days], np.bool_),
    )


def treat(
    treatment: Treatment, values: pa.Array, offsets: PatientOffsets | None = None
) -> Treated:
    return treat_column(
        treatment, values, offsets=offsets, sentinels=frozenset({NO_DATE})
    )


def list_codes(treated: Treated) -> list[str]:
    return [str(treated.names[code]) for code in treated.codes.tolist()]


@pytest.mark.parametrize("treatment", [KEEP, EXCLUDE], ids=type)
def test_kept_values_stay_and_only_nulls_are_missing(treatment: Treatment) -> None:
    values = pa.array(["A01", None, ""])
    treated = treat(treatment, values)
    assert treated.values is values
    assert list_codes(treated) == ["ok", "missing", "ok"]
    assert list_codes(treat(treatment, values.slice(1, 1))) == ["missing"]


@pytest.mark.parametrize("treatment", [KEEP, EXCLUDE], ids=type)
def test_a_column_without_any_value_keeps_its_type(treatment: Treatment) -> None:
    treated = treat(treatment, pa.nulls(2))
    assert treated.values.type == pa.null()
    assert list_codes(treated) == ["missing", "missing"]


@pytest.mark.parametrize(
    "treatment", [ShiftDate(), Generalise(to=Generalisation.YEAR)], ids=type
)
def test_what_makes_text_makes_it_of_a_column_without_any_value(
    treatment: Treatment,
) -> None:
    treated = treat(treatment, pa.nulls(2), make_offsets(DAYS, DAYS))
    assert treated.values.type == pa.string()
    assert treated.values.null_count == 2
    assert list_codes(treated) == ["missing", "missing"]


@pytest.mark.parametrize(
    "treatment", [Drop(), Pseudonymise(kind=NHS_NUMBER), RedactText()], ids=type
)
def test_what_needs_more_than_the_column_is_refused(treatment: Treatment) -> None:
    with pytest.raises(AnswerUnsound, match="without what its treatment needs") as told:
        treat(treatment, pa.array(["secret"]), make_offsets(DAYS))
    assert "secret" not in told.value.message


def test_no_date_leaves_where_no_offsets_were_computed() -> None:
    with pytest.raises(AnswerUnsound, match="no offsets were computed"):
        treat(ShiftDate(), pa.array([date(2024, 3, 5)]))


def test_dates_move_and_those_that_cannot_are_told() -> None:
    day = date(2024, 3, 5)
    values = pa.array([day, None, NO_DATE, day])
    treated = treat(ShiftDate(), values, make_offsets(DAYS, DAYS, DAYS, None))
    moved = day + timedelta(days=DAYS)
    assert treated.values.to_pylist() == [moved, None, None, None]
    assert list_codes(treated) == ["ok", "missing", "sentinel", "no_patient"]


@pytest.mark.parametrize(
    ("to", "values", "expected"),
    [
        (Generalisation.OUTWARD_CODE, pa.array(["OX3 9DU"]), "OX3"),
        (Generalisation.POSTCODE_AREA, pa.array(["OX3 9DU"]), "OX"),
        (Generalisation.AGE_BAND, pa.array([42]), "40-44"),
    ],
)
def test_what_is_no_date_is_not_shifted_before_it_is_generalised(
    to: Generalisation, values: pa.Array, expected: str
) -> None:
    for offsets in (None, make_offsets(DAYS), make_offsets(None)):
        treated = treat(Generalise(to=to), values, offsets)
        assert treated.values.to_pylist() == [expected]
        assert list_codes(treated) == ["ok"]


@pytest.mark.parametrize(
    "value",
    [date(2024, 2, 10), datetime(2024, 2, 10, 23, 59), "2024-02-10"],  # noqa: DTZ001
    ids=["date", "time", "text"],
)
def test_a_date_is_shifted_before_it_is_generalised(value: object) -> None:
    month = Generalise(to=Generalisation.MONTH)
    values = pa.array([value, value, None])
    treated = treat(month, values, make_offsets(DAYS, None, DAYS))
    assert treated.values.to_pylist() == ["2024-03", None, None]
    assert list_codes(treated) == ["ok", "no_patient", "missing"]
    assert treat(month, values).values.to_pylist() == ["2024-02", "2024-02", None]


def test_the_stated_day_of_a_text_with_a_zone_counts() -> None:
    month = Generalise(to=Generalisation.MONTH)
    values = pa.array(["2024-03-01T00:30:00+02:00"])  # still February in UTC
    assert treat(month, values, make_offsets(0)).values.to_pylist() == ["2024-03"]


@pytest.mark.parametrize("offsets", [None, make_offsets(*[DAYS] * 3)])
def test_a_date_that_states_less_than_is_asked_for_is_unparseable(
    offsets: PatientOffsets | None,
) -> None:
    values = pa.array(["2024-02-10", "2024-02", "2024"])
    month = treat(Generalise(to=Generalisation.MONTH), values, offsets)
    assert list_codes(month)[2] == "unparseable"
    assert month.values[2].as_py() is None
    age = Generalise(to=Generalisation.AGE_BAND, as_of=date(2030, 1, 1))
    band = treat(age, values, offsets)
    assert list_codes(band) == ["ok", "unparseable", "unparseable"]
    assert band.values.to_pylist() == ["5-9", None, None]


def test_a_shifted_birth_out_of_range_keeps_its_code() -> None:
    age = Generalise(to=Generalisation.AGE_BAND, as_of=date(2024, 3, 1))
    values = pa.array([date(2024, 2, 28), NO_DATE])
    treated = treat(age, values, make_offsets(DAYS, DAYS))  # born after as_of then
    assert treated.values.to_pylist() == [None, None]
    assert list_codes(treated) == ["out_of_range", "sentinel"]


def test_a_treated_column_prints_no_value() -> None:
    assert "secret" not in repr(treat(KEEP, pa.array(["secret"])))
