"""Web addresses and handles; sentences that run into one another are neither."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_redaction.document.spans import STANDS_ALONE
from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.contacts.url import UrlRecogniser

URL = UrlRecogniser()


def find(text: str) -> set[str]:
    spans = {
        (span.start, span.end)
        for span in URL.find(Document.read(text))
        if span.score >= STANDS_ALONE
    }
    # What lies within a longer span is no finding of its own.
    return {
        text[start:end]
        for start, end in spans
        if not any(a <= start and end <= b and (a, b) != (start, end) for a, b in spans)
    }


@pytest.mark.parametrize(
    "address",
    [
        "https://harbour.example/leaflets?id=7&x=2#top",
        "http://harbour.example",
        "www.harbour.example/contact-us",
        "harbour.example/refer",
        "portal.harbour.example",
        "harbour-surgery.co.uk",
        "meddygfa.cymru",
        "surgery.wales",
        "clinic.scot",
        "practice.london",
    ],
)
def test_an_address_is_found_whole(address: str) -> None:
    assert find(f"see {address}.") == {address}


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("post a picture to @jay_harbour.", "@jay_harbour"),
        ("Instagram @harbourlife", "@harbourlife"),
        ("on insta: harbour_life22", "harbour_life22"),
    ],
)
def test_a_handle_is_found(text: str, handle: str) -> None:
    assert find(text) == {handle}


@pytest.mark.parametrize(
    "text",
    [
        "Dr.Smith and Pt.Jones, Pt.seen at 9 a.m, b.d and t.d.s, 0.5mg",
        "Feels well.in no pain. Pt.is home.no fever",
        "see letter.pdf and scan.doc",
        "r/v @clinic, seen @home @ 9",
        "e.g. this, i.e. that",
        "",
    ],
)
def test_what_only_looks_like_one_is_left(text: str) -> None:
    assert find(text) == set()


@settings(deadline=None)
@given(st.text(alphabet="awx.:/@ co.ukexample_\n", max_size=150))
def test_spans_stay_inside_any_text(text: str) -> None:
    for span in URL.find(Document.read(text)):
        assert 0 <= span.start < span.end <= len(text)
