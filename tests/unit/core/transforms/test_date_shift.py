"""Shifted dates of every type and text form, and what becomes null instead."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.errors import ColumnTypeUnsuitable, InvalidArgument
from pseudo_service.core.transforms.date_parsing import check_formats
from pseudo_service.core.transforms.date_shift import DATE_CODES, TimeOfDay, shift

SENTINELS = frozenset({date(1900, 1, 1), date(9999, 12, 31)})
LONDON = ZoneInfo("Europe/London")
FORMATS = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d-%b-%Y",
    "%d/%m/%Y %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S%z",
    "%B %Y",
    "%Y-%m",
    "%Y",
)


def move(values, offset=-7, *, time_of_day=TimeOfDay.KEEP, formats=(), patient=True):
    values = values if isinstance(values, pa.Array) else pa.array(values)
    rows = len(values)
    moved = shift(
        values,
        np.full(rows, offset, np.int32),
        np.full(rows, patient),
        time_of_day=time_of_day,
        formats=formats,
        sentinels=SENTINELS,
    )
    assert moved.codes.dtype == np.uint8
    codes = [DATE_CODES[code].value for code in moved.codes]
    kept = [value is not None for value in moved.values.to_pylist()]
    assert kept == [code == "ok" for code in codes]
    return moved.values, codes


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_dates_move_by_days(kind):
    values, codes = move(pa.array([date(2021, 3, 3), None, date(1969, 7, 20)], kind))
    assert values.type == kind
    assert values.to_pylist() == [date(2021, 2, 24), None, date(1969, 7, 13)]
    assert codes == ["ok", "missing", "ok"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_naive_times_move_by_wall_clock(unit):
    moment = datetime(2021, 3, 30, 8, 15, 30)  # noqa: DTZ001 - naive is the case
    values, _ = move(pa.array([moment, None], pa.timestamp(unit)))
    assert values.type == pa.timestamp(unit)
    assert values.to_pylist() == [moment - timedelta(days=7), None]


def test_zoned_times_move_by_instant():
    moment = datetime(2021, 3, 30, 8, 15, tzinfo=LONDON)  # two days after spring
    kind = pa.timestamp("us", "Europe/London")
    values, _ = move(pa.array([moment], kind))
    assert values.type == kind
    moved = values[0].as_py()
    assert moment.astimezone(UTC) - moved.astimezone(UTC) == timedelta(days=7)
    assert moved.hour == 7  # the clock was an hour behind a week before


@pytest.mark.parametrize("zone", [None, "Europe/London", "UTC"])
def test_time_of_day_may_be_zeroed(zone):
    tzinfo = ZoneInfo(zone) if zone else None
    moment = datetime(2021, 7, 30, 0, 30, tzinfo=tzinfo)
    values, _ = move(
        pa.array([moment, None], pa.timestamp("ms", zone)), time_of_day=TimeOfDay.ZERO
    )
    moved = values[0].as_py()
    assert (moved.date(), moved.hour, moved.minute) == (date(2021, 7, 23), 0, 0)
    assert not values[1].is_valid


def test_sentinels_become_null_whatever_their_time_or_zone():
    naive = [datetime(1900, 1, 1, 13), datetime(9999, 12, 31, 23, 59)]  # noqa: DTZ001
    assert move(pa.array(naive, pa.timestamp("ms")))[1] == ["sentinel", "sentinel"]
    assert move(pa.array([date(1900, 1, 1), date(1900, 1, 2)]))[1] == ["sentinel", "ok"]
    zoned = pa.timestamp("s", "Asia/Tokyo")
    eve = datetime(1899, 12, 31, 20, tzinfo=UTC)  # already the 1st in Tokyo
    later = datetime(1900, 1, 1, 20, tzinfo=UTC)  # already the 2nd
    assert move(pa.array([eve, later], zoned))[1] == ["sentinel", "ok"]


def test_dates_that_would_leave_the_calendar_become_null():
    values = pa.array([date(1, 1, 7), date(1, 1, 8), date(9999, 12, 30)])
    assert move(values)[1] == ["out_of_range", "ok", "ok"]
    assert move(values, 2)[1] == ["ok", "ok", "out_of_range"]


@pytest.mark.parametrize("ticks", [-(2**63), 2**63 - 1])
def test_times_at_the_edge_of_their_type_become_null(ticks):
    values = pa.array([ticks], pa.int64()).view(pa.timestamp("ns"))
    assert move(values, 7 if ticks > 0 else -7)[1] == ["out_of_range"]
    far = pa.array([ticks], pa.int64()).view(pa.timestamp("s"))
    assert move(far)[1] == ["out_of_range"]


def test_what_is_null_may_hold_any_stored_number():
    stored = pa.array([2**62, 0]).buffers()[1]
    mask = pa.py_buffer(bytes([0b10]))
    values = pa.Array.from_buffers(pa.timestamp("us"), 2, [mask, stored])
    assert move(values)[1] == ["missing", "ok"]


def test_without_a_patient_nothing_passes():
    assert move(["2021-03-03", "", "1900-01-01", "x"], patient=False)[1] == [
        "no_patient",
        "missing",
        "sentinel",
        "unparseable",
    ]
    assert move(pa.array([date(2021, 3, 3), None]), patient=False)[1] == [
        "no_patient",
        "missing",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-03-03", "2021-02-24"),
        ("03/03/2021", "2021-02-24"),
        ("3/3/2021", "2021-02-24"),
        (" 03/03/2021 ", "2021-02-24"),
        ("03-Mar-2021", "2021-02-24"),
        ("03-MAR-2021", "2021-02-24"),
        ("29/02/2020", "2020-02-22"),
        ("03/03/2021 07:05", "2021-02-24T07:05"),
        ("2021-03-03T07:05:09", "2021-02-24T07:05:09"),
        ("2021-03-03T07:05:09.25", "2021-02-24T07:05:09.250000"),
        ("2021-03-03T07:05:09+0100", "2021-02-24T06:05:09+00:00"),
        ("2021-03-03T07:05:09Z", "2021-02-24T07:05:09+00:00"),
        ("March 2021", "2021-03"),
        ("2021-03", "2021-03"),
        ("2021", "2021"),
    ],
)
def test_texts_move_and_keep_their_precision(text, expected):
    values, codes = move([text], formats=FORMATS)
    assert (values.to_pylist(), codes) == ([expected], ["ok"])


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("2021", -181, "2021"),  # from 1 July back to 1 January
        ("2021", -182, "2020"),
        ("2021", 184, "2022"),
        ("2021-03", -14, "2021-03"),  # from the 15th back to the 1st
        ("2021-03", -15, "2021-02"),
        ("2021-03", 17, "2021-04"),
    ],
)
def test_partial_dates_move_from_their_anchor(text, offset, expected):
    assert move([text], offset)[0].to_pylist() == [expected]


@pytest.mark.parametrize("text", ["1900-01-01", "1900", "1900-01", "9999", "9999-12"])
def test_what_is_left_of_a_sentinel_is_one(text):
    assert move([text, "1900-02"])[1] == ["sentinel", "ok"]


@pytest.mark.parametrize("text", ["", " ", "NULL", "n/a", "-", None])
def test_texts_that_say_nothing_are_missing(text):
    assert move(pa.array([text], pa.string()))[1] == ["missing"]


@pytest.mark.parametrize(
    "text",
    ["31/02/2021", "2021-13-01", "2021-02-29", "21-03-03", "2021-03-03x", "0000-01-01"],
)
def test_texts_that_are_no_date_become_null(text):
    assert move([text], formats=("%Y-%m-%d", "%d/%m/%Y"))[1] == ["unparseable"]


def test_the_first_format_that_fits_is_taken():
    british, american = "%d/%m/%Y", "%m/%d/%Y"
    assert move(["02/03/2021"], formats=(british, american))[0][0].as_py() < "2021-03"
    assert move(["02/03/2021"], formats=(american, british))[0][0].as_py() == (
        "2021-01-27"
    )
    assert move(["13/02/2021"], formats=(american, british))[1] == ["ok"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-03-03T07:05:09", "2021-02-24T00:00:00"),
        ("03/03/2021 07:05", "2021-02-24T00:00"),
        ("2021-03-03T07:05:09.25", "2021-02-24T00:00:00.000000"),
        ("2021-03-03T07:05:09+0100", "2021-02-24T00:00:00+00:00"),
        ("2021-03-03", "2021-02-24"),
    ],
)
def test_times_in_texts_may_be_zeroed(text, expected):
    values, _ = move([text], time_of_day=TimeOfDay.ZERO, formats=FORMATS)
    assert values.to_pylist() == [expected]


@pytest.mark.parametrize("time_of_day", TimeOfDay)
def test_zoned_texts_do_not_tell_the_season_they_came_from(time_of_day):
    """Where summer time begins is public: seen shifted, it would be the offset."""
    first = datetime(2021, 3, 1, 9, tzinfo=LONDON)
    texts = [(first + timedelta(days=n)).isoformat() for n in range(60)]
    assert {text[-6:] for text in texts} == {"+00:00", "+01:00"}
    values, codes = move(texts, time_of_day=time_of_day)
    assert {text[-6:] for text in values.to_pylist()} == {"+00:00"}
    assert set(codes) == {"ok"}


def test_zoned_texts_keep_their_instant_across_midnight():
    formats = ("%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S.%f%z")
    texts = [
        "2021-03-03T00:30+0100",
        "2021-03-03T23:30-0500",
        "2021-03-03T00:00:00.25+0530",
        "2021-03-03T00:30+0000",
    ]
    assert move(texts, formats=formats)[0].to_pylist() == [
        "2021-02-23T23:30+00:00",
        "2021-02-25T04:30+00:00",
        "2021-02-23T18:30:00.250000+00:00",
        "2021-02-24T00:30+00:00",
    ]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view()])
def test_other_text_types_are_read(kind):
    assert move(pa.array(["2021-03-03", None], kind))[0].to_pylist() == [
        "2021-02-24",
        None,
    ]


def test_empty_columns_and_slices():
    assert move(pa.array([], pa.string()))[1] == []
    assert move(pa.array([], pa.timestamp("us", "UTC")))[1] == []
    column = pa.array(["x", "2021-03-03", None])
    assert move(column[1:])[1] == ["ok", "missing"]


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.bool_(), pa.time32("s")])
def test_other_types_hold_no_dates(kind):
    with pytest.raises(ColumnTypeUnsuitable):
        move(pa.nulls(1, kind))


def test_an_unknown_time_zone_is_refused_without_a_value():
    values = pa.array([0], pa.int64()).view(pa.timestamp("s", "Nowhere/Else"))
    with pytest.raises(ColumnTypeUnsuitable, match="time zone"):
        move(values, time_of_day=TimeOfDay.ZERO)


@pytest.mark.parametrize(
    "text",
    [
        "%d/%m/%y",
        "%d/%m",
        "%Y-%d",
        "%Y-%m-%d %M",
        "%Y %j",
        "%Y%Y-%m",
        "%c",
        "",
        "%Y-%H",
    ],
)
def test_formats_that_leave_something_open_are_refused(text):
    with pytest.raises(InvalidArgument, match="date format 2"):
        check_formats(("%Y", text))


def test_formats_of_the_table_are_taken():
    check_formats(FORMATS)
