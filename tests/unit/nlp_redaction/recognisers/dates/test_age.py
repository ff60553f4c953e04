"""Ages of ninety and more are found; measures are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.dates.age import AgeRecogniser

RECOGNISER = AgeRecogniser()


def find(text: str) -> list[str]:
    """Return what stands alone."""
    return [
        text[span.start : span.end]
        for span in RECOGNISER.find(Document.read(text))
        if span.score >= 0.5
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("This 92-year-old lady", "92-year-old"),
        ("94 yo male", "94 yo"),
        ("94yr fall", "94yr"),
        ("a man aged 95.", "95"),
        ("age: 93", "93"),
        ("seen, 92yrs, well", "92yrs"),
        ("#NOF 93F ward 4", "93F"),
        ("She is 101 years, and sings", "101 years"),
        ("her mother is well at ninety-one", "ninety-one"),
        ("she is ninety-odd", "ninety-odd"),
        ("who is 94 and walks", "94"),
        ("Winifred Smith, 93, fell", "93"),
        ("Mrs Okoro (94) rang", "94"),
        ("she is 9O yrs", "9O yrs"),
    ],
)
def test_finds_an_age(text: str, found: str) -> None:
    assert find(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "sats 94% on air",
        "sats 95",
        "BP 98/54, HR 92, RR 18",
        "weight 91 kg",
        "pulse was 94, regular",
        "Technetium 99m MDP",
        "an 89-year-old man",
        "aged 45",
        "temp 99.1",
        "£95 a week",
        "a 90 pack year history",
        "her height is on the 98th centile",
        "hb 97, plt 101",
        "a 92 mg dose",
        "range 90-95",
    ],
)
def test_leaves_what_is_no_age_of_ninety(text: str) -> None:
    assert find(text) == []


@given(st.text(alphabet="9 0123yrsoldninety-mF,.(:'\n", max_size=60))
def test_stays_inside_any_text(text: str) -> None:
    for span in RECOGNISER.find(Document.read(text)):
        assert 0 <= span.start < span.end <= len(text)
