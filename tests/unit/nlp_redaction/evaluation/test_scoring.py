"""A mark counts when every letter and digit of it is covered; the rest is needless."""

import pytest

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.evaluation.annotated_notes import read_inline
from nlp_redaction.evaluation.scoring import score_note


def cover(text: str, *words: str) -> list[Span]:
    return [
        Span(text.index(word), text.index(word) + len(word), Label.NAME, 1.0, "test")
        for word in words
    ]


@pytest.mark.parametrize(
    ("marked", "covered", "found", "needless"),
    [
        ("saw [[NAME|Ada Smith]] today", ["Ada Smith"], 1, []),
        ("saw [[NAME|Ada Smith]] today", ["Ada"], 0, []),
        ("saw [[NAME|Ada Smith]] today", ["Ada", "Smith"], 1, []),
        ("saw [[NAME|Ada Smith]] today", ["saw Ada Smith"], 1, ["saw"]),
        ("saw [[NAME|O'Shea]].", ["O", "Shea"], 1, []),
        ("saw [[NAME|O'Shea]].", ["Shea"], 0, []),
        ("ring [[PHONE|01632 960114]]", ["01632", "960114"], 1, []),
        ("ring [[PHONE|01632 960114]]", ["01632 96011"], 0, []),
        ("nothing to see", ["to see"], 0, ["to", "see"]),
        ("nothing (to) see", ["(to)"], 0, ["to"]),
        ("BP 120/80", ["120/80"], 0, ["120", "80"]),
        ("[[DATE|3/4/21]] seen", ["3/4/21 seen"], 1, ["seen"]),
        ("[[NAME|Ada]]'s leg", ["Ada's"], 1, ["s"]),
        ("nothing", [], 0, []),
    ],
)
def test_a_note_is_scored(
    marked: str, covered: list[str], found: int, needless: list[str]
) -> None:
    note = read_inline("x-1", "", "", marked)
    score = score_note(note, cover(note.text, *covered))
    assert len(score.found) == found
    assert len(score.missed) == len(note.spans) - found
    assert [note.text[start:end] for start, end in score.needless] == needless


def test_the_label_does_not_matter() -> None:
    note = read_inline("x-1", "", "", "in [[ORG|Lidl]]")
    score = score_note(note, [Span(3, 7, Label.LOCATION, 1.0, "test")])
    assert len(score.found) == 1


def test_words_are_counted_at_white_space() -> None:
    note = read_inline("x-1", "", "", "one two\nthree  120/80\t")
    assert score_note(note, []).words == 4
