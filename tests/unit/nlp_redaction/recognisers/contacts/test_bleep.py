"""Bleep numbers."""

import pytest

from nlp_redaction.recognisers.contacts.bleep import BleepRecogniser
from tests.lib.values.numbers import find_texts

BLEEP = BleepRecogniser()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("F2, bleep 3306", ["3306"]),
        ("blp: 588", ["588"]),
        ("bleeped me (number 0662)", ["0662"]),
        ("battery flat, bleep 0477B", ["0477B"]),
        ("on call: surg Wen 1191; anaes 1193", ["1191", "1193"]),
        ("bleep 0640 gen surg ok / 0911 ortho ok", ["0640", "0911"]),
        ("Bleep 2222", []),
        ("bleeped 20 minutes ago", []),
        ("SHO 2246", []),
        ("bleep at 7", []),
    ],
)
def test_bleep(text: str, numbers: list[str]) -> None:
    assert find_texts(BLEEP, text) == numbers
