"""Telephone numbers: what is found whole, and what only looks like one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_redaction.document.spans import STANDS_ALONE
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.contacts.phone import (
    PhoneRecogniser,
    count_spoken_digits,
)

PHONE = PhoneRecogniser()


def find(text: str) -> list[str]:
    document = Document.read(text)
    return [
        text[span.start : span.end]
        for span in PHONE.find(document)
        if span.score >= STANDS_ALONE
    ]


@pytest.mark.parametrize(
    "number",
    [
        "01632 960114",
        "01632960114",
        "(01632) 960 418",
        "01632-960-702",
        "0121 496 0338",
        "0121-496-0725",
        "020 7946 0182",
        "(028) 9649 6280",
        "029 2018 0667",
        "03069 990 440",
        "0808 157 0344",
        "07700 900 137",
        "07700900318",
        "07700.900.557",
        "07700 900-709",
        "0151 496 07 12",
        "07700  900  318",
        "+44 7700 900451",
        "+447700900291",
        "+44 (0)20 7946 0663",
        "0044 7700 900451",
        "+353 1 496 0338",
        "O7700 900418",
        "O1632 96O 045",
        "029\u00a02018\u00a00391",
        "01632 960231 ext 4408",
        "0121 496 0904 x212",
        "01632 960 220 / 221",
        "oh seven seven hundred nine hundred one one one",
        "oh 7700 900 846",
        "oh double seven double oh nine hundred five two three",
    ],
)
def test_a_whole_number_is_one_span(number: str) -> None:
    assert find(f"Please ring {number}, thank you") == [number]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("sister on ext 4471, evenings", "4471"),
        ("Extension: 41180", "41180"),
        ("phoned ward x7715 twice", "7715"),
        ("0340 DECT 4401 rang", "4401"),
        ("any refusals ring me 4190", "4190"),
        ("bleep nil use 2290", "2290"),
        ("Tel: 960 4418", "960 4418"),
        ("mob 07700 900 4 ... (cut off)", "07700 900 4"),
    ],
)
def test_a_cue_makes_a_short_number_one(text: str, digits: str) -> None:
    assert find(text) == [digits]


@pytest.mark.parametrize(
    "text",
    [
        "crash call 2222, then ring 999 or call 111",
        "NHS 999 447 1203 and 999-318-9940",
        "seen 01-02-2019 120/80, 03.04.51, 01.02.2019 10:30",
        "rang 1130, no answer; call 0930",
        "nail 10 x 390 mm, GTN x3, power 4/5 ext 5/5",
        "0.125 mg 250 mg 500 mg",
        "count to seven: one two three four five six seven",
        "serial sevens 93 86 79 72 65, oh well",
        "",
    ],
)
def test_other_numbers_are_left(text: str) -> None:
    assert find(text) == []


def test_spoken_digits_are_counted() -> None:
    assert count_spoken_digits("oh double seven nine hundred 96") == 8


@settings(deadline=None)
@given(st.text(alphabet="0123456789 +-().x/Ooext telringdouble\n", max_size=120))
def test_spans_stay_inside_any_text(text: str) -> None:
    for span in PHONE.find(Document.read(text)):
        assert 0 <= span.start < span.end <= len(text)


@settings(deadline=None)
@given(st.integers(0, 999), st.sampled_from(["", " ", "  ", "-", ".", "\u00a0"]))
def test_a_drama_mobile_is_found_in_any_grouping(number: int, gap: str) -> None:
    mobile = f"07700{gap}900{gap}{number:03}"
    assert find(f"mobile {mobile}") == [mobile]
