"""Writes the answer: what lies between the spans as it was, the spans replaced."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from nlp_redaction.document.spans import Label, Span, Stretch, sort_spans
from nlp_redaction.errors import Refusal, TextRefused
from nlp_redaction.replacement.dates import shift_date_text
from nlp_redaction.replacement.masks import mask
from nlp_redaction.replacement.options import RowContext, Style
from nlp_redaction.replacement.ordinary import is_only_date
from nlp_redaction.replacement.patient_numbers import PatientNumbers
from nlp_redaction.replacement.residual_check import (
    SearchTerms,
    blank,
    collect_found,
    collect_known,
    find_residual,
    fold_text,
)
from nlp_redaction.replacement.surrogates import Surrogates
from nlp_redaction.search import SearchedText

_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, repr=False)
class _Piece:
    """One stretch of the answer.

    Attributes:
        text: What is written.
        view: The same, folded for the last check; blank where it does not apply,
            as for tags, pseudonyms and dates that are kept or shifted.
    """

    text: str
    view: str


def tag(label: Label) -> str:
    """Return what stands for an identifier when nothing better may."""
    return f"[{label.value}]"


def unite(spans: Iterable[Span], length: int) -> list[Span]:
    """Order spans and join those that share a code point; the surest names the whole.

    Raises:
        TextRefused: A span is empty or reaches out of the text.
    """
    united: list[Span] = []
    for span in sort_spans(spans):
        if not 0 <= span.start < span.end <= length:
            raise TextRefused(Refusal.FAILED, "A span reaches out of its text.")
        if not united or span.start >= united[-1].end:
            united.append(span)
            continue
        last = united[-1]
        leader = max(last, span, key=lambda each: each.score)
        united[-1] = replace(leader, start=last.start, end=max(last.end, span.end))
    return united


class Replacer:
    """Replaces the spans of one text, as one style and one patient say.

    Raises:
        TextRefused: Something that was found or is known is still there at the end.
    """

    def __init__(self, style: Style, context: RowContext) -> None:
        self._style = style
        self._context = context
        self._own = PatientNumbers(context.pseudonyms)
        key = context.surrogate_key
        self._surrogates = (
            Surrogates(key, context.known)
            if style.replacement == "surrogates" and key is not None
            else None
        )

    def replace(self, searched: SearchedText) -> tuple[str, Counter[Label]]:
        """Return the answer, and how many identifiers of each kind were replaced."""
        text = searched.document.text
        kept: list[Span] = []
        removed: list[Span] = []
        for span in unite(searched.spans, len(text)):
            (kept if self._keeps(text, span) else removed).append(span)
        found = collect_found(text, removed)
        known = collect_known(self._context.known, dates=self._style.dates != "keep")
        view = blank(searched.document.lower, _list_bounds(kept))
        removed, protected = _widen(searched, view, removed, found, known)
        view = blank(view, protected)
        pieces = self._write(text, view, removed, (found, known))
        _check(pieces, found, known)
        counts = Counter(span.label for span in removed)
        return "".join(piece.text for piece in pieces), counts

    def _keeps(self, text: str, span: Span) -> bool:
        return (
            self._style.dates == "keep"
            and span.label is Label.DATE
            and is_only_date(text[span.start : span.end])
        )

    def _write(
        self,
        text: str,
        view: str,
        removed: Sequence[Span],
        terms: Sequence[SearchTerms],
    ) -> list[_Piece]:
        pieces: list[_Piece] = []
        done = 0
        for span in removed:
            pieces.append(_Piece(text[done : span.start], view[done : span.start]))
            pieces.append(self._rewrite(text[span.start : span.end], span, terms))
            done = span.end
        pieces.append(_Piece(text[done:], view[done:]))
        return pieces

    def _rewrite(
        self, written: str, span: Span, terms: Sequence[SearchTerms]
    ) -> _Piece:
        pseudonym = self._own.find(span, written)
        if pseudonym is not None:
            return _trust(pseudonym)
        if span.label is Label.DATE and self._style.dates == "shift":
            return _trust(self._shift(written) or tag(span.label))
        replacement = self._invent(written, span.label)
        if replacement is None:
            return _trust(tag(span.label))
        view = fold_text(replacement)
        # A surrogate may by chance be somebody else's name in this very text.
        if any(find_residual(replacement, view, each) for each in terms):
            return _trust(tag(span.label))
        return _Piece(replacement, view)

    def _shift(self, written: str) -> str | None:
        days = self._context.shift_days
        if days is None:
            return None
        shifted = shift_date_text(written, days)
        return None if shifted == written else shifted

    def _invent(self, written: str, label: Label) -> str | None:
        if self._style.replacement == "masks":
            masked = mask(written)
            return None if masked == written else masked
        return self._surrogates.replace(label, written) if self._surrogates else None


def _widen(
    searched: SearchedText,
    view: str,
    removed: list[Span],
    found: SearchTerms,
    known: SearchTerms,
) -> tuple[list[Span], Sequence[Stretch]]:
    """Add what was found in one place, or is known, and stands in another.

    A protected word that is also somebody's name stays; what is known never does.

    Returns:
        The spans to remove, and the stretches in which a word that was found may stay.
    """
    text = searched.document.text
    protected: Sequence[Stretch] = ()
    for _ in range(_ROUNDS):
        rest = blank(view, _list_bounds(removed))
        extra = find_residual(text, rest, known)
        again = find_residual(text, rest, found)
        if again:
            protected = [term.bounds for term in searched.protected]
            again = find_residual(text, blank(rest, protected), found)
        if not extra and not again:
            break
        removed = unite([*removed, *extra, *again], len(text))
    return removed, protected


def _trust(text: str) -> _Piece:
    return _Piece(text, "\x00" * len(text))


def _list_bounds(spans: Iterable[Span]) -> list[Stretch]:
    return [(span.start, span.end) for span in spans]


def _check(pieces: Sequence[_Piece], *terms: SearchTerms) -> None:
    text = "".join(piece.text for piece in pieces)
    view = "".join(piece.view for piece in pieces)
    if any(find_residual(text, view, each) for each in terms):
        message = "Something that was found is still in the answer."
        raise TextRefused(Refusal.FAILED, message)
