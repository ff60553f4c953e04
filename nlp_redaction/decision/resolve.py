"""Makes one decision of all that was said of a text: what is removed, and as what.

Rules that stand alone are followed. The model's probability decides the other words,
against a threshold that depends on what the lists know of the word and on whether a
weaker rule hinted at it. Protected words (eponyms, instruments) stay unless a rule
that knows better says otherwise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from nlp_redaction.decision.non_identifying_numbers import find_figures
from nlp_redaction.decision.protected_terms import NEVER_NAMES, is_certain_eponym
from nlp_redaction.document.spans import STANDS_ALONE, Label, Span, sort_spans
from nlp_redaction.document.text import Document
from nlp_redaction.errors import Refusal, TextRefused
from nlp_redaction.models.features import classify_words
from nlp_redaction.models.labels import CLASS_NAMES, LABELS, Probabilities
from nlp_redaction.models.thresholds import Thresholds

OVERRULES_GUARD: Final = 0.85
_NEVER: Final = 2.0
_NUMBERED: Final = frozenset(
    {Label.NHS_NUMBER, Label.PHONE, Label.EMAIL, Label.URL, Label.POSTCODE}
)
"""Kinds whose rules know where one ends and the next begins better than the model."""
_GAPS_WITHIN: Final = frozenset({"", " ", "-"})
_JOINING_GAPS: Final = frozenset({"", " ", "-", "'", ". ", ".", ", ", " - ", "-\n"})


class NamedThresholds(Protocol):
    """The model, as far as the decision needs to know it."""

    @property
    def name(self) -> str:
        """What ``explain`` calls it."""
        ...

    @property
    def thresholds(self) -> Thresholds:
        """What its answers are held against."""
        ...


@dataclass(slots=True, repr=False)
class Evidence:
    """What is known of each token of a document, on the way to the decision."""

    document: Document
    certain: list[Span] = field(default_factory=list)
    hints: list[Span] = field(default_factory=list)

    @classmethod
    def sort(cls, document: Document, spans: Iterable[Span]) -> "Evidence":
        """Sort the spans of the rules into those that stand alone and hints."""
        evidence = cls(document)
        for span in spans:
            if not 0 <= span.start < span.end <= len(document.text):
                message = "A rule answered with a place outside the text."
                raise TextRefused(Refusal.FAILED, message)
            # A score that is no number counts as certain: it must not pass for a weak one.
            is_certain = not span.score < STANDS_ALONE
            (evidence.certain if is_certain else evidence.hints).append(span)
        return evidence


def decide(
    document: Document,
    spans: Iterable[Span],
    protected: Sequence[tuple[int, int]],
    probabilities: Probabilities | None,
    model: NamedThresholds,
    *,
    kept: Sequence[tuple[int, int]] = (),
) -> list[Span]:
    """Return what to remove, in order, overlapping spans merged.

    Args:
        document: The text.
        spans: What the rules found, with their scores.
        protected: Stretches that hold eponyms, instruments and the like.
        probabilities: The model's answer a token and class; None without a model,
            when only what stands alone is removed.
        model: Its name, and what its answers are held against.
        kept: Stretches that the deployment keeps: protected, and for the model taboo.

    Raises:
        TextRefused: A span lies outside the text, or the model's answer does not fit it.
    """
    evidence = Evidence.sort(document, spans)
    untouched = document.collect_tokens(kept)
    guarded = document.collect_tokens(protected) | untouched
    removed = [
        span
        for span in evidence.certain
        if span.score >= OVERRULES_GUARD or not _is_guarded(document, span, guarded)
    ]
    if probabilities is not None and len(document.words):
        _check_answer(document, probabilities)
        untouched |= _list_settled(document, removed)
        removed += [
            span
            for span in _follow_model(
                document, evidence.hints, guarded, probabilities, model
            )
            if not untouched or document.token_at(span.start) not in untouched
        ]
    return merge(document, removed)


def _check_answer(document: Document, probabilities: Probabilities) -> None:
    """Refuse an answer that would compare as "no identifier" without being one."""
    expected = (len(document.words), len(CLASS_NAMES))
    if probabilities.shape != expected or not np.isfinite(probabilities).all():
        message = "The model's answer does not fit the text; use another mode."
        raise TextRefused(Refusal.FAILED, message)


def _list_settled(document: Document, spans: Iterable[Span]) -> set[int]:
    """List the tokens that lie wholly within a number that a rule is sure of."""
    return {
        token
        for span in spans
        if span.label in _NUMBERED and span.score >= OVERRULES_GUARD
        for token in document.list_tokens(span.start, span.end)
        if span.start <= document.starts[token] and document.ends[token] <= span.end
    }


def _is_guarded(document: Document, span: Span, guarded: set[int]) -> bool:
    if not guarded:
        return False
    words = [
        token
        for token in document.list_tokens(span.start, span.end)
        if document.words[token][0].isalnum()
    ]
    return bool(words) and all(token in guarded for token in words)


def _follow_model(
    document: Document,
    hints: Sequence[Span],
    guarded: set[int],
    probabilities: Probabilities,
    model: NamedThresholds,
) -> list[Span]:
    thresholds = model.thresholds
    classes = classify_words(document)
    needed = np.asarray(thresholds.by_class, np.float32)[classes]
    hinted = document.collect_tokens((hint.start, hint.end) for hint in hints)
    for token in hinted:
        needed[token] = thresholds.hinted[classes[token]]
    for token in guarded:
        is_never = document.folded[token] in NEVER_NAMES or is_certain_eponym(
            document, token
        )
        needed[token] = _NEVER if is_never else max(needed[token], thresholds.protected)
    for token in document.collect_tokens(find_figures(document)):
        needed[token] = _NEVER
    probable = 1 - np.minimum(probabilities[:, 0], 1)
    best = probabilities[:, 1:].argmax(axis=1)
    found: list[Span] = []
    for token in np.flatnonzero(probable >= needed).tolist():
        if not document.words[token][0].isalnum():
            continue
        reason = "a hint and the model" if token in hinted else "the model"
        found.append(
            Span(
                document.starts[token],
                document.ends[token],
                LABELS[best[token]],
                max(float(probable[token]), STANDS_ALONE),
                model.name,
                f"{reason}: {probable[token]:.2f}",
            )
        )
    return found


def merge(document: Document, spans: Iterable[Span]) -> list[Span]:
    """Merge what overlaps, and neighbours of one kind with nothing between them."""
    merged: list[Span] = []
    for span in sort_spans(spans):
        if merged and _belong_together(document, merged[-1], span):
            merged[-1] = _join(merged[-1], span)
        else:
            merged.append(span)
    return merged


def _belong_together(document: Document, first: Span, second: Span) -> bool:
    if second.start < first.end:
        return True
    if first.label != second.label and {first.label, second.label} != {
        Label.LOCATION,
        Label.ORG,
    }:
        return False
    gaps = _GAPS_WITHIN if first.label in _NUMBERED else _JOINING_GAPS
    return document.plain[first.end : second.start] in gaps


def _join(first: Span, second: Span) -> Span:
    # The surer, then the longer, names the whole.
    leader = max(first, second, key=lambda span: (span.score, span.end - span.start))
    return Span(
        first.start,
        max(first.end, second.end),
        leader.label,
        leader.score,
        leader.recogniser,
        leader.reason,
    )
