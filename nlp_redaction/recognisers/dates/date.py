"""Dates in every form that letters, notes and lists in the United Kingdom use."""

from collections.abc import Iterator
from typing import ClassVar

from nlp_redaction.document.spans import STANDS_ALONE, Label, Span
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.dates.finding import Finding
from nlp_redaction.recognisers.dates.in_figures import read_figures
from nlp_redaction.recognisers.dates.in_words import READERS
from nlp_redaction.recognisers.dates.scores import HINT


class DateRecogniser(Recogniser):
    """Finds dates, weekdays, months, named days, years and decades."""

    labels: ClassVar[tuple[Label, ...]] = (Label.DATE,)

    def find(self, document: Document) -> Iterator[Span]:
        """Yield dates in order; the doubtful ones as hints."""
        findings = _raise_by_company(list(_read_all(document)))
        for found in findings:
            if found.score >= HINT:
                yield self.span(
                    found.start, found.end, Label.DATE, found.score, found.reason
                )


def _read_all(document: Document) -> Iterator[Finding]:
    folded, starts = document.folded, document.starts
    reached = 0
    find_reader = READERS.get
    for index, word in enumerate(folded):
        reader = find_reader(word)
        if reader is None:
            if not "0" <= word[0] <= "9":
                continue
            reader = read_figures
        if starts[index] < reached:
            continue
        found = reader(document, index)
        if found is not None and found.score > 0:
            yield found
            reached = found.end


def _raise_by_company(findings: list[Finding]) -> list[Finding]:
    """Believe a doubtful day and month where a sure one of the same month stands."""
    doubtful = [found for found in findings if found.month]
    if len(doubtful) < 2:
        return findings
    seen = {
        (found.form, found.month) for found in doubtful if found.score >= STANDS_ALONE
    }
    dotted = [found.month for found in doubtful if found.form == "^."]
    if len(dotted) > 2 and max(dotted) <= 12 and dotted == sorted(dotted):
        seen |= {("^.", month) for month in dotted if dotted.count(month) > 2}
    seen |= {("^.", month) for form, month in seen if form == "."}
    return [
        Finding(found.start, found.end, STANDS_ALONE, "like its neighbours")
        if found.score < STANDS_ALONE
        and (found.form, found.month) in seen
        and (found.form == "^." or (found.score >= HINT and found.month not in {7, 12}))
        else found
        for found in findings
    ]
