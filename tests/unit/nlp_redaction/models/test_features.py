"""The class of a word: its case and what the lists know of it."""

import pytest

from nlp_redaction.models.features import CLASS_COUNT, NO_LETTERS, classify_word

LOWER, TITLE, CAPITALS, MIXED = (1 + 4 * case for case in range(4))
CLINICAL, NAME, BOTH, NEITHER = range(4)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("12", NO_LETTERS),
        ("/", NO_LETTERS),
        ("abdomen", LOWER + CLINICAL),
        ("Abdomen", TITLE + CLINICAL),
        ("ABDOMEN", CAPITALS + CLINICAL),
        ("Ngozi", TITLE + NAME),
        ("ngozi", LOWER + NAME),
        ("NGOZI", CAPITALS + NAME),
        ("Winter", TITLE + BOTH),
        ("Xqzvt", TITLE + NEITHER),
        ("J", TITLE + NEITHER),
        ("McPhail", MIXED + NEITHER),
    ],
)
def test_classes(word, expected):
    assert classify_word(word) == expected < CLASS_COUNT
