"""Numbers of cases, accounts, specimens, devices and staff; what medicine counts stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_redaction.document.text import Document
from nlp_redaction.recognisers.numbers.case_number import CaseNumberRecogniser
from nlp_redaction.recognisers.numbers.codes import find_codes
from tests.lib.values.numbers import check_any_text, find_texts

CASE = CaseNumberRecogniser()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Datix W118261", "W118261"),
        ("Our ref: PKQ/jt/CC209918", "PKQ/jt/CC209918"),
        ("Your reference: HR/EMP/20774", "HR/EMP/20774"),
        ("Ref: TCQ/vw/BW 5530918", "BW 5530918"),
        ("Claim no. K19YX442", "K19YX442"),
        ("policy 4471-WAQ-08", "4471-WAQ-08"),
        ("account LL-20337, is", "LL-20337"),
        ("membership PHQ 77 410 228 C, auth", "PHQ 77 410 228 C"),
        ("serial STN-24-0332 L.", "STN-24-0332 L"),
        ("s/n 303448M,", "303448M"),
        ("police ref CAD 6651", "CAD 6651"),
        ("Crime ref 42/178567/22", "42/178567/22"),
        ("collar number HV 093", "HV 093"),
        ("badge 07", "07"),
        ("PC Adair, 4418", "4418"),
        ("DS Wen Adair (7714)", "7714"),
        ("payroll 0044618", "0044618"),
        ("job LL-558832", "LL-558832"),
        ("lab 23H0041928", "23H0041928"),
        ("histology H21-04478 shows", "H21-04478"),
        ("(CT-23-0091875)", "CT-23-0091875"),
        ("awaited on blood 23G-10067;", "23G-10067"),
        ("in HMP, A1234BC, cell 4", "A1234BC"),
        ("Adair W NLQ 0088122 exam", "NLQ 0088122"),
        ("report number HST/664502", "HST/664502"),
        ("order 88-1021-44, is due", "88-1021-44"),
    ],
)
def test_found(text: str, number: str) -> None:
    assert find_texts(CASE, text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "influenza vaccine batch AB1234567",
        "lot 64471903 expiry 2026",
        "ICD10 F00.2 and M85003",
        "SNOMED 22298006",
        "amlodipine 10mg, paracetamol 1000 mg",
        "BP 120/80, 6/9 right, L4/5 and T2-T4",
        "ward 7 bed 12",
        "NCT01234567 and ISRCTN12345678",
        "K-Two 18-25 stockings",
        "Hb 132, WBC 11.2, plt 250",
        "the order 2 boxes",
        "in this case 2019",
        "case of a 52-year-old",
        "claim since 2014-2016",
        "call back at 1430",
        "wrong no\n1740 nurse rang",
        "REF 00-8752-012-36. LOT 65112201",
        "mission 9.30-11.30",
        "heparin 15000 units",
        "S1Q3T3 no S1Q3T3",
        "police 101 called",
        "IMG_0022 and IMG_0023 and IMG_0024",
        "p.R175H and BRAF V600E",
    ],
)
def test_kept(text: str) -> None:
    assert find_texts(CASE, text) == []


def test_codes_shaped_like_a_found_one() -> None:
    assert find_texts(CASE, "Datix DX-9010 and later DX-9015") == ["DX-9010", "DX-9015"]


def test_list_of_patients() -> None:
    rows = "771203  Adair home\n771219  Wen hospice\n771244  Rowe home"
    assert find_texts(CASE, rows) == ["771203", "771219", "771244"]


def test_long_rubbish_is_read_in_line() -> None:
    document = Document.read("1-a/." * 20_000 + "ref " * 5_000 + "9" * 20_000)
    assert len(list(CASE.find(document))) < 10


@given(st.text(alphabet="ref noABQ0123456789-/.:# \ncase", max_size=80))
def test_any_text(text: str) -> None:
    check_any_text(CASE, text)


@given(st.text(max_size=80))
def test_codes_lie_where_they_say(text: str) -> None:
    document = Document.read(text)
    for code in find_codes(document):
        assert document.plain[code.start : code.end] == code.text
        assert code.digits >= 1
