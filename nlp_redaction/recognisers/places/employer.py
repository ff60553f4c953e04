"""Firms, pharmacies, councils, trusts, charities and clubs."""

from collections.abc import Iterator
from typing import Final

from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.lexicons import read_lexicon, word_set
from nlp_redaction.recognisers.names.reading import is_line_start, is_titled
from nlp_redaction.recognisers.places.gazetteer import find_names, index_names
from nlp_redaction.recognisers.places.institution import HeadedName
from nlp_redaction.recognisers.places.place import SURE_PLACES

_RETAILERS: Final = read_lexicon("retailers")
_RETAILER: Final = 0.6
_LISTED: Final = index_names("organisations")
_WELSH_HEADS: Final = word_set("cyngor prifysgol cymdeithas")
_WELSH_NAME: Final = 0.7
_MOST_WELSH: Final = 3


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
            elif word in _WELSH_HEADS and (end := _find_end(document, at)) > at + 1:
                yield self.span(
                    document.starts[at],
                    document.ends[end - 1],
                    Label.ORG,
                    _WELSH_NAME,
                    "a Welsh council, university or society",
                )
        for start, end, score in find_names(document, _LISTED):
            yield self.span(
                document.starts[start],
                document.ends[end - 1],
                Label.ORG,
                score,
                "a firm or charity by its short name",
            )


def _find_end(document: Document, at: int) -> int:
    end = at + 1
    while (
        end < len(document.words)
        and end - at <= _MOST_WELSH
        and not is_line_start(document, end)
        and (is_titled(document.words[end]) or document.folded[end] in SURE_PLACES)
    ):
        end += 1
    return end
