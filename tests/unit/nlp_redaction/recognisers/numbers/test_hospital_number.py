"""Hospital numbers: by cue, by form, and as a site sets them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.recognisers.numbers.hospital_number import HospitalNumberRecogniser
from nlp_redaction.settings import Settings
from tests.lib.values.numbers import check_any_text, find_texts

HOSPITAL = HospitalNumberRecogniser()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("MRN 5511872", "5511872"),
        ("Hospital number: QX 00 417 22", "QX 00 417 22"),
        ("hosp no. k208813, seen", "k208813"),
        ("Unit no. PAQ 661903", "PAQ 661903"),
        ("RiO 3094418", "3094418"),
        ("SystmOne no: 88213407", "88213407"),
        ("EMIS no 40213", "40213"),
        ("Hosp. No. RXQ 308 226 B.", "RXQ 308 226 B"),
        ("HOSP N0 M 4O1 772", "M 4O1 772"),
        ("pt id 4410917", "4410917"),
        ("- QXR0771823 # wrist", "QXR0771823"),
        ("1.30\tA. Name\t4390 118\tpeanut", "4390 118"),
    ],
)
def test_found(text: str, number: str) -> None:
    assert find_texts(HOSPITAL, text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "pt 24F with cough",
        "patient 65 years old",
        "hospital 2019",
        "clinic 12/03/2021",
        "hospital bed 4",
        "patient BP 120/80",
        "patient 1500 ml in",
        "batch QX0771823",
        "attendance 3/7 ago",
    ],
)
def test_kept(text: str) -> None:
    assert find_texts(HOSPITAL, text) == []


def test_own_pattern_and_cue() -> None:
    site = HospitalNumberRecogniser(
        Settings(
            hospital_number_patterns=(r"\bZ\d{3}/[a-z]{2}\b",),
            hospital_number_cues=("green card",),
        )
    )
    assert find_texts(site, "seen Z123/ab, Green Card no. 77") == ["Z123/ab", "77"]
    assert find_texts(HOSPITAL, "seen Z123/ab, Green Card no. 77") == []


def test_empty_match_of_own_pattern_is_nothing() -> None:
    assert (
        find_texts(
            HospitalNumberRecogniser(Settings(hospital_number_patterns=("x*",))),
            "1 and 2",
        )
        == []
    )


@given(st.text(alphabet="MRNmrnhosp no:0123456789ABZ-/.\n\t|", max_size=60))
def test_any_text(text: str) -> None:
    check_any_text(HOSPITAL, text)
