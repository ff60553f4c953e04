"""Registration numbers of professionals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.numbers.professional_number import (
    ProfessionalNumberRecogniser,
)
from tests.lib.values.numbers import check_any_text, find_texts

PROFESSIONAL = ProfessionalNumberRecogniser()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Dr W Adair, GMC 9071136", "9071136"),
        ("GMC number: 9071136,", "9071136"),
        ("GMC 907 1136", "907 1136"),
        ("(RN, NMC 07K2241E)", "07K2241E"),
        ("signed RN 18C2207E", "18C2207E"),
        ("GDC 88214", "88214"),
        ("HCPC PH108821", "PH108821"),
        ("HCPC OT 38826", "OT 38826"),
        ("physio PH094416 wrote", "PH094416"),
        ("GPhC 2093317", "2093317"),
        ("Social Work England SW104771", "SW104771"),
        ("GOC 01-31773", "01-31773"),
    ],
)
def test_found(text: str, number: str) -> None:
    assert find_texts(PROFESSIONAL, text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "GMC guidance 2019",
        "HCPC 12/03/2021",
        "GMC wrote on 12 May",
        "NMC code of 2018",
        "OT 45 minutes",
    ],
)
def test_kept(text: str) -> None:
    assert find_texts(PROFESSIONAL, text) == []


@given(st.text(alphabet="GMCNH 0123456789KE:.\n", max_size=50))
def test_any_text(text: str) -> None:
    check_any_text(PROFESSIONAL, text)
