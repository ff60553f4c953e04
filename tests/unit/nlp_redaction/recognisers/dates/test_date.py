"""Dates in every written form are found; durations, scores and measures are not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.dates.date import DateRecogniser

RECOGNISER = DateRecogniser()


def find(text: str, least: float = 0.5) -> list[str]:
    """Return what has at least a score."""
    return [
        text[span.start : span.end]
        for span in RECOGNISER.find(Document.read(text))
        if span.score >= least
    ]


@pytest.mark.parametrize(
    "written",
    [
        *("3.4.21", "03-04-2021", "03/04/21", "3 / 4 / 2021", "2023-02-19T03:47"),
        *("20240301", "08-Dec-2022", "03MAY21", "3rd Apr '21", "14 Sept 23"),
        *("21st of January 1930", "Thurs 02/11/23", "April 2019", "Apr '22"),
        *("summer 2018", "autumn of 2022", "1970s", "Monday", "weds", "Boxing Day"),
        *("New Year's Eve", "Eid", "Ramadan", "Diwali", "Easter Monday", "Tet"),
        *("Chwefror", "dydd Llun", "3 Rhagfyr 2021", "3-5 May", "1987", "2022-09"),
        *("O3/O4/2l", "l7/11/l962", "29/O3/2021", "3\u20135 May 2021", "Tues 14th"),
        *("Wednesday, 9 June 2021", "May 3rd, 2021", "St Andrew's Day", "May Day"),
        *("third of May 1949", "seven of the seventh fifty three", "Mon 9"),
    ],
)
def test_finds_every_form(written: str) -> None:
    assert find(f"She was seen on {written}, and went home.") == [written]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("seen on 3/4 with mum", ["3/4"]),
        ("3/4 called, no reply", ["3/4"]),
        ("due 24/8 at home", ["24/8"]),
        ("07/02 0900 settled", ["07/02"]),
        ("HbA1c 9/22 was 48", ["9/22"]),
        ("vaccine exp 03/25", ["03/25"]),
        ("DOB 12 03 1961", ["12 03 1961"]),
        ("on the 21st he fell", ["21st"]),
        ("w/c 4 March", ["4 March"]),
        ("works Mon-Fri", ["Mon", "Fri"]),
        ("b. 1947 in York", ["1947"]),
        ("in May she fell", ["May"]),
        ("since March no better", ["March"]),
        ("review sat am", ["sat"]),
        ("Sun 14 Aug", ["Sun 14 Aug"]),
        ("# wrist '09", ["'09"]),
        ("??/??/61", ["??/??/61"]),
        ("dob2/8/99 seen", ["2/8/99"]),
        ("dialyses MWF", ["MWF"]),
    ],
)
def test_reads_the_doubtful_by_its_cues(text: str, found: list[str]) -> None:
    assert find(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("BP 120/80", "amoxicillin 500 tds 5/7", "rv in 3/52", "pred 1/12", "fu 6/12"),
        *("power 4/5 left", "pain 8/10", "MMSE 9/20", "visual acuity 6/9 right"),
        *("L4/5 disc", "T 36.8", "bisoprolol 2.5 mg", "INR 2.5 today", "EF 55-60"),
        *("a second opinion", "1st toe", "2nd degree burn", "1st line", "on day 3"),
        *("sats 94, sat 94%", "use sun cream", "MAR chart", "she may have it"),
        *("you may drive", "OCT: fluid", "the 25th centile", "he sat up", "sat out"),
        *("at 09.40 he rang", "14:30 seen", "07700 900123", "NHS 999 000 1234"),
        *("weight on the 9th centile", "dec'd in post", "v 2.1", "version 1.2.3"),
        *("she is in her seventies", "march on", "the sun was out", "2000 ml daily"),
    ],
)
def test_leaves_what_is_no_date(text: str) -> None:
    assert find(text) == []


def test_gives_a_hint_where_neither_side_decides() -> None:
    assert find("albumin low 3/4 then") == []
    assert find("albumin low 3/4 then", least=0.3) == ["3/4"]


def test_believes_a_doubtful_day_where_its_month_is_sure() -> None:
    assert find("groups: 24/11 came, then 1/11 missed") == ["24/11", "1/11"]


@given(st.text(alphabet="0123456789/.-: maytuesdOlI'sth\n", max_size=80))
def test_stays_inside_any_text_and_overlaps_nothing(text: str) -> None:
    reached = 0
    for span in RECOGNISER.find(Document.read(text)):
        assert reached <= span.start < span.end <= len(text)
        reached = span.end


@pytest.mark.parametrize(
    "rubbish", ["1/", "3, ", "may ", "12 and ", "'9", "l.", "21st "]
)
def test_takes_time_in_proportion_to_rubbish(rubbish: str) -> None:
    document = Document.read(rubbish * (60_000 // len(rubbish)))
    began = time.process_time()
    list(RECOGNISER.find(document))
    assert time.process_time() - began < 5
