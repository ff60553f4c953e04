"""Words of the lists of names, and words on no list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.lexicons.vocabulary import ORDINARY, WORD_NAMES
from nlp_redaction.recognisers.names.lexicon import NameByAbsence
from nlp_redaction.settings import Settings
from tests.lib.values.numbers import check_any_text, find_reasons, find_texts

NAMES = NameByAbsence()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("then Chukwuemeka came", ["Chukwuemeka"]),
        ("then K. Okafor came", ["K. Okafor"]),
        ("K Adair\nK Adair", ["K Adair"]),
        ("the OKAFOR family", ["OKAFOR"]),
        ("with chukwuemeka today", ["chukwuemeka"]),
        ("Paracetamol given at night", []),
    ],
)
def test_what_stands_alone(text: str, found: list[str]) -> None:
    assert find_texts(NAMES, text) == found


@pytest.mark.parametrize("first", ["Mark", "Rose", "Will"])
def test_an_ordinary_word_is_the_first_name_of_a_sure_name(first: str) -> None:
    assert first.lower() in ORDINARY & WORD_NAMES
    assert f"{first} Okafor" in find_texts(NAMES, f"then {first} Okafor came")


@pytest.mark.parametrize("word", ["Clinic", "Today", "GP", "Ct"])
def test_another_word_is_no_first_name(word: str) -> None:
    assert find_texts(NAMES, f"then {word} Okafor came") == ["Okafor"]


@pytest.mark.parametrize(
    ("text", "word", "reason"),
    [
        ("saw Xqwelyn today", "Xqwelyn", "on no list of words"),
        ("Xqwelyn came", "Xqwelyn", "on no list of words, begins a sentence"),
        ("saw Rose today", "Rose", "a word and a name"),
    ],
)
def test_the_row_that_decided_is_told(text: str, word: str, reason: str) -> None:
    score, told = find_reasons(NAMES, text)[word]
    assert score < 0.5
    assert told == reason


def test_a_deployment_adds_names_and_keeps_words() -> None:
    rule = NameByAbsence(Settings(extra_names=("Zog",), keep_words=("Chukwuemeka",)))
    assert find_texts(rule, "zog and Chukwuemeka") == ["zog"]


@given(st.text(max_size=120))
def test_spans_lie_inside_any_text(text: str) -> None:
    check_any_text(NAMES, text.encode("utf-8", "ignore").decode())
