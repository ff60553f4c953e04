"""Texts become dates as the standard library reads them, and refusals where it guesses."""
# ruff: noqa: DTZ001, DTZ007 - dates of a hospital's texts are naive

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.transforms.date_parsing import (
    ISO_FORMATS,
    Precision,
    Reading,
    check_formats,
    format_days,
    move_to_utc,
    number_day,
    parse_dates,
)

FORMATS = [
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%Y%m%d",
    "%d%b%Y",
    "%d/%m/%Y %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S%z",
    "%d/%m/%Y %H",
]
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


def read(text, *formats):
    parsed = parse_dates(pa.array([text], pa.string()), formats)
    if parsed.readings[0] != Reading.DATE:
        return Reading(parsed.readings[0])
    (day,) = format_days(parsed.days, parsed.precision).to_pylist()
    return day + parsed.time.to_pylist()[0]


def read_plainly(text, layout):
    try:
        moment = datetime.strptime(text, layout)
    except ValueError:
        return Reading.UNPARSEABLE
    if "%H" not in layout:
        return moment.date().isoformat()
    finest = next(
        name
        for sign, name in (
            ("%f", "microseconds"),
            ("%S", "seconds"),
            ("%M", "minutes"),
            ("%H", "hours"),
        )
        if sign in layout
    )
    return moment.isoformat(timespec=finest)


@pytest.mark.parametrize("layout", FORMATS)
@settings(max_examples=100, deadline=None)
@given(moment=st.datetimes(min_value=datetime(1000, 1, 1), timezones=ZONES))
def test_what_a_format_writes_is_read_as_the_standard_library_reads_it(layout, moment):
    text = moment.strftime(layout)

    assert read(text, layout) == read_plainly(text, layout) != Reading.UNPARSEABLE


@pytest.mark.parametrize("layout", FORMATS)
@settings(max_examples=100, deadline=None)
@given(
    moment=st.datetimes(min_value=datetime(1000, 1, 1), timezones=ZONES),
    place=st.integers(0, 30),
    other=st.sampled_from("0139/-: Tx"),
)
def test_a_changed_text_is_read_like_it_or_not_at_all(layout, moment, place, other):
    text = moment.strftime(layout)
    place %= len(text)
    text = (text[:place] + other + text[place + 1 :]).strip()

    found = read(text, layout)

    # Numbers that touch are read at full width only, so less may be read there.
    is_touching = layout == "%Y%m%d"
    allowed = {read_plainly(text, layout)}
    assert found in allowed | ({Reading.UNPARSEABLE} if is_touching else set())


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.none() | st.dates().map(str) | st.text(max_size=6), max_size=8),
    st.integers(0, 3),
)
def test_a_column_is_read_as_its_cells_are(texts, first):
    column = pa.array(texts, pa.string())[first:]
    parsed = parse_dates(column, ())

    alone = [parse_dates(column[row : row + 1], ()) for row in range(len(column))]
    assert parsed.days.tolist() == [each.days[0] for each in alone]
    assert parsed.precision.tolist() == [each.precision[0] for each in alone]
    assert parsed.readings.tolist() == [each.readings[0] for each in alone]
    assert parsed.time.to_pylist() == [each.time[0].as_py() for each in alone]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-04-05", "2021-04-05"),
        ("2021-04-05T09:30:00", "2021-04-05T09:30:00"),
        ("2021-04-05 09:30:00", "2021-04-05T09:30:00"),
        ("2021-04-05T09:30", "2021-04-05T09:30"),
        ("2021-04-05T09:30:00.5", "2021-04-05T09:30:00.500000"),
        ("2021-04-05T09:30:00+01:00", "2021-04-05T09:30:00+01:00"),
        ("2021-04", "2021-04"),
        ("2021", "2021"),
        ("05/04/2021", Reading.UNPARSEABLE),
        ("20210405", Reading.UNPARSEABLE),
    ],
)
def test_without_formats_iso_8601_is_read_and_no_ambiguous_order(text, expected):
    assert read(text) == expected


def test_a_partial_date_stands_on_its_anchor_with_its_precision():
    parsed = parse_dates(pa.array(["2021", "2021-02", "2021-02-03"]), ())

    assert parsed.precision.tolist() == [
        Precision.YEAR,
        Precision.MONTH,
        Precision.DAY,
    ]
    assert parsed.days.tolist() == [
        number_day(date(2021, 7, 1)),
        number_day(date(2021, 2, 15)),
        number_day(date(2021, 2, 3)),
    ]


def test_an_exact_fit_of_a_later_format_goes_before_a_loose_fit_of_an_earlier():
    british, american = "%d/%m/%Y", "%m/%d/%Y"

    assert read("04/05/2021", british, american) == "2021-05-04"
    assert read("04/25/2021", british, american) == "2021-04-25"
    assert read("4/5/2021", british, american) == "2021-05-04"


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("%d%m%Y", "1122021"),  # 11 February, or 1 December without its nought
        ("%d%m%Y", "112021"),
        ("%Y%m%d", "2021112"),
        ("%Y%m%d %H:%M", "2021112 09:30"),
        ("%d/%m/%Y %H%M", "03/04/2021 130"),
        ("%d/%m/%Y %H%M", "03/04/2021 93"),
    ],
)
def test_numbers_that_touch_are_not_guessed_apart(layout, text):
    assert datetime.strptime(text, layout)  # the standard library would guess
    assert read(text, layout) == Reading.UNPARSEABLE


@pytest.mark.parametrize(
    ("layout", "text", "expected"),
    [
        ("%d%m%Y", " 01122021 ", "2021-12-01"),
        ("%Y%m%d", "\uff12021\u200b1102", "2021-11-02"),
        ("%Y%m", "202111", "2021-11"),
        ("%Y%m%dT%H%M%S%z", "20211102t093000+0100", "2021-11-02T09:30:00+01:00"),
        ("%Y%m%d%H%M%S%f", "20211102093000250", "2021-11-02T09:30:00.250000"),
        ("%d%b%Y", "1nov2021", "2021-11-01"),
    ],
)
def test_numbers_that_touch_are_read_at_full_width(layout, text, expected):
    assert read(text, layout) == expected


@pytest.mark.parametrize("text", [None, "", "  ", "\u200b", "\u2014", "n/k", "NULL"])
def test_what_says_nothing_is_missing_and_has_no_time(text):
    parsed = parse_dates(pa.array([text, "2021-04-05T09:30"], pa.string()), ())

    assert parsed.readings.tolist() == [Reading.MISSING, Reading.DATE]
    assert parsed.time.to_pylist() == ["", "T09:30"]


@pytest.mark.parametrize(
    "text", ["31/04/2021", "29/02/1900", "00/01/2021", "1/1/21", "x", "01/01/2021x"]
)
def test_what_the_calendar_lacks_is_unparseable(text):
    assert read(text, "%d/%m/%Y") == Reading.UNPARSEABLE


@pytest.mark.parametrize(
    ("layout", "problem"),
    [
        ("%d/%m/%y", "use %Y %m"),
        ("%Y-%m-%d %I:%M", "use %Y %m"),
        ("%Y-%m-%d%%", "use %Y %m"),
        ("%Y-%m-%d%", "use %Y %m"),
        ("%Y-%m-%d%\n", "use %Y %m"),
        ("%Y-%m-%d %d", "use %Y %m"),
        ("%d/%m", "four-digit year"),
        ("today", "four-digit year"),
        ("%Y %d", "a day needs its month"),
        ("%Y %b %m", "a day needs its month"),
        ("%Y-%m %H", "a day needs its month"),
        ("%Y-%m-%d %H:%S", "a day needs its month"),
        ("%Y-%m-%d %H:%M.%f", "a day needs its month"),
        ("%Y-%m-%d%z", "a day needs its month"),
        ("%Y-%m-%d %H%z", "a day needs its month"),
    ],
)
def test_a_format_that_leaves_something_open_is_refused(layout, problem):
    with pytest.raises(InvalidArgument) as refusal:
        check_formats((*ISO_FORMATS, layout))

    assert refusal.value.code is ErrorCode.INVALID_ARGUMENT
    assert refusal.value.message.startswith(f"date format {len(ISO_FORMATS) + 1}: ")
    assert problem in refusal.value.message


@pytest.mark.parametrize("layout", [*ISO_FORMATS, *FORMATS, "%B %Y", "%Y%m%d%H%M%S%f"])
def test_a_format_that_says_all_is_taken_and_reads_what_it_writes(layout):
    check_formats((layout,))
    written = datetime(2021, 11, 12, 13, 14, 15, 678901, tzinfo=UTC).strftime(layout)

    assert isinstance(read(written, layout), str)


@settings(max_examples=300, deadline=None)
@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)), ZONES,
       st.sampled_from(["minutes", "seconds", "microseconds"]))  # fmt: skip
def test_a_time_with_a_zone_moves_to_utc_with_its_day(moment, zone, finest):
    zoned = moment.replace(tzinfo=zone)
    if finest == "minutes":
        zoned = zoned.replace(second=0, microsecond=0)
    elif finest == "seconds":
        zoned = zoned.replace(microsecond=0)

    times, carried = move_to_utc(pa.array([zoned.isoformat(timespec=finest)[10:]]))

    expected = zoned.astimezone(UTC)
    assert times.to_pylist() == [expected.isoformat(timespec=finest)[10:]]
    assert carried.tolist() == [(expected.date() - zoned.date()).days]


def test_times_without_a_zone_stay_where_they_are():
    times = pa.array(["", "T09:30", "T23:59:59", "T09:30:00.250000", ""])

    moved, carried = move_to_utc(times)

    assert moved.equals(times)
    assert carried.tolist() == [0] * 5
    assert len(move_to_utc(times[:0])[0]) == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.dates(), st.sampled_from(Precision)), max_size=8))
def test_days_are_written_in_iso_8601_as_far_as_they_are_known(rows):
    days = np.array([number_day(day) for day, _ in rows], np.int64)
    precision = np.array([known for _, known in rows], np.uint8)

    assert format_days(days, precision).to_pylist() == [
        day.isoformat()[:known] for day, known in rows
    ]


def test_days_are_numbered_from_1970():
    assert number_day(date(1970, 1, 1)) == 0
    assert number_day(date(1969, 12, 31)) == -1
    assert number_day(date.min) == -719162
