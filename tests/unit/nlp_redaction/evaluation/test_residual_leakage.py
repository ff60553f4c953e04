"""Known identifiers are recognised where they stand, in the forms they are written in."""

import pytest

from nlp_redaction.document.patient_identifiers import KnownIdentifiers
from nlp_redaction.document.spans import Label, Span
from nlp_redaction.evaluation.annotated_notes import read_inline
from nlp_redaction.evaluation.residual_leakage import (
    find_leaked,
    find_present,
    read_day,
)


@pytest.mark.parametrize(
    ("marked", "known", "present"),
    [
        (
            "[[NAME|Ada]] and [[NAME|SMITH]]",
            {"names": ("Mrs Ada Smith",)},
            ["Ada", "SMITH"],
        ),
        (
            "[[NAME|Mark]], please mark the site",
            {"names": ("Mark Bell",)},
            ["Mark"],
        ),
        ("Mrs [[NAME|Bell]]", {"people": ("Mrs Bell",)}, ["Bell"]),
        ("[[NAME|Bellamy]]", {"names": ("Bell",)}, []),
        (
            "No [[NHS_NUMBER|999-318 4407]]",
            {"numbers": ("9993184407",)},
            ["999-318 4407"],
        ),
        ("[[ID|X99931844071]]", {"numbers": ("9993184407",)}, []),
        (
            "[[PHONE|+44 (0)7700 900417]], [[PHONE|07700 900 417]]",
            {"phones": ("07700 900417",)},
            ["7700 900417", "7700 900 417"],
        ),
        ("[[POSTCODE|ll144hh]]", {"postcodes": ("LL14 4HH",)}, ["ll144hh"]),
        ("[[EMAIL|a@b.example]]", {"emails": ("A@b.example",)}, ["a@b.example"]),
        (
            "[[ADDRESS|6 Ty Coch Bersham Road]]",
            {"addresses": ("6 Ty Coch, Bersham Road",)},
            ["6 Ty Coch Bersham Road"],
        ),
        (
            "born [[DATE|11 Sept '58]], seen [[DATE|11/9/59]]",
            {"dates": ("1958-09-11",)},
            ["11 Sept '58"],
        ),
        ("nothing", {"numbers": ("12",), "names": ("X",), "dates": ("?",)}, []),
    ],
)
def test_what_is_known_is_found_inside_the_marks(
    marked: str, known: dict[str, tuple[str, ...]], present: list[str]
) -> None:
    note = read_inline("x-1", "", "", marked)
    found = find_present(note, KnownIdentifiers(**known))
    assert [note.text[start:end] for start, end in found] == present


def test_what_is_half_covered_is_left_behind() -> None:
    text = "Ada Smith"
    spans = [Span(0, 3, Label.NAME, 1.0, "t"), Span(4, 7, Label.NAME, 1.0, "t")]
    assert find_leaked(text, [(0, 3), (4, 9)], spans) == [(4, 9)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("11/09/1958", (11, 9, 58)),
        ("1958-09-11", (11, 9, 58)),
        ("11.9.58", (11, 9, 58)),
        ("11th of September 1958", (11, 9, 58)),
        ("Sept 11th, 1958", (11, 9, 58)),
        ("1958 Sep 11", (11, 9, 58)),
        ("19580911", (11, 9, 58)),
        ("Easter 2019", None),
        ("11/9", None),
        ("", None),
    ],
)
def test_days_are_read(text: str, day: tuple[int, int, int] | None) -> None:
    assert read_day(text) == day
