"""A caller's window holds the last hour, within its bounds."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.access.recent_calls import RecentCalls

NINE = st.integers(min_value=0, max_value=10**9 - 1)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@given(
    st.lists(
        st.tuples(st.integers(0, 4000), st.sets(st.integers(0, 99), max_size=10)),
        max_size=12,
    )
)
def test_the_window_holds_what_the_last_hour_asked_for(
    calls: list[tuple[int, set[int]]],
) -> None:
    use, now = RecentCalls(last=START), START
    asked: dict[int, datetime] = {}
    for seconds, serials in calls:
        now += timedelta(seconds=seconds)
        asked |= dict.fromkeys(serials, now)
        use.add_serials(np.array(sorted(serials), np.int64), now=now, most=1000)
        recent = {s for s, at in asked.items() if now - at < timedelta(hours=1)}
        assert use.serials.tolist() == sorted(recent)


def test_the_window_forgets_the_longest_ago_when_it_is_full() -> None:
    use = RecentCalls(last=START)
    for minute in range(10):
        serials = np.arange(minute * 10, minute * 10 + 10, dtype=np.int64)
        use.add_serials(serials, now=START + timedelta(minutes=minute), most=25)
    assert len(use.serials) == 25
    assert use.serials.min() >= 70


def test_counts_leave_after_the_hour() -> None:
    use = RecentCalls(last=START)
    use.add_counts(asked=10, new=9, now=START)
    use.add_counts(asked=5, new=0, now=START + timedelta(minutes=30))
    assert use.count(START + timedelta(minutes=54)) == (15, 9)
    assert use.count(START + timedelta(minutes=61)) == (5, 0)


def test_a_window_shows_no_number_in_its_repr() -> None:
    use = RecentCalls(last=START)
    use.add_serials(np.array([999000123], np.int64), now=START, most=10)
    assert "999000123" not in repr(use)
