"""User names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.numbers.login import LoginRecogniser
from tests.lib.values.numbers import check_any_text, find_texts

LOGIN = LoginRecogniser()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("user: wadair_87", "wadair_87"),
        ("printed 2024 user wadair04 page", "wadair04"),
        ('user name "hill_walker52" wrote', "hill_walker52"),
        ("logged in as adw123", "adw123"),
        ("EXPORTED BY WADAIR4", "WADAIR4"),
        ("from Wen (wadair03)", "wadair03"),
        ("posted: hill_walker52 said", "hill_walker52"),
    ],
)
def test_found(text: str, name: str) -> None:
    assert find_texts(LOGIN, text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "drug user 5 years",
        "IMG_0034",
        "service user Wen",
        "user 12mg",
        "by bus 12",
        "alias unknown",
    ],
)
def test_kept(text: str) -> None:
    assert find_texts(LOGIN, text) == []


@given(st.text(alphabet="user by_name 0123.-(\n", max_size=50))
def test_any_text(text: str) -> None:
    check_any_text(LOGIN, text)
