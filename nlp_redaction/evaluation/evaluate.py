"""Searches marked notes and holds what was found against the marks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN
from nlp_redaction.document.spans import Span
from nlp_redaction.errors import TextRefused
from nlp_redaction.evaluation.annotated_notes import GoldSpan
from nlp_redaction.evaluation.cases import Case
from nlp_redaction.evaluation.residual_leakage import find_leaked, find_present
from nlp_redaction.evaluation.scoring import NoteScore, score_note
from nlp_redaction.search import Searcher, search_each

Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedNote:
    """What became of one note.

    Attributes:
        case: The note and what is known of its patient.
        score: The search without anything known, held against the marks.
        spans: What that search found.
        told: What a second search found that was told of the patient.
        present: Where identifiers stand that are known of the patient.
        left: Those of them that stay when the search is told of them.
    """

    case: Case
    score: NoteScore
    spans: tuple[Span, ...]
    told: tuple[Span, ...] = ()
    present: tuple[Stretch, ...] = ()
    left: tuple[Stretch, ...] = ()


def evaluate_cases(
    finder: Searcher, cases: Sequence[Case]
) -> tuple[list[EvaluatedNote], int]:
    """Search every note, those with known identifiers a second time with them.

    Returns:
        The evaluated notes in order, and how many were refused and are left out.
    """
    plain = search_each(finder, [(case.note.text, NOTHING_KNOWN) for case in cases])
    again = iter(
        search_each(finder, [(c.note.text, c.known) for c in cases if c.known])
    )
    evaluated: list[EvaluatedNote] = []
    for case, found in zip(cases, plain, strict=True):
        informed = next(again) if case.known else None
        if not isinstance(found, TextRefused) and not isinstance(informed, TextRefused):
            evaluated.append(
                _evaluate_one(
                    case, found.spans, None if informed is None else informed.spans
                )
            )
    return evaluated, len(cases) - len(evaluated)


def _evaluate_one(
    case: Case, found: Sequence[Span], informed: Sequence[Span] | None
) -> EvaluatedNote:
    present: list[Stretch] = []
    left: list[Stretch] = []
    if informed is not None:
        present = find_present(case.note, case.known)
        left = find_leaked(case.note.text, present, informed)
    return EvaluatedNote(
        case=case,
        score=score_note(case.note, found),
        spans=tuple(found),
        told=tuple(informed or ()),
        present=tuple(present),
        left=tuple(left),
    )


def count_confusions(evaluated: Iterable[EvaluatedNote]) -> Counter[tuple[str, str]]:
    """Count found identifiers by the label they have and the other that they got."""
    confusions: Counter[tuple[str, str]] = Counter()
    for one in evaluated:
        for mark in one.score.found:
            given = name_given(mark, one.spans)
            if given != mark.label:
                confusions[mark.label, given] += 1
    return confusions


def name_given(mark: GoldSpan, spans: Iterable[Span]) -> str:
    """Return the label of the span that shares most with a mark; empty for none."""
    shared = [
        (min(span.end, mark.end) - max(span.start, mark.start), span.label.value)
        for span in spans
        if span.start < mark.end and mark.start < span.end
    ]
    return max(shared, default=(0, ""), key=lambda pair: pair[0])[1]
