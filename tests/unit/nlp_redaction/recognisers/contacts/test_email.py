"""E-mail addresses: plain, scanned and spoken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_redaction.document.spans import STANDS_ALONE
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.contacts.email import EmailRecogniser

EMAIL = EmailRecogniser()


def find(text: str) -> list[str]:
    return [
        text[span.start : span.end]
        for span in EMAIL.find(Document.read(text))
        if span.score >= STANDS_ALONE
    ]


@pytest.mark.parametrize(
    "address",
    [
        "a.sweeney@harbour.example",
        "yosra.h-neal@postbox.example",
        "o'hara@clinic.nhs.example",
        "MED.SECS@TRUST.EXAMPLE",
        "office@school.example.sch.uk",
        "k.abrahams @ harbour.example",
        "k.abrahams[at]harbour.example",
        "k.abrahams (at) harbour.example",
        "k.abrahams@harbour. example",
        "jo dot bloggs at harbour dot example",
    ],
)
def test_an_address_is_found_whole(address: str) -> None:
    assert find(f"write to {address}, please") == [address]


def test_brackets_and_full_stops_stay_outside() -> None:
    assert find("<a@b.example>; (c@d.example).") == ["a@b.example", "c@d.example"]


@pytest.mark.parametrize(
    "text",
    [
        "seen @ home, bp 120/80 @ 3.30pm",
        "reviewed @ clinic. Plan: home",
        "posted by @jo_bloggs",
        "pain at rest dot plot",
        "@",
    ],
)
def test_other_uses_of_the_sign_are_left(text: str) -> None:
    assert find(text) == []


@settings(deadline=None)
@given(st.text(alphabet="ab.@ [at](dot)_-\n'", max_size=150))
def test_spans_stay_inside_any_text(text: str) -> None:
    for span in EMAIL.find(Document.read(text)):
        assert 0 <= span.start < span.end <= len(text)
