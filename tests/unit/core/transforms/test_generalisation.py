"""Coarser values: months, years, age bands, outward codes and areas."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from pseudo_service.core.errors import ColumnTypeUnsuitable, InvalidArgument
from pseudo_service.core.transforms.generalisation import (
    GENERALISE_CODES,
    Generalisation,
    generalise,
)

SENTINELS = frozenset({date(1900, 1, 1)})
MONTH, YEAR, AGE, OUTWARD, AREA = Generalisation
AS_OF = date(2024, 3, 1)


def make_coarse(values, into, **options):
    values = values if isinstance(values, pa.Array) else pa.array(values)
    outcome = generalise(values, into, sentinels=SENTINELS, **options)
    codes = [GENERALISE_CODES[code].value for code in outcome.codes]
    texts = outcome.values.to_pylist()
    assert outcome.values.type == pa.string()
    assert [text is not None for text in texts] == [code == "ok" for code in codes]
    return list(zip(texts, codes, strict=True))


@pytest.mark.parametrize(
    ("text", "month", "year"),
    [
        ("2021-04-03", "2021-04", "2021"),
        ("03/04/2021", "2021-04", "2021"),
        ("2021-04", "2021-04", "2021"),
        ("2021", None, "2021"),
        ("0987-12-31", "0987-12", "0987"),
        ("31/04/2021", None, None),
        ("April", None, None),
    ],
)
def test_text_dates_lose_their_day(text, month, year):
    formats = ("%Y-%m-%d", "%d/%m/%Y", "%Y-%m", "%Y")
    for into, expected in ((MONTH, month), (YEAR, year)):
        code = "ok" if expected else "unparseable"
        assert make_coarse([text], into, formats=formats) == [(expected, code)]


@pytest.mark.parametrize(
    "kind", [pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ns", "UTC")]
)
def test_stored_dates_lose_their_day(kind):
    values = pa.array([date(2021, 4, 30), None, date(1900, 1, 1)], pa.date32())
    assert make_coarse(values.cast(kind), MONTH) == [
        ("2021-04", "ok"),
        (None, "missing"),
        (None, "sentinel"),
    ]


def test_a_zoned_time_is_in_the_month_of_its_own_clock():
    moment = datetime(2021, 4, 30, 23, 30, tzinfo=UTC)
    for zone, month in (("UTC", "2021-04"), ("Europe/London", "2021-05")):
        values = pa.array([moment], pa.timestamp("us", zone))
        assert make_coarse(values, MONTH) == [(month, "ok")]


def test_times_outside_the_calendar_become_null():
    values = pa.array([2**62], pa.int64()).view(pa.timestamp("s"))
    assert make_coarse(values, YEAR) == [(None, "out_of_range")]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "0-4"),
        (4, "0-4"),
        (5, "5-9"),
        (84, "80-84"),
        (89, "85-89"),
        (90, "90+"),
        (114, "90+"),
        (130, "90+"),
    ],
)
def test_ages_fall_into_five_year_bands(age, band):
    assert make_coarse([age], AGE) == [(band, "ok")]


@pytest.mark.parametrize(
    ("birth", "band"),
    [
        (date(2024, 3, 1), "0-4"),
        (date(2019, 3, 1), "5-9"),
        (date(2019, 3, 2), "0-4"),
        (date(1934, 3, 1), "90+"),
        (date(1934, 3, 2), "85-89"),
        (date(2004, 2, 29), "20-24"),
    ],
)
def test_dates_of_birth_become_completed_years(birth, band):
    for value in (birth, birth.isoformat()):
        assert make_coarse([value], AGE, as_of=AS_OF) == [(band, "ok")]


def test_ages_that_nobody_has_become_null():
    expected = [(None, "out_of_range"), (None, "missing"), (None, "out_of_range")]
    assert make_coarse([131, None, -1], AGE) == expected
    births = [date(1850, 1, 1), None, date(2024, 3, 2)]
    assert make_coarse(births, AGE, as_of=AS_OF) == expected


def test_a_year_of_birth_is_no_age():
    assert make_coarse(["1980", "1980-05"], AGE, as_of=AS_OF) == [
        (None, "unparseable"),
        (None, "unparseable"),
    ]


def test_a_date_of_birth_needs_a_day_to_count_to():
    with pytest.raises(InvalidArgument, match="as_of"):
        generalise(pa.array(["1980-05-01"]), AGE)


@pytest.mark.parametrize(
    ("text", "outward", "area"),
    [
        ("W4 1XB", "W4", "W"),
        ("w41xb", "W4", "W"),
        (" pe38 4ua ", "PE38", "PE"),
        ("PE38\xa04UA", "PE38", "PE"),
        ("PE384UA", "PE38", "PE"),
        ("EC1A 1BB", "EC1A", "EC"),
        ("ec1a1bb", "EC1A", "EC"),
        ("M60 1NW", "M60", "M"),
        ("M601NW", "M60", "M"),
        ("W1A0AX", "W1A", "W"),
        ("CR2 6XH", "CR2", "CR"),
        ("CR26XH", "CR2", "CR"),
        ("GIR 0AA", "GIR", "GIR"),
        ("gir0aa", "GIR", "GIR"),
    ],
)
def test_postcodes_are_cut_however_they_are_written(text, outward, area):
    assert make_coarse([text], OUTWARD) == [(outward, "ok")]
    assert make_coarse([text], AREA) == [(area, "ok")]


@pytest.mark.parametrize(
    "text",
    [
        "W4",
        "W 1XB",
        "QW4 1XB",
        "W4 XXB",
        "W4 1CB",
        "ZZ99 3VZ",
        "12345",
        "W444 1XB",
        "GIR 1AA",
        "GIR4 0AA",
        "W4 1XB extra",
        "AI1 1AA",
    ],
)
def test_what_is_no_postcode_becomes_null(text):
    assert make_coarse([text], OUTWARD) == [(None, "unparseable")]
    assert make_coarse([text], AREA) == [(None, "unparseable")]


@pytest.mark.parametrize("into", list(Generalisation))
@pytest.mark.parametrize("text", [None, "", "N/A", "unknown"])
def test_nothing_recorded_is_missing(text, into):
    values = pa.array([text, text], pa.string())
    assert make_coarse(values, into, as_of=AS_OF) == [(None, "missing")] * 2


@pytest.mark.parametrize("into", list(Generalisation))
def test_empty_columns_and_other_text_types(into):
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        assert make_coarse(pa.array([], kind), into, as_of=AS_OF) == []


@pytest.mark.parametrize("into", list(Generalisation))
def test_other_types_are_refused(into):
    with pytest.raises(ColumnTypeUnsuitable):
        generalise(pa.nulls(1, pa.float64()), into, as_of=AS_OF)
