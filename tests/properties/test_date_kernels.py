"""Shifting whole columns gives what the standard library gives, date by date."""

from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pseudo_service.core.transforms.date_shift import DATE_CODES, TimeOfDay, shift

SENTINELS = frozenset({date(1900, 1, 1), date(9999, 12, 31)})
OFFSETS = st.integers(-3650, 3650).filter(bool)
DATES = st.one_of(st.none(), st.dates(), st.sampled_from(sorted(SENTINELS)))
TIMES = st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2250, 1, 1))  # noqa: DTZ001
LAYOUTS = st.sampled_from(
    ["%Y-%m-%d", "%d/%m/%Y", "%d-%b-%Y", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M"]
)


def move(values, offsets, formats=()):
    return shift(
        values,
        np.array(offsets, np.int32),
        np.ones(len(values), bool),
        time_of_day=TimeOfDay.KEEP,
        formats=formats,
        sentinels=SENTINELS,
    )


def move_plainly(value, offset):
    if value is None:
        return None, "missing"
    if value in SENTINELS:
        return None, "sentinel"
    try:
        return value + timedelta(days=offset), "ok"
    except OverflowError:
        return None, "out_of_range"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(DATES, OFFSETS), max_size=10))
def test_dates_move_as_the_standard_library_moves_them(rows):
    expected = [move_plainly(*row) for row in rows]
    offsets = [offset for _, offset in rows]
    for kind in (pa.date32(), pa.date64()):
        moved = move(pa.array([value for value, _ in rows], kind), offsets)
        codes = [DATE_CODES[code] for code in moved.codes]
        assert list(zip(moved.values.to_pylist(), codes, strict=True)) == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(DATES, OFFSETS), max_size=10), st.sampled_from(["-", "/"]))
def test_texts_move_as_dates_do(rows, mark):
    texts = [
        None if value is None else value.isoformat().replace("-", mark)
        for value, _ in rows
    ]
    layout = f"%Y{mark}%m{mark}%d"
    moved = move(pa.array(texts, pa.string()), [o for _, o in rows], (layout,))
    expected = [move_plainly(*row) for row in rows]
    found = [
        (None if text is None else date.fromisoformat(text), DATE_CODES[code])
        for text, code in zip(moved.values.to_pylist(), moved.codes, strict=True)
    ]
    assert found == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(TIMES, min_size=2, max_size=6), OFFSETS)
def test_intervals_within_a_patient_stay_exact(times, offset):
    assume(not any(moment.date() in SENTINELS for moment in times))
    for kind in (pa.timestamp("us"), pa.timestamp("us", "Europe/London")):
        before = pa.array(times, pa.timestamp("us")).cast(pa.int64()).to_numpy()
        values = pa.array(before).view(kind)
        after = move(values, [offset] * len(times)).values.cast(pa.int64()).to_numpy()
        assert (np.diff(before) == np.diff(after)).all()
        assert (after - before == offset * 86_400_000_000).all()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(TIMES, st.text(max_size=10)), max_size=8), LAYOUTS, LAYOUTS)
def test_texts_are_read_as_the_standard_library_reads_them(values, written, other):
    texts = [
        value if isinstance(value, str) else value.strftime(written) for value in values
    ]
    assume(all(not text or text.strip(" -._?*/") for text in texts))
    formats = (written, other) if written != other else (written,)
    moved = move(pa.array(texts, pa.string()), [-7] * len(texts), formats)
    for value, text, code in zip(
        values, moved.values.to_pylist(), moved.codes, strict=True
    ):
        if isinstance(value, str) or value.date() in SENTINELS:
            assert text is None or DATE_CODES[code] == "ok"
            continue
        expected = value - timedelta(days=7)
        assert text[:10] == expected.date().isoformat()
        if "%S" in written:
            assert text[10:] == f"T{expected:%H:%M:%S}"
        elif "%H" in written:
            assert text[10:] == f"T{expected:%H:%M}"
        else:
            assert text[10:] == ""
