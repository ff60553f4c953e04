"""What a search answers for one text, and how a search is asked for many.

One text over which a search breaks is refused; it never takes the others with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import ProtectedTerm, Span
from nlp_redaction.document.text import Document
from nlp_redaction.errors import ModelMissing, Refusal, TextRefused

Query = tuple[object, KnownIdentifiers]
"""What came as a text, and what is known of its patient."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SearchedText:
    """A text with everything that its search found; its ``repr`` shows nothing.

    Attributes:
        document: The text, tokenised once for the search and for the replacement.
        spans: What hides in it, in order.
        protected: The stretches that hold medicine, not people, in order.
    """

    document: Document
    spans: Sequence[Span]
    protected: Sequence[ProtectedTerm] = ()


Searched = SearchedText | TextRefused
"""The answer for one text."""


class Searcher(Protocol):
    """Finds what hides in texts; ``pipeline.Finder`` is one."""

    def try_all(self, texts: Iterable[Query]) -> list[Searched]:
        """Return one answer for each text, in order; a refusal for a refused text."""
        ...


def search_each(searcher: Searcher, queries: Sequence[Query]) -> list[Searched]:
    """Search texts together, and each alone when the search breaks.

    Returns:
        One answer for each text, in order. A text is refused when the search breaks
        over it, or answers for it with something else than this text.

    Raises:
        ModelMissing: The mode's model cannot be loaded; no text was read.
    """
    try:
        found = list(searcher.try_all(queries))
    except ModelMissing:
        raise
    except Exception:  # noqa: BLE001 - its message might quote a text, and none may pass
        found = []
    if len(found) == len(queries):
        return [
            _check_answer(query, answer)
            for query, answer in zip(queries, found, strict=True)
        ]
    if len(queries) == 1:
        return [_refuse()]
    return [search_each(searcher, [query])[0] for query in queries]


def _check_answer(query: Query, answer: object) -> Searched:
    """Return the answer; a refusal if it is no answer for this very text."""
    if isinstance(answer, TextRefused):
        return answer
    if isinstance(answer, SearchedText) and answer.document.text == query[0]:
        return answer
    return _refuse()


def _refuse() -> TextRefused:
    return TextRefused(Refusal.FAILED, "The search of this text failed.")
