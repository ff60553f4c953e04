"""Layouts of fixed width read what the standard library reads, and nothing else."""
# ruff: noqa: DTZ007 - dates of a hospital's texts are naive

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.transforms.date_layouts import (
    compile_layout,
    view_rows,
    wrap_rows,
)

LAYOUTS = [
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y%m%d",
    "%d%m%Y",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%S:%M:%H %d/%m/%Y",
    "on %d/%m/%Y",
]
EPOCH = date(1970, 1, 1)


def read(layout, texts):
    """Return for each text its ISO date and time, or None where it does not fit."""
    compiled = compile_layout(layout)
    rows = np.array([list(text.encode()) for text in texts], np.uint8)
    found = compiled.read(rows.reshape(len(texts), compiled.width))
    times = [bytes(row).decode() for row in found.times]
    return [
        f"{np.datetime64(int(day), 'D')}{time}" if fits else None
        for fits, day, time in zip(found.fits, found.days, times, strict=True)
    ]


def read_plainly(layout, text):
    try:
        moment = datetime.strptime(text, layout)
    except ValueError:
        return None
    if "%H" not in layout:
        return moment.date().isoformat()
    return moment.isoformat(timespec="seconds" if "%S" in layout else "minutes")


def write(layout, parts):
    for name, part in parts.items():
        layout = layout.replace(f"%{name}", part)
    return layout


NUMBERS = st.fixed_dictionaries(
    {
        "Y": st.sampled_from(["0000", "0001", "1899", "1900", "2000", "2023", "9999"]),
        "m": st.integers(0, 14).map("{:02d}".format),
        "d": st.integers(0, 33).map("{:02d}".format),
        "H": st.integers(0, 26).map("{:02d}".format),
        "M": st.integers(0, 63).map("{:02d}".format),
        "S": st.integers(0, 63).map("{:02d}".format),
    }
)


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=200, deadline=None)
@given(rows=st.lists(NUMBERS, min_size=1, max_size=5))
def test_texts_at_full_width_are_read_as_the_standard_library_reads_them(layout, rows):
    texts = [write(layout, parts) for parts in rows]

    assert read(layout, texts) == [read_plainly(layout, text) for text in texts]


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=100, deadline=None)
@given(moment=st.datetimes(), place=st.integers(0), other=st.integers(0, 127).map(chr))
def test_one_wrong_byte_is_never_read_as_a_number(layout, moment, place, other):
    text = write(layout, {n: f"{moment:%{n}}".zfill(2) for n in "mdHMS"})
    text = text.replace("%Y", f"{moment.year:04d}")
    place %= len(text)
    changed = text[:place] + other + text[place + 1 :]

    (found,) = read(layout, [changed])

    if changed == text:
        assert found is not None
    elif found is not None:
        assert text[place].isdigit()
        assert other.isdigit()
        assert found == read_plainly(layout, changed)


@pytest.mark.parametrize(
    ("year", "is_leap"), [(1900, False), (2000, True), (2023, False), (2024, True)]
)
def test_the_29th_of_february_needs_a_leap_year(year, is_leap):
    assert (read("%d/%m/%Y", [f"29/02/{year}"])[0] is not None) is is_leap


def test_days_count_from_1970():
    layout = compile_layout("%Y-%m-%d")
    texts = ["1970-01-01", "1969-12-31", "0001-01-01", "9999-12-31"]
    rows = view_rows(pa.array(texts), 10)

    assert layout.read(rows).days.tolist() == [
        (date.fromisoformat(text) - EPOCH).days for text in texts
    ]


def test_a_layout_tells_its_width_and_the_places_of_its_parts():
    layout = compile_layout("%d/%m/%Y %H:%M")

    assert layout.width == len("05/04/2021 09:30")
    assert layout.fields["Y"] == slice(6, 10)
    assert layout.marks == {2: ord("/"), 5: ord("/"), 10: ord(" "), 13: ord(":")}


@pytest.mark.parametrize(
    "layout",
    [
        "%d %b %Y",
        "%d %B %Y",
        "%Y-%m-%dT%H:%M:%S.%f",
        "%Y-%m-%dT%H:%M:%S%z",
        "%Y-%m",
        "%Y",
        "%Y-%m-%d %H",
        "%Y-%m-%d:%M",
        "%Y\u2013%m\u2013%d",
        "%Y年%m月%d",
    ],
)
def test_what_has_no_fixed_width_or_no_whole_date_is_left_to_others(layout):
    assert compile_layout(layout) is None


def test_no_texts_give_no_readings():
    layout = compile_layout("%Y-%m-%dT%H:%M")
    found = layout.read(view_rows(pa.array([], pa.string()), layout.width))

    assert (len(found.fits), len(found.days), found.times.shape) == (0, 0, (0, 6))


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 6).flatmap(
        lambda width: st.lists(
            st.text(st.characters(max_codepoint=127), min_size=width, max_size=width),
            min_size=1,
            max_size=5,
        )
    )
)
def test_texts_of_one_width_survive_the_way_to_rows_and_back(texts):
    rows = view_rows(pa.array(texts), len(texts[0]))

    assert rows.shape == (len(texts), len(texts[0]))
    back = wrap_rows(rows)
    back.validate(full=True)
    assert back.to_pylist() == texts


def test_rows_of_a_slice_are_its_own():
    texts = pa.array(["aa", "bb", "cc", "dd"])[1:3]

    assert wrap_rows(view_rows(texts, 2)).to_pylist() == ["bb", "cc"]


def test_rows_that_are_not_contiguous_are_wrapped_in_order():
    rows = view_rows(pa.array(["aXb", "cXd"]), 3)

    assert wrap_rows(rows[:, ::2]).to_pylist() == ["ab", "cd"]
    assert wrap_rows(rows[:, :0]).to_pylist() == ["", ""]
