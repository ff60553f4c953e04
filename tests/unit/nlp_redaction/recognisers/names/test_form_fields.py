"""Names in the form of the page: fields, salutations, signatures, inverted names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.names.form_fields import FormName, InvertedName
from tests.lib.values.numbers import check_any_text, find_texts

FIELDS, INVERTED = FormName(), InvertedName()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Surname: Xqwelyn\nForename: Mark", "Xqwelyn"),
        ("Surname: Xqwelyn\nForename: Mark", "Mark"),
        ("Dear Xqwelyn,", "Xqwelyn"),
        ("Yours sincerely\n\nTunde Adeyemi\nConsultant", "Tunde Adeyemi"),
    ],
)
def test_names_in_the_form_of_the_page(text: str, word: str) -> None:
    assert word in find_texts(FIELDS, text)


@pytest.mark.parametrize("text", ["Dear Colleague,", "Name of ward: Surgery"])
def test_fields_without_a_name(text: str) -> None:
    assert find_texts(FIELDS, text) == []


def test_an_inverted_name_is_one_span() -> None:
    (found,) = find_texts(INVERTED, "SMITH, John was seen")
    assert found.startswith("SMITH, John")
    assert find_texts(INVERTED, "Aspirin, paracetamol and water") == []


@given(st.text(max_size=120))
def test_spans_lie_inside_any_text(text: str) -> None:
    cleaned = text.encode("utf-8", "ignore").decode()
    check_any_text(FIELDS, cleaned)
    check_any_text(INVERTED, cleaned)
