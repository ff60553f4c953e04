"""Firms, pharmacies, councils, trusts, charities and clubs."""

from collections.abc import Iterator
from typing import Final

from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.recognisers.institution import HeadedName
from nlp_redaction.spans import Label, Span
from nlp_redaction.text import Document

_RETAILERS: Final = read_lexicon("retailers")
_RETAILER: Final = 0.6


class EmployerName(HeadedName):
    """Organisations by the last word of their name, and firms that everybody knows.

    National bodies (NHS, DVLA, CQC) identify nobody and are not found.
    """

    labels = (Label.ORG,)
    heads = read_lexicon("organisation_heads")

    def find(self, document: Document) -> Iterator[Span]:
        """Yield organisations."""
        yield from super().find(document)
        for at, word in enumerate(document.folded):
            if word in _RETAILERS and not document.words[at].islower():
                yield self.span(
                    document.starts[at],
                    document.ends[at],
                    Label.ORG,
                    _RETAILER,
                    "a firm that many people work for",
                )
