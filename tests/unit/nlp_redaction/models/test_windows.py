"""Windows: every word is judged once, whatever the length of the text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from nlp_redaction import models
from nlp_redaction.document.text import Document
from nlp_redaction.models.windows import LONGEST, WindowCutter

TOKENIZER = Path(models.__file__).parent / "thorough" / "tokenizer.json"


@pytest.fixture(scope="module")
def cutter():
    return WindowCutter(Tokenizer.from_file(str(TOKENIZER)))


@settings(max_examples=60)
@given(text=st.text(alphabet="ab c\n.9'é", max_size=900))
def test_every_piece_is_judged_in_one_window(cutter, text):
    document = Document.read(text)
    windows = cutter.cut(document)
    judged = [token for window in windows for token in window.tokens if token >= 0]
    assert judged == sorted(judged)
    assert all(len(window.pieces) <= LONGEST for window in windows)
    assert set(judged) <= set(range(len(document.words)))


def test_later_windows_begin_with_context_that_is_not_judged_again(cutter):
    document = Document.read("the patient was seen by the team today\n" * 40)
    first, second = cutter.cut(document)[:2]
    context = second.tokens[1:].index(next(t for t in second.tokens if t >= 0))
    assert context > 0
    assert second.pieces[1 : 1 + context] == first.pieces[-1 - context : -1]


def test_line_breaks_are_read(cutter):
    one, two = (cutter.cut(Document.read(text))[0] for text in ("a b", "a\nb"))
    assert len(two.pieces) == len(one.pieces) + 1


def test_nothing_makes_no_window(cutter):
    assert cutter.cut(Document.read(" \n")) == []
