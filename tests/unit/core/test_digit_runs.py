"""The table of digit runs: each row finds its own runs and nothing shorter."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.digit_runs import (
    COLUMN_NAME,
    DIGIT_RUNS,
    LOG_ID,
    STATED_TEXT_BROKEN,
    TYPED_TEXT,
    DigitRun,
)

by_place = pytest.mark.parametrize("run", DIGIT_RUNS, ids=lambda run: run.place)


@by_place
def test_the_shortest_run_is_found_and_a_shorter_one_is_not(run: DigitRun) -> None:
    assert run.is_in("a " + "7" * run.least + " b")
    assert not run.is_in("a " + "7" * (run.least - 1) + " b")


@by_place
@given(text=st.text(alphabet=string.ascii_letters + string.punctuation + " "))
def test_a_text_without_digits_has_no_run(run: DigitRun, text: str) -> None:
    assert not run.is_in(text)
    assert run.replace(text, "[withheld]") == text


@by_place
@given(texts=st.lists(st.text(alphabet="0123456789 -./x"), max_size=4))
def test_no_run_is_left_after_replacing(run: DigitRun, texts: list[str]) -> None:
    assert not run.is_in(run.replace("x".join(texts), "x"))


@by_place
@given(text=st.text(alphabet="0123456789 -.x"), more=st.text(alphabet="xyz "))
def test_text_around_a_run_hides_it_nowhere(
    run: DigitRun, text: str, more: str
) -> None:
    if run is not LOG_ID:  # which looks for a number that stands alone
        assert run.is_in(more + text + more) >= run.is_in(text)


def test_places_and_reasons_are_given_once() -> None:
    assert len({run.place for run in DIGIT_RUNS}) == len(DIGIT_RUNS)
    assert all(run.why.endswith(".") for run in DIGIT_RUNS)


@pytest.mark.parametrize(
    ("run", "text", "found"),
    [
        (COLUMN_NAME, "result 2026", False),
        (COLUMN_NAME, "result 12345", True),
        (STATED_TEXT_BROKEN, "born 12/03/1961", True),
        (STATED_TEXT_BROKEN, "born 12 of March 1961", False),
        (TYPED_TEXT, "/data/2026/03/02", False),
        (TYPED_TEXT, "999\u00a0000\u00a00018", True),
        (LOG_ID, "999-000-0018", True),
        (LOG_ID, "a9990000018", False),
        (LOG_ID, "99900000181", False),
    ],
)
def test_examples(run: DigitRun, text: str, found: bool) -> None:
    assert run.is_in(text) is found


def test_a_run_is_replaced_whole() -> None:
    typed = "no file 999 000 0018 there"
    assert TYPED_TEXT.replace(typed, "(withheld)") == "no file (withheld) there"
