"""Looks for what was found once and still stands elsewhere: the last check of all."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import fold, make_plain
from nlp_redaction.replacement.names import split_parts
from nlp_redaction.replacement.ordinary import is_ordinary

RECOGNISER: Final = "LeftOver"
_BLANK: Final = "\x00"
_SURE: Final = 0.9
_SHORTEST: Final = 4
# "2019" or "3/4" found as a date once may be a dose or a fraction elsewhere.
_SHORTEST_DATE: Final = 6
_WORD: Final = re.compile(r"[^\W_]+")
_KNOWN_LABELS: Final = (
    ("names", Label.NAME),
    ("people", Label.NAME),
    ("dates", Label.DATE),
    ("numbers", Label.ID),
    ("addresses", Label.ADDRESS),
    ("postcodes", Label.POSTCODE),
    ("phones", Label.PHONE),
    ("emails", Label.EMAIL),
)


def fold_text(text: str) -> str:
    """Return a text of the same length with plain signs and without capitals."""
    return fold(make_plain(text))


def blank(view: str, stretches: Iterable[tuple[int, int]]) -> str:
    """Return a view of the same length in which some stretches cannot be found."""
    pieces: list[str] = []
    done = 0
    for start, end in sorted(stretches):
        if end > done:
            pieces += [view[done:start], _BLANK * (end - max(start, done))]
            done = end
    return "".join([*pieces, view[done:]])


@dataclass(frozen=True, slots=True, repr=False)
class SearchTerms:
    """What must not be left in an answer, folded.

    Attributes:
        whole: What was found or is known, to be found in any case.
        parts: Parts of names, to be found where they begin with a capital.
    """

    whole: dict[str, Label] = field(default_factory=dict)
    parts: dict[str, Label] = field(default_factory=dict)

    def add(self, written: str, label: Label) -> None:
        """Add a text, unless it is too short or too ordinary to be looked for."""
        core = _cut_to_core(fold_text(written))
        shortest = _SHORTEST_DATE if label is Label.DATE else _SHORTEST
        if _count_signs(core) >= shortest and not is_ordinary(core):
            self.whole.setdefault(core, label)
        if label is Label.NAME:
            for part in split_parts(core):
                if len(part) >= _SHORTEST and not is_ordinary(part):
                    self.parts.setdefault(part, label)


def _cut_to_core(text: str) -> str:
    words = list(_WORD.finditer(text))
    return text[words[0].start() : words[-1].end()] if words else ""


def _count_signs(text: str) -> int:
    return sum(map(str.isalnum, text))


def collect_found(text: str, spans: Sequence[Span]) -> SearchTerms:
    """Return what the spans of a text cover."""
    terms = SearchTerms()
    for span in spans:
        terms.add(text[span.start : span.end], span.label)
    return terms


def collect_known(known: KnownIdentifiers, *, dates: bool) -> SearchTerms:
    """Return what is known of a patient; their parts of names in any case."""
    terms = SearchTerms()
    for name, label in _KNOWN_LABELS:
        if label is not Label.DATE or dates:
            for value in getattr(known, name):
                terms.add(value, label)
    return SearchTerms({**terms.parts, **terms.whole}, {})


def find_residual(text: str, view: str, terms: SearchTerms) -> list[Span]:
    """Return where terms stand, as whole words.

    Args:
        text: What is looked through, in its own case.
        view: The same, folded, with the stretches blanked that do not count.
        terms: What is looked for.
    """
    if not terms.whole and not terms.parts:
        return []
    words = set(_WORD.findall(view))
    found = list(_find_each(view, words, terms.whole))
    found += [
        span
        for span in _find_each(view, words, terms.parts)
        if text[span.start].isupper()
    ]
    return found


def _find_each(view: str, words: set[str], terms: dict[str, Label]) -> Iterator[Span]:
    for term, label in terms.items():
        # Nearly all terms fall here, without a look through the whole text.
        first = _WORD.match(term)
        if first is None or first.group() not in words:
            continue
        at = view.find(term)
        while at >= 0:
            end = at + len(term)
            if _is_whole(view, at, end):
                yield Span(at, end, label, _SURE, RECOGNISER, "found elsewhere")
            at = view.find(term, end)


def _is_whole(view: str, start: int, end: int) -> bool:
    before = view[start - 1 : start] if start else ""
    return not before.isalnum() and not view[end : end + 1].isalnum()
