"""One decision of what rules, hints, guards and the model say."""

import numpy as np
import pytest

from nlp_redaction.decision.resolve import decide, merge
from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.models.features import CLASS_COUNT
from nlp_redaction.models.labels import CLASS_NAMES
from nlp_redaction.models.load import LoadedModel
from nlp_redaction.models.thresholds import Thresholds

TEXT = Document.read("Seen by Ifan Paget today; Paget's disease")
JUDGE = LoadedModel(
    "model", Thresholds(by_class=(0.5,) * CLASS_COUNT, hinted=(0.1,) * CLASS_COUNT)
)


def find(word, score, label=Label.NAME, nth=0):
    at = -1
    for _ in range(nth + 1):
        at = TEXT.text.index(word, at + 1)
    return Span(at, at + len(word), label, score, "rule")


def judged(**probability):
    answer = np.zeros((len(TEXT.words), len(CLASS_NAMES)), np.float32)
    answer[:, 0] = 1
    for word, value in probability.items():
        at = TEXT.words.index(word)
        answer[at, CLASS_NAMES.index("NAME")] = value
        answer[at, 0] = 1 - value
    return answer


def taken(spans, probabilities=None, protected=()):
    found = decide(TEXT, spans, protected, probabilities, JUDGE)
    return [TEXT.text[span.start : span.end] for span in found]


GUARDED = [(26, 41)]


@pytest.mark.parametrize(
    ("spans", "probabilities", "expected"),
    [
        ([], None, []),
        ([find("Ifan", 0.6)], None, ["Ifan"]),
        ([find("Ifan", 0.3)], None, []),
        ([find("Ifan", 0.3)], judged(Ifan=0.2), ["Ifan"]),
        ([], judged(Ifan=0.2), []),
        ([], judged(Ifan=0.6), ["Ifan"]),
        ([find("Ifan", 0.6)], judged(Paget=0.9), ["Ifan Paget"]),
    ],
)
def test_rules_stand_alone_hints_need_the_model(spans, probabilities, expected):
    assert taken(spans, probabilities) == expected


def test_a_guarded_eponym_stays_unless_a_surer_rule_speaks():
    weak, sure = find("Paget", 0.6, nth=1), find("Paget", 0.9, nth=1)
    assert taken([weak], protected=GUARDED) == []
    assert taken([sure], protected=GUARDED) == ["Paget"]


def test_overlapping_spans_become_one_and_the_surer_names_it():
    spans = [find("Ifan Paget", 0.6), find("Paget", 0.9, Label.ORG)]
    (span,) = merge(TEXT, spans)
    assert (TEXT.text[span.start : span.end], span.label) == ("Ifan Paget", Label.ORG)


def test_tokens_of_a_stretch():
    start = TEXT.text.index("Ifan")
    words = [TEXT.words[token] for token in TEXT.list_tokens(start, start + 10)]
    assert words == ["Ifan", "Paget"]
    assert list(Document.read("").list_tokens(0, 0)) == []
