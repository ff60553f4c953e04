"""A document's views all have the length of the text, whatever comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.document.text import Document, fold, make_plain
from nlp_redaction.errors import Refusal, TextRefused


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dr.Smith", ["Dr", ".", "Smith"]),
        ("O\u2019Neill-d\u2019Arc", ["O", "'", "Neill", "-", "d", "'", "Arc"]),
        ("caf\u0065\u0301s", ["caf\u0065\u0301s"]),
        ("7/52\u00a0ago", ["7", "/", "52", "ago"]),
        ("seen\r\nSiân", ["seen", "Siân"]),
        ("\uff12\uff10\uff12\uff11", ["2021"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_tokens_are_runs_of_letters_runs_of_digits_and_signs(text, words):
    assert Document.read(text).words == words


@given(st.text())
def test_every_view_has_the_length_of_the_text(text):
    assert len(make_plain(text)) == len(text)
    assert len(fold(text)) == len(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_tokens_cover_everything_but_space(text):
    document = Document.read(text)
    rest = list(document.plain)
    for word, start, end in zip(
        document.words, document.starts, document.ends, strict=True
    ):
        assert document.plain[start:end] == word
        rest[start:end] = [""] * (end - start)
    assert not "".join(rest).strip()


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (None, Refusal.NOT_TEXT),
        (float("nan"), Refusal.NOT_TEXT),
        (b"bytes", Refusal.NOT_TEXT),
        ("x" * 11, Refusal.TOO_LONG),
        ("\ud83d pair", Refusal.BROKEN_ENCODING),
    ],
)
def test_what_cannot_be_searched_is_refused_by_cause(text, refusal):
    with pytest.raises(TextRefused) as caught:
        Document.read(text, longest=10)
    assert caught.value.refusal is refusal


def test_a_refusal_never_quotes_the_text():
    with pytest.raises(TextRefused) as caught:
        Document.read("Olwen Treharne", longest=5)
    assert "Olwen" not in str(caught.value)


def test_lines_and_tokens_are_found_by_offset():
    document = Document.read("first line\r\nsecond")
    assert document.line_at(2) == (0, 10)
    assert document.line_at(13) == (12, 18)
    assert document.words[document.token_at(7)] == "line"
    assert Document.read("").token_at(0) == -1
