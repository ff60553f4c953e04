"""Kinds of identifier as policies write them, and who decides what is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.errors import IdentifierRefused
from pseudo_service.core.identifiers.kinds import (
    CLASS_CODES,
    CLASSES,
    NHS_NUMBER,
    ChiInNhsColumn,
    IdentifierClass,
    IdentifierKind,
    IdentifierRules,
)

NATIONAL = ("nhs_number", "chi_number", "hc_number")


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("nhs_number", "N"),
        ("chi_number", "C"),
        ("hc_number", "H"),
        ("mrn@RXH", "M"),
        ("episode@R1K0A", "X"),
    ],
)
def test_a_kind_is_read_and_written_the_same(text: str, letter: str) -> None:
    kind = IdentifierKind.parse(text)
    assert kind.text == text
    assert kind.letter == letter
    assert kind.is_national == (text in NATIONAL)


@pytest.mark.parametrize(
    "text",
    ["", "mrn", "nhs_number@RXH", "MRN@RXH", "mrn@", "mrn@rxh", "mrn@RX", "a@RXH"],
)
def test_another_text_is_no_kind(text: str) -> None:
    with pytest.raises(IdentifierRefused, match=r"identifier kind: "):
        IdentifierKind.parse(text)


def test_a_site_too_many_or_too_few_is_told_apart() -> None:
    with pytest.raises(IdentifierRefused, match="has no site"):
        IdentifierKind.parse("nhs_number@RXH")
    with pytest.raises(IdentifierRefused, match="needs its site"):
        IdentifierKind.parse("mrn")


def test_local_numbers_of_two_sites_are_two_kinds() -> None:
    assert IdentifierKind.parse("mrn@RXH") != IdentifierKind.parse("mrn@RJ1")
    assert IdentifierKind.parse("nhs_number") == NHS_NUMBER


def test_every_class_has_a_code_of_its_own() -> None:
    assert [CLASSES[CLASS_CODES[each]] for each in IdentifierClass] == [
        *IdentifierClass
    ]


@given(
    st.sampled_from(IdentifierClass),
    st.sampled_from([*NATIONAL, "mrn@RXH"]),
    st.booleans(),
    st.sampled_from(ChiInNhsColumn),
)
def test_only_what_somebody_decided_is_accepted(
    found: IdentifierClass, kind: str, takes_tests: bool, chi: ChiInNhsColumn
) -> None:
    rules = IdentifierRules(accept_test_range=takes_tests, chi_in_nhs_column=chi)
    expected = {IdentifierClass.VALID}
    if takes_tests:
        expected.add(IdentifierClass.TEST_RANGE)
    if chi is ChiInNhsColumn.ACCEPT and kind == "nhs_number":
        expected.add(IdentifierClass.CHI_RANGE)
    assert rules.accepts(found, IdentifierKind.parse(kind)) == (found in expected)
