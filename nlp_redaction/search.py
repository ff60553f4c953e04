"""Asks a finder about rows so that one bad text never takes others with it."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import Span
from nlp_redaction.errors import Refusal, TextRefused

Pair = tuple[object, KnownIdentifiers]


class Searcher(Protocol):
    """What is needed of ``nlp_redaction.pipeline.Finder``."""

    def try_all(self, texts: Iterable[Pair]) -> list[list[Span] | TextRefused]:
        """Search many texts; a refused one is answered by its refusal."""
        ...


def search(finder: Searcher, pairs: Sequence[Pair]) -> list[list[Span] | TextRefused]:
    """Search texts together, and one by one when something breaks.

    Returns:
        One answer a text, in order. A text over which the search breaks is refused.
    """
    try:
        return finder.try_all(pairs)
    except Exception:  # noqa: BLE001 - whatever breaks, the others are still answered
        return [_search_one(finder, pair) for pair in pairs]


def _search_one(finder: Searcher, pair: Pair) -> list[Span] | TextRefused:
    try:
        return finder.try_all([pair])[0]
    except Exception:  # noqa: BLE001 - its message might quote the text
        return TextRefused(Refusal.FAILED, "The search broke off.")
