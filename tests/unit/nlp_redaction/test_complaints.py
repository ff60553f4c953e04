"""What users of such tools complain of, one test each, over the whole search."""

import tracemalloc

import pytest

from nlp_redaction.document.spans import Label
from nlp_redaction.errors import Refusal
from nlp_redaction.pipeline import Finder
from nlp_redaction.replacement.options import RowContext, Style
from nlp_redaction.replacement.redactor import Redactor
from nlp_redaction.settings import Settings


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder("thorough")


def list_found(finder: Finder, text: str) -> list[tuple[str, str]]:
    return [
        (text[span.start : span.end], span.label.value)
        for span in finder.find(text).spans
    ]


def test_a_title_glued_to_a_name_is_no_address_of_a_page(finder):
    text = "Reviewed by Dr.Smith on the ward. Pt.Jones settled overnight."
    found = list_found(finder, text)
    assert ("Smith", "NAME") in found
    assert not [label for _, label in found if label == Label.URL]


@pytest.mark.parametrize(
    "text", ["Disc bulge at L5 1st seen on MRI.", "T2 4pt scale", "S1 2nd toe numb"]
)
def test_levels_of_the_spine_are_no_postcodes(finder, text):
    assert list_found(finder, text) == []


def test_a_blood_pressure_is_no_date(finder):
    assert list_found(finder, "BP 120/80, pulse 72 regular, 12/80 at worst.") == []


@pytest.mark.parametrize(
    "phone",
    [
        "020 7946 0958",
        "(0113) 496 0123",
        "07700 900123",
        "+44 7700 900 123",
        "0131 496 0018 ext 204",
    ],
)
def test_british_telephone_numbers_are_found_whole(finder, phone):
    text = f"Please ring {phone} about the scan."
    start, end = text.index(phone), text.index(phone) + len(phone)
    assert any(
        span.start <= start + phone.startswith("(") and span.end >= end
        for span in finder.find(text).spans
    )


def test_the_words_around_count_without_a_lemmatiser(finder):
    """A number that is nothing by itself is one behind its cue."""
    assert list_found(finder, "Hospital no: 43901") == [("43901", "ID")]
    assert list_found(finder, "platelets were 43901 today") == []


def test_memory_does_not_grow_with_every_call(finder):
    def search(first: int) -> None:
        for number in range(first, first + 60):
            finder.find(f"Dr Xq{chr(97 + number % 26)}{number}wen saw Zed{number}ra.")

    search(0)
    tracemalloc.start()
    try:
        search(1000)
        before = tracemalloc.get_traced_memory()[0]
        search(2000)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000


@pytest.mark.parametrize("mode", ["thorough", "rules"])
def test_the_bulk_path_never_returns_its_input(mode):
    texts = [f"Dr Okonkwo rang 07700 9001{number:02}." for number in range(70)]
    texts[33] = "Dr Okonkwo \ud800"
    answers = Redactor().redact_all(
        [(text, RowContext()) for text in texts], Style(mode=mode)
    )
    assert len(answers) == len(texts)
    assert answers[33].refusal is Refusal.BROKEN_ENCODING
    for text, answer in zip(texts, answers, strict=True):
        assert answer.text != text
        assert "Okonkwo" not in (answer.text or "")
    assert sum(answer.text is not None for answer in answers) == len(texts) - 1


def test_words_set_to_be_kept_are_kept_and_added_names_are_found():
    settings = Settings(keep_words=("Careflow", "Rio Connect"), extra_names=("Wobble",))
    finder = Finder("thorough", settings)
    text = "Entered in Careflow and Rio Connect by wobble."
    assert list_found(finder, text) == [("wobble", "NAME")]
    assert ("Careflow", "NAME") in list_found(finder, "Seen by Dr Careflow.")


def test_two_numbers_side_by_side_stay_two(finder):
    text = "NHS 999 473 7805, 07700 900123, 020 7946 0958"
    assert list_found(finder, text) == [
        ("999 473 7805", "NHS_NUMBER"),
        ("07700 900123", "PHONE"),
        ("020 7946 0958", "PHONE"),
    ]
