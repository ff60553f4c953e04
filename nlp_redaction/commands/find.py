"""``find``: where identifiers are, one line of spans for one line of text."""

from collections import Counter
from collections.abc import Iterable, Iterator

from nlp_redaction.commands.rows import (
    Row,
    cut_chunks,
    open_input,
    open_output,
    read_rows,
    write_row,
)
from nlp_redaction.errors import TextRefused
from nlp_redaction.search import Searched, Searcher, search_each


def run_find(finder: Searcher, source: str, target: str) -> Counter[str]:
    """Answer a file of rows; see ``answer_rows``.

    Returns:
        How many texts were refused, by code.

    Raises:
        BrokenInput: A line is not a row; no output file is left.
    """
    refused: Counter[str] = Counter()
    with open_input(source) as rows, open_output(target) as answers:
        for answer in answer_rows(finder, read_rows(rows)):
            write_row(answers, answer)
            if "refused" in answer:
                refused[str(answer["refused"])] += 1
    return refused


def answer_rows(finder: Searcher, rows: Iterable[Row]) -> Iterator[dict[str, object]]:
    """Yield one answer a row, in order."""
    for chunk in cut_chunks(rows):
        found = search_each(finder, [(row.text, row.known) for row in chunk])
        for row, searched in zip(chunk, found, strict=True):
            yield describe(row, searched)


def describe(row: Row, found: Searched) -> dict[str, object]:
    """Return what is written of one text."""
    if isinstance(found, TextRefused):
        return {"id": row.identity, "spans": [], "refused": found.refusal.value}
    spans = [
        {
            "start": span.start,
            "end": span.end,
            "label": span.label.value,
            "score": round(span.score, 4),
            "recogniser": span.recogniser,
        }
        for span in found.spans
    ]
    return {"id": row.identity, "spans": spans}
