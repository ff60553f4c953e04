"""What a search made of one text, and of what it did not take: the facts to show."""

from dataclasses import dataclass
from typing import Protocol

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.document.spans import STANDS_ALONE, ProtectedTerm, Span, sort_spans
from nlp_redaction.document.text import Document
from nlp_redaction.search import SearchedText


class Explainer(Protocol):
    """What is needed of ``nlp_redaction.pipeline.Finder``."""

    def find(self, text: str, known: KnownIdentifiers = ...) -> SearchedText:
        """Return what is removed and what is protected."""
        ...

    def list_evidence(
        self, document: Document, known: KnownIdentifiers = ...
    ) -> list[Span]:
        """Return every span of the rules before the decision."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Explanation:
    """A text and what was decided of it.

    Attributes:
        text: The text.
        found: What is removed, in order.
        support: What rules said of the same places, beyond what names the span.
        hints: Weak spans, no part of which is removed.
        overruled: Strong spans that were not followed: the guard spoke.
        protected: Stretches that the guard protects, such as eponyms.
    """

    text: str
    found: tuple[Span, ...]
    support: tuple[Span, ...]
    hints: tuple[Span, ...]
    overruled: tuple[Span, ...]
    protected: tuple[ProtectedTerm, ...]


def explain(
    finder: Explainer,
    text: str,
    known: KnownIdentifiers = NOTHING_KNOWN,
) -> Explanation:
    """Gather what was found in a text, what hinted, and what was protected.

    Raises:
        TextRefused: The text cannot be searched.
    """
    searched = finder.find(text, known)
    support, others = [], []
    for span in sort_spans(finder.list_evidence(searched.document, known)):
        if any(span.overlaps(one) for one in searched.spans):
            support.append(span)
        else:
            others.append(span)
    return Explanation(
        text=text,
        found=tuple(searched.spans),
        support=tuple(span for span in support if span not in searched.spans),
        hints=tuple(span for span in others if span.score < STANDS_ALONE),
        overruled=tuple(span for span in others if span.score >= STANDS_ALONE),
        protected=tuple(searched.protected),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table.

    Attributes:
        outcome: ``removed``, ``agreed``, ``hint only``, ``overruled`` or ``protected``.
        place: Line and column of the first sign, and the offsets.
        words: What stands there.
        label: What it seems to be.
        score: How sure the recogniser is, written.
        recogniser: Who says so.
        reason: Why.
    """

    outcome: str
    place: str
    words: str
    label: str = ""
    score: str = ""
    recogniser: str = ""
    reason: str = ""


HEADS = ("outcome", "place", "words", "label", "score", "recogniser", "reason")


def list_lines(explanation: Explanation) -> list[Line]:
    """Return the lines of the table: what is removed first, then the rest."""
    text = explanation.text
    lines: list[Line] = []
    for outcome, spans in (
        ("removed", explanation.found),
        ("agreed", explanation.support),
        ("hint only", explanation.hints),
        ("overruled", explanation.overruled),
    ):
        lines += [_make_line(outcome, text, span) for span in spans]
    lines += [
        Line(
            outcome="protected",
            place=_describe_place(text, *term.bounds),
            words=text[term.start : term.end],
            recogniser="guard",
            reason=term.reason,
        )
        for term in explanation.protected
    ]
    return lines


def _make_line(outcome: str, text: str, span: Span) -> Line:
    return Line(
        outcome=outcome,
        place=_describe_place(text, span.start, span.end),
        words=text[span.start : span.end],
        label=span.label.value,
        score=f"{span.score:.2f}",
        recogniser=span.recogniser,
        reason=span.reason,
    )


def _describe_place(text: str, start: int, end: int) -> str:
    row = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return f"{row}:{column} ({start}-{end})"
