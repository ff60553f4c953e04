"""Inline gold becomes spans, and nothing of a broken mark is passed over."""

import pytest

from nlp_redaction.evaluation.annotated_notes import GoldSpan, read_inline, read_notes


def test_marks_become_spans_of_the_bare_text():
    note = read_inline("x-1", "letter", "tidy", "Dear [[NAME|Siân]], on [[DATE|3/4]].")
    assert note.text == "Dear Siân, on 3/4."
    assert note.spans == (GoldSpan(5, 9, "NAME"), GoldSpan(14, 17, "DATE"))


@pytest.mark.parametrize(
    "marked", ["[[NAME|Siân", "Siân]]", "[[NAME|a [[DATE|3/4]] b]]"]
)
def test_a_broken_mark_is_an_error(marked):
    with pytest.raises(ValueError, match="broken"):
        read_inline("x-1", "letter", "tidy", marked)


def test_an_unknown_label_is_an_error():
    with pytest.raises(ValueError, match="PERSON"):
        read_inline("x-1", "letter", "tidy", "[[PERSON|Siân]]")


def test_a_file_holds_several_notes():
    content = "=== a-1 | letter | tidy\none\n\n=== a-2 | list | messy\ntwo\nthree\n"
    notes = list(read_notes(content))
    assert [(note.name, note.style, note.text) for note in notes] == [
        ("a-1", "tidy", "one"),
        ("a-2", "messy", "two\nthree"),
    ]
    assert notes[0].writer == "a"
