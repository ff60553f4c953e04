"""The corpus keeps its own rules, and its validator notices when it does not."""

from dataclasses import replace

import pytest

from nlp_redaction.evaluation.annotated_notes import read_inline
from nlp_redaction.training.corpus import read_corpus
from nlp_redaction.training.corpus.validation import validate_corpus


@pytest.fixture(scope="module")
def corpus():
    return read_corpus()


def test_the_corpus_is_as_large_as_its_card_says_and_keeps_its_rules(corpus):
    report = validate_corpus(corpus)
    assert report.errors == []
    assert len(report.by_writer) == 8


@pytest.mark.parametrize(
    ("marked", "fault"),
    [
        ("[[NAME|Mr Ifan Wyn]]", "title"),
        ("[[NAME|Ifan's]] cat", "possessive"),
        ("[[NAME|Ifan ]]", "white space"),
        ("ring [[PHONE|0117 555 0123]]", "drama"),
        ("NHS [[NHS_NUMBER|943 476 5919]]", "somebody"),
    ],
)
def test_a_broken_rule_is_named_by_note_and_mark(marked, fault):
    note = read_inline("x-1", "letter", "tidy", marked)
    errors = [error for error in validate_corpus([note]).errors if "mark 0" in error]
    assert len(errors) == 1
    assert fault in errors[0]
    assert "Ifan" not in errors[0]


def test_a_note_that_repeats_another_is_noticed(corpus):
    long = max(corpus, key=lambda note: len(note.text))
    twin = replace(long, name="twin-1")
    assert any("shares" in error for error in validate_corpus([long, twin]).errors)
