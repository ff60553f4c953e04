"""Periods, moments and durations of an evidence pack."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.evidence.tables import Period, format_duration, format_moment

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2026, 4, 1, tzinfo=UTC)
PERIOD = Period(since=SINCE, until=UNTIL)


@pytest.mark.parametrize(
    ("moment", "is_within"),
    [
        (SINCE, True),
        (SINCE - timedelta(microseconds=1), False),
        (UNTIL - timedelta(microseconds=1), True),
        (UNTIL, False),
        (None, False),
    ],
)
def test_a_period_is_half_open(moment: datetime | None, is_within: bool) -> None:
    assert PERIOD.holds(moment) is is_within


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001
def test_periods_that_follow_each_other_hold_a_moment_once(moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    edges = [datetime.min.replace(tzinfo=UTC), SINCE, UNTIL]
    edges.append(datetime.max.replace(tzinfo=UTC))
    periods = [
        Period(since=since, until=until) for since, until in itertools.pairwise(edges)
    ]
    assert sum(period.holds(at) for period in periods) == 1


def test_a_moment_is_written_to_the_minute() -> None:
    assert (
        format_moment(datetime(2026, 3, 2, 9, 5, 59, tzinfo=UTC)) == "2026-03-02 09:05"
    )
    assert format_moment(None) == ""


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=61), "1 h 1 min"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
    ],
)
def test_durations_read_as_people_say_them(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text
