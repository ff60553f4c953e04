"""The figures of an evaluation, over all notes and over tidy and messy ones apart."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from nlp_redaction.document.spans import Label
from nlp_redaction.evaluation.annotated_notes import GoldSpan
from nlp_redaction.evaluation.bootstrap import Figure, estimate, estimate_share
from nlp_redaction.evaluation.evaluate import EvaluatedNote, count_confusions

ALL: Final = "all"
STYLES: Final = ("tidy", "messy")
PER_WORDS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The figures of some notes.

    Attributes:
        name: ``all``, ``tidy`` or ``messy``.
        documents: How many notes.
        words: Their words, split at white space.
        recall: Marked identifiers fully covered, whatever their label, over all.
        by_kind: The same for each kind that is marked at all.
        leaking: Notes with any identifier not fully covered.
        needless: Tokens covered that belong to no mark, per 1,000 words.
        left_behind: Known identifiers that stay although the search was told of
            them, over those present; None where no row carries any.
    """

    name: str
    documents: int
    words: int
    recall: Figure
    by_kind: dict[str, Figure]
    leaking: Figure
    needless: Figure
    left_behind: Figure | None

    @property
    def names(self) -> Figure | None:
        """The recall of names."""
        return self.by_kind.get(Label.NAME.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures of one run.

    Attributes:
        mode: The mode of the search.
        groups: All notes first, then those of each style that occurs.
        confusions: Found identifiers under another label: its own, the other, how many.
        refused: Notes that could not be searched and are in no figure.
    """

    mode: str
    groups: tuple[Group, ...]
    confusions: tuple[tuple[str, str, int], ...]
    refused: int

    def describe(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        return {
            "mode": self.mode,
            "refused": self.refused,
            "groups": {group.name: asdict(group) for group in self.groups},
            "confusions": [
                {"marked": marked, "given": given, "count": count}
                for marked, given, count in self.confusions
            ],
        }


def make_report(
    mode: str, evaluated: Sequence[EvaluatedNote], refused: int = 0
) -> Report:
    """Work out every figure."""
    groups = [make_group(ALL, evaluated)]
    for style in STYLES:
        some = [one for one in evaluated if one.case.note.style == style]
        if some and len(some) < len(evaluated):
            groups.append(make_group(style, some))
    return Report(
        mode=mode,
        groups=tuple(groups),
        confusions=_sort_confusions(count_confusions(evaluated)),
        refused=refused,
    )


def make_group(name: str, evaluated: Sequence[EvaluatedNote]) -> Group:
    """Work out the figures of some notes."""
    scores = [one.score for one in evaluated]
    kinds = {mark.label for one in evaluated for mark in one.case.note.spans}
    told = [one for one in evaluated if one.case.known]
    words = [score.words for score in scores]
    return Group(
        name=name,
        documents=len(evaluated),
        words=sum(words),
        recall=_estimate_recall(evaluated, lambda _: True),
        by_kind={kind: _estimate_kind(evaluated, kind) for kind in sorted(kinds)},
        leaking=estimate_share([bool(score.missed) for score in scores]),
        needless=estimate(
            [len(score.needless) for score in scores], words, scale=PER_WORDS
        ),
        left_behind=(
            estimate([len(o.left) for o in told], [len(o.present) for o in told])
            if told
            else None
        ),
    )


def _estimate_kind(evaluated: Sequence[EvaluatedNote], kind: str) -> Figure:
    return _estimate_recall(evaluated, lambda mark: mark.label == kind)


def _estimate_recall(
    evaluated: Sequence[EvaluatedNote], counts: Callable[[GoldSpan], bool]
) -> Figure:
    def count(marks: Iterable[GoldSpan]) -> int:
        return sum(counts(mark) for mark in marks)

    return estimate(
        [count(one.score.found) for one in evaluated],
        [count(one.case.note.spans) for one in evaluated],
    )


def _sort_confusions(
    confusions: Counter[tuple[str, str]],
) -> tuple[tuple[str, str, int], ...]:
    ordered = sorted(confusions.items(), key=lambda item: (-item[1], item[0]))
    return tuple((marked, given, count) for (marked, given), count in ordered)
