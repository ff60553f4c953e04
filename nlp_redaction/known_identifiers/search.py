"""Searches one text for everything that is known of its patient."""

from collections.abc import Iterable

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import Label, Span, sort_spans
from nlp_redaction.document.text import Document
from nlp_redaction.known_identifiers.address_search import find_addresses
from nlp_redaction.known_identifiers.compiled import compile_patient
from nlp_redaction.known_identifiers.date_search import find_dates
from nlp_redaction.known_identifiers.name_search import find_names
from nlp_redaction.known_identifiers.number_search import find_numbers, find_outward
from nlp_redaction.known_identifiers.spelling import Words


def find_known(document: Document, known: KnownIdentifiers) -> list[Span]:
    """Find every mention of what the record says of the patient.

    Args:
        document: The text.
        known: The patient's fields, as the record holds them. What is made ready of
            them is kept for the last few hundred patients.

    Returns:
        Spans in the order of the text; they may overlap. All score 0.9 or more, save
        a lone surname before "disease" and the like, which scores 0.6 so that the
        guard of eponyms may speak. The reason names the variant, never the value.
    """
    if not known or not document.words:
        return []
    patient = compile_patient(known)
    words = Words.read(document)
    addresses = list(find_addresses(words, patient))
    spans = [
        *find_names(words, patient),
        *find_dates(words, patient.dates),
        *find_numbers(words, patient.numbers),
        *addresses,
        *find_outward(words, patient.numbers, addresses),
    ]
    return _drop_contained(spans)


def _drop_contained(spans: Iterable[Span]) -> list[Span]:
    """Drop what lies within a span of the same label."""
    kept: list[Span] = []
    furthest: dict[Label, int] = {}
    for span in sort_spans(spans):
        if span.end > furthest.get(span.label, 0):
            furthest[span.label] = span.end
            kept.append(span)
    return kept
