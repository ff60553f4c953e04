"""Which identifiers of a record stand in its text, and which of them stay there.

The residual leakage of a record's own fields: what is still present over what was
present. A name counts part by part; a number, telephone or postcode with any
separators between its signs; a date in any form that names day, month and year.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import Label, Span
from nlp_redaction.document.text import make_plain
from nlp_redaction.evaluation.annotated_notes import Note
from nlp_redaction.evaluation.scoring import cover

_TITLES: Final = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "master",
        "dr",
        "prof",
        "professor",
        "sir",
        "dame",
        "lady",
        "lord",
        "rev",
        "nurse",
        "sister",
        "father",
        "mother",
        "the",
        "of",
        "and",
    ]
)
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        [
            "jan",
            "feb",
            "mar",
            "apr",
            "may",
            "jun",
            "jul",
            "aug",
            "sep",
            "oct",
            "nov",
            "dec",
        ],
        1,
    )
}
_SHORTEST_PART: Final = 2
_SHORTEST_NUMBER: Final = 4
_WORD: Final = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_GAP: Final = r"[\s.()/-]{0,3}"
_PIECE: Final = re.compile(r"\d+|[a-z]+")

Stretch = tuple[int, int]


def find_present(note: Note, known: KnownIdentifiers) -> list[Stretch]:
    """Return where the known identifiers stand inside what a person marked.

    Only marks count: the name Mark is no reason to look at "mark the site".
    """
    text = make_plain(note.text)
    marked = cover(len(text), ((mark.start, mark.end) for mark in note.spans))
    found = {
        match.span()
        for pattern in _list_patterns(known)
        for match in pattern.finditer(text)
        if any(marked[match.start() : match.end()])
    }
    dates = {day for value in known.dates if (day := read_day(value))}
    found |= {
        (mark.start, mark.end)
        for mark in note.spans
        if mark.label == Label.DATE and read_day(text[mark.start : mark.end]) in dates
    }
    return sorted(found)


def find_leaked(
    text: str, present: Iterable[Stretch], spans: Sequence[Span]
) -> list[Stretch]:
    """Return the stretches of which a letter or digit is left."""
    covered = cover(len(text), ((span.start, span.end) for span in spans))
    return [
        (start, end)
        for start, end in present
        if any(text[at].isalnum() and not covered[at] for at in range(start, end))
    ]


def _list_patterns(known: KnownIdentifiers) -> Iterator[re.Pattern[str]]:
    for name in (*known.names, *known.people):
        for part in _WORD.findall(make_plain(name)):
            if len(part) >= _SHORTEST_PART and part.lower() not in _TITLES:
                yield _bound(re.escape(part))
    for number in (*known.numbers, *known.postcodes):
        yield from _spread(re.sub(r"[\W_]", "", number))
    for phone in known.phones:
        # Without the trunk 0 or +44, which may be written either way.
        yield from _spread(re.sub(r"^(?:0*44)?0*", "", re.sub(r"\D", "", phone)))
    for line in (*known.addresses, *known.emails):
        if words := make_plain(line).replace(",", " ").split():
            yield _bound(r"[\s,]+".join(map(re.escape, words)))


def _spread(signs: str) -> Iterator[re.Pattern[str]]:
    if len(signs) >= _SHORTEST_NUMBER:
        pattern = _GAP.join(map(re.escape, signs))
        # A trunk 0 or +44 may touch the number; another digit makes it another one.
        yield re.compile(
            rf"(?:(?<=0)|(?<=44)|(?<![^\W_])){pattern}(?!\w)", re.IGNORECASE
        )


def _bound(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){pattern}(?!\w)", re.IGNORECASE)


def read_day(text: str) -> tuple[int, int, int] | None:
    """Return day, month and year modulo 100 of a written date; None for no whole date.

    British order; four digits or a value above 31 first make it year, month, day.
    """
    pieces = [p for p in _PIECE.findall(text.lower()[:40]) if p not in _ORDINALS]
    numbers = [int(piece) for piece in pieces if piece.isdigit()]
    months = [_MONTHS[p[:3]] for p in pieces if p[:3] in _MONTHS]
    if months and len(numbers) >= _DAY_AND_YEAR:
        day, month, year = numbers[0], months[0], numbers[1]
        if day > _LONGEST_MONTH:
            day, year = year, day
    elif len(numbers) >= _WHOLE:
        day, month, year = numbers[:_WHOLE]
        if day > _LONGEST_MONTH:
            day, year = year, day
    elif len(numbers) == 1 and len(pieces[0]) == _COMPACT:
        year, rest = divmod(numbers[0], 10_000)
        month, day = divmod(rest, 100)
    else:
        return None
    return day, month, year % 100


_ORDINALS: Final = frozenset({"st", "nd", "rd", "th", "of"})
_DAY_AND_YEAR: Final = 2
_WHOLE: Final = 3
_LONGEST_MONTH: Final = 31
_COMPACT: Final = 8
