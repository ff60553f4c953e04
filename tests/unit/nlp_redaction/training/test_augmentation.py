"""Variants of a note: other people in the same situation, marks where they belong."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_redaction.evaluation.annotated_notes import read_inline
from nlp_redaction.training.augmentation import Augmenter, Rates, is_for_training

NOTE = read_inline(
    "x-1",
    "letter",
    "tidy",
    "Re: Mrs [[NAME|Olwen Treharne]], [[DATE|11/09/1958]], of [[LOCATION|Wrexham]].\n"
    "I saw [[NAME|Olwen]] on [[DATE|3rd April 2021]]. Hosp no [[ID|AB12345]]. K 4.1.",
)
CERTAIN = Rates(
    swap_names_of_note=1,
    swap_name=1,
    common_word_name=0,
    swap_places_of_note=1,
    renumber_note=1,
    lower_note=0,
    upper_note=0,
    lower_names=0,
    upper_names=0,
    typing_note=0,
    ocr_note=0,
)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_marks_move_with_the_text(seed):
    variant = Augmenter(random.Random(seed)).augment(NOTE)
    assert [span.label for span in variant.spans] == [span.label for span in NOTE.spans]
    ends = 0
    for span in variant.spans:
        assert ends <= span.start < span.end <= len(variant.text)
        ends = span.end


def test_one_person_is_renamed_alike_everywhere_and_the_rest_stays():
    variant = Augmenter(random.Random(3), rates=CERTAIN).augment(NOTE)
    words = [variant.text[span.start : span.end] for span in variant.spans]
    assert words[0].split()[0] == words[3]
    assert "Olwen" not in variant.text
    assert "AB12345" not in variant.text
    assert variant.text.startswith("Re: Mrs ")
    assert variant.text.endswith("K 4.1.")


@pytest.mark.parametrize("training", [True, False])
def test_training_and_tuning_draw_from_lists_that_share_nothing(training):
    drawn = set()
    for seed in range(40):
        variant = Augmenter(random.Random(seed), training, CERTAIN).augment(NOTE)
        span = variant.spans[3]
        drawn.add(variant.text[span.start : span.end])
    assert len(drawn) > 20
    assert all(is_for_training(word) == training for word in drawn)


def test_the_same_seed_gives_the_same_variant():
    first, second = (Augmenter(random.Random(8)).augment(NOTE) for _ in range(2))
    assert first == second
