"""What the tests of the recognisers of numbers share."""

from nlp_redaction.document.spans import STANDS_ALONE
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser


def find_texts(recogniser: Recogniser, text: str) -> list[str]:
    """Return the stretches that the recogniser would remove alone, in order."""
    document = Document.read(text)
    if not recogniser.may_find(document):
        return []
    spans = sorted(
        (s for s in recogniser.find(document) if s.score >= STANDS_ALONE),
        key=lambda s: s.start,
    )
    return list(dict.fromkeys(text[span.start : span.end] for span in spans))


def check_any_text(recogniser: Recogniser, text: str) -> None:
    """Assert that spans lie inside any text whatever."""
    document = Document.read(text)
    for span in recogniser.find(document):
        assert 0 <= span.start < span.end <= len(text)
        assert span.label in recogniser.labels


def find_reasons(recogniser: Recogniser, text: str) -> dict[str, tuple[float, str]]:
    """Return the score and the reason of every stretch, hints as well."""
    document = Document.read(text)
    return {
        text[span.start : span.end]: (span.score, span.reason)
        for span in recogniser.find(document)
    }
