"""National Insurance numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.numbers.national_insurance import (
    NationalInsuranceRecogniser,
)
from tests.lib.values.numbers import check_any_text, find_texts

NINO = NationalInsuranceRecogniser()


@pytest.mark.parametrize(
    "number",
    ["QQ123456C", "QQ 12 34 56 C", "QQ-12-34-56-C", "QQ 123456 C", "qq123456c"],
)
def test_form_in_any_spacing(number: str) -> None:
    assert find_texts(NINO, f"claimant {number}, of") == [number]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("NINO: GB 12 34 56 A", "GB 12 34 56 A"),
        ("NI number QQ 12 34 56", "QQ 12 34 56"),
        ("National Insurance number TN 01 02 90 F", "TN 01 02 90 F"),
    ],
)
def test_cue_forgives_the_prefix(text: str, number: str) -> None:
    assert find_texts(NINO, text) == [number]


@pytest.mark.parametrize(
    "prefix", ["BG", "GB", "NK", "KN", "TN", "NT", "ZZ", "DA", "FA", "AO", "IA"]
)
def test_prefix_never_issued(prefix: str) -> None:
    assert find_texts(NINO, f"code {prefix}123456A") == []


@pytest.mark.parametrize("text", ["on 12 34 56", "BP 12 34 56", "AB123456E"])
def test_kept(text: str) -> None:
    assert find_texts(NINO, text) == []


@given(st.text(alphabet="QABCNI 0123456789-/.\n", max_size=50))
def test_any_text(text: str) -> None:
    check_any_text(NINO, text)
