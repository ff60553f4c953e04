"""When numbers look tried out."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.access.enumeration import (
    EnumerationSettings,
    count_in_runs,
    is_novel_burst,
    is_sequential,
    read_serials,
)
from pseudo_service.core.errors import InvalidArgument
from tests.lib.values.nhs_numbers import make_nhs_number

NINE = st.integers(min_value=0, max_value=10**9 - 1)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def count_slowly(serials: list[int], run: int) -> int:
    rows: list[list[int]] = []
    for serial in sorted(set(serials)):
        if rows and serial - rows[-1][-1] <= 2:
            rows[-1].append(serial)
        else:
            rows.append([serial])
    return sum(len(row) for row in rows if len(row) >= run)


@given(st.lists(st.integers(0, 60), max_size=60), st.integers(3, 10))
def test_rows_of_neighbours_are_counted_as_one_would_by_hand(
    serials: list[int], run: int
) -> None:
    array = np.unique(np.array(serials, np.int64))
    assert count_in_runs(array, run=run) == count_slowly(serials, run)


@settings(deadline=None)  # the first call may compile
@given(st.lists(NINE, max_size=30))
def test_serials_are_the_first_nine_digits_once_and_in_order(
    serials: list[int],
) -> None:
    numbers = pa.array([f"{serial:09d}0" for serial in serials], pa.string())
    assert read_serials([numbers]).tolist() == sorted(set(serials))


def test_serials_of_several_columns_are_joined_and_of_none_are_none() -> None:
    columns = [pa.array(["9990001235"]), pa.array(["9990000018", "9990001235"])]
    assert read_serials(columns).tolist() == [999000001, 999000123]
    assert read_serials([]).tolist() == []
    assert read_serials([pa.array([], pa.string())]).tolist() == []


def test_serials_of_a_slice_are_its_own() -> None:
    numbers = pa.array(["9990000018", "9990001235", "9990004560"])
    assert read_serials([numbers.slice(1, 1)]).tolist() == [999000123]


def test_an_enumeration_of_valid_numbers_is_one_row_despite_its_gaps() -> None:
    numbers = {make_nhs_number(seed) for seed in range(200_000, 200_100)}
    serials = read_serials([pa.array(sorted(numbers))])
    assert count_in_runs(serials, run=20) == len(serials) >= 85


def test_a_cohort_drawn_at_random_has_no_rows() -> None:
    drawn = np.random.default_rng(7).integers(4 * 10**8, 8 * 10**8, 65_536)
    assert count_in_runs(np.unique(drawn), run=20) == 0


@pytest.mark.parametrize(
    ("in_runs", "looked_at", "expected"),
    [(19, 19, False), (20, 20, True), (20, 1000, True), (20, 65_536, False)],
)
def test_a_few_rows_in_a_large_batch_are_chance(
    in_runs: int, looked_at: int, expected: bool
) -> None:
    assert is_sequential(in_runs, looked_at, EnumerationSettings()) is expected


@pytest.mark.parametrize(
    ("new", "asked", "expected"),
    [(499, 499, False), (500, 600, True), (500, 626, False), (5000, 5000, True)],
)
def test_a_burst_needs_many_and_most(new: int, asked: int, expected: bool) -> None:
    assert is_novel_burst(new, asked, EnumerationSettings()) is expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequential_run": 2},
        {"sequential_share": 0.0},
        {"novel_share": 1.5},
        {"novel_per_hour": 0},
        {"remembered": 19},
        {"callers": 0},
    ],
)
def test_settings_that_would_watch_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidArgument, match="anti_oracle"):
        EnumerationSettings(**wrong)  # type: ignore[arg-type]
