"""A written date moves by whole days and keeps its form."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.replacement.dates import shift_date_text

FULL_FORMS = (
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d / %m / %Y",
    "%Y-%m-%d",
    "%Y-%m-%dT03:47",
    "%Y%m%d",
    "%d %B %Y",
    "%d %B, %Y",
    "%A %d %B %Y",
    "%A, %d/%m/%Y",
    "%a %d/%m/%y",
    "%d-%b-%Y",
    "%d%b%y",
)
days_in_use = st.dates(date(1940, 1, 1), date(2030, 12, 31))
offsets = st.integers(-1000, 1000)


@pytest.mark.parametrize(
    ("written", "moved"),
    [
        ("3.4.21", "13.5.21"),
        ("03-04-2021", "13-05-2021"),
        ("3rd Apr '21", "13th May '21"),
        ("21st of January 1930", "2nd of March 1930"),
        ("Thurs 02/11/23", "Tues 12/12/23"),
        ("2023-02-19T03:47", "2023-03-31T03:47"),
        ("20240301", "20240410"),
        ("202403011230", "202404101230"),
        ("08-Dec-2022", "17-Jan-2023"),
        ("03MAY21", "12JUN21"),
        ("May 3rd, 2021", "June 12th, 2021"),
        ("3\u00a0May 2021", "12\u00a0June 2021"),
        ("3\u20135 May 2021", "12\u201314 June 2021"),
        ("4, 5 and 6 January 2024", "13, 14 and 15 February 2024"),
        ("14 Sept 23", "24 Oct 23"),
        ("3 Chwefror 2023", "15 Mawrth 2023"),
        ("dydd Llun", "dydd Sadwrn"),
        ("THURSDAYS", "TUESDAYS"),
        ("mon", "sat"),
        ("Sat 9 Feb", "Thu 21 Mar"),
        ("3/4", "13/5"),
        ("29 Feb", "9 Apr"),
    ],
)
def test_moves_by_forty_days_in_its_own_form(written: str, moved: str) -> None:
    assert shift_date_text(written, 40) == moved


@pytest.mark.parametrize(
    ("written", "moved"),
    [
        ("April 2019", "February 2018"),
        ("Apr '22", "Feb '21"),
        ("9/22", "7/21"),
        ("09/2022", "07/2021"),
        ("2022-09", "2021-07"),
        ("1987", "1986"),
        ("2025-26", "2024-25"),
        ("2014-2019", "2013-2018"),
        ("'98", "'97"),
    ],
)
def test_keeps_the_precision_of_a_part(written: str, moved: str) -> None:
    assert shift_date_text(written, -430) == moved


@pytest.mark.parametrize(
    "written",
    [
        *("the 80s", "1970s", "summer 2018", "Easter", "Christmas 2019", "21st"),
        *("Tues 14th", "l7/11/l962", "29/O3/2021", "29/2/2023", "13/25/2021"),
        # May be a day or a year, a month or a year.
        *("Apr 22", "2011-12"),
        # A zone's offset would tell the season that it was moved from.
        "2024-05-01T10:00+01:00",
        *("", "ninety", "31/12/9999", "second of May 1949"),
    ],
)
def test_answers_nothing_where_it_cannot_be_sure(written: str) -> None:
    assert shift_date_text(written, 40) is None


@given(days_in_use, offsets, st.sampled_from(FULL_FORMS))
def test_moves_a_whole_date_by_exactly_its_days(
    day: date, offset: int, form: str
) -> None:
    expected = (day + timedelta(days=offset)).strftime(form)
    moved = shift_date_text(day.strftime(form), offset)
    assert moved is not None
    if "%B" in form or "%d %" not in form:
        # A day before a month's name loses its nought only where it never had one.
        assert _drop_noughts(moved) == _drop_noughts(expected)


@given(days_in_use, offsets, st.sampled_from(FULL_FORMS))
def test_comes_back_when_moved_back(day: date, offset: int, form: str) -> None:
    written = day.strftime(form)
    there = shift_date_text(written, offset)
    assert there is not None
    back = shift_date_text(there, -offset)
    assert back is not None
    assert _drop_noughts(back) == _drop_noughts(written)


@given(days_in_use, days_in_use, offsets)
def test_keeps_the_days_between_two_dates(
    first: date, second: date, offset: int
) -> None:
    moved = [
        date.fromisoformat(shift_date_text(day.isoformat(), offset) or "")
        for day in (first, second)
    ]
    assert moved[1] - moved[0] == second - first


@given(st.text(max_size=40), offsets)
def test_never_fails(text: str, offset: int) -> None:
    moved = shift_date_text(text, offset)
    assert moved is None or isinstance(moved, str)


def _drop_noughts(text: str) -> str:
    """Make 03 May and 3 May alike, which no form tells apart once moved past the 9th."""
    words = text.split(" ")
    return " ".join(
        word.lstrip("0") if word.rstrip(",").isdigit() or word[2:5].isalpha() else word
        for word in words
    )
