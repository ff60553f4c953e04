"""The kernels for whole columns give what the plain reference gives, value by value."""

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pseudo_service.core.identifiers.canonical import canonicalise, canonicalise_one
from pseudo_service.core.identifiers.kinds import (
    CLASSES,
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from tests.lib.values.nhs_numbers import make_nhs_number
from tests.reference.identifiers import canonicalise as canonicalise_plainly

KINDS = ("nhs_number", "chi_number", "hc_number", "mrn@RXH", "lab_number@RXH001")
GAPS = st.sampled_from(["", " ", "-", "\xa0", "\u2009", "\u2013", "\u3000", " - ", "."])
ENDS = st.sampled_from(["", " ", "\t", "\xa0", "\ufeff", ".0", ".", ".00 ", "-", "\n"])
HEADS = st.sampled_from(["", " ", "NHS ", "NHS No: ", "nhs number", "CHI", "H&C ", "-"])


@st.composite
def written_numbers(draw):
    """Draw a number, mostly with a right check digit, in some hospital's manner."""
    number = make_nhs_number(draw(st.integers(0, 999_999)))
    if draw(st.booleans()):
        number = draw(st.text("0123456789", min_size=8, max_size=11))
    cut, gap = draw(st.integers(0, 10)), draw(GAPS)
    text = number[:cut] + gap + number[cut : cut + 3] + gap + number[cut + 3 :]
    if draw(st.integers(0, 9)) == 0:
        text = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in text)
    return draw(HEADS) + text + draw(ENDS)


VALUES = st.one_of(
    st.none(),
    written_numbers(),
    st.text(max_size=12),
    st.text("NHSCI0123456789 -.\xa0&:#", max_size=14),
    st.sampled_from(["NA", "null", "-", "0101000006", "3200000015", "2902010001"]),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(VALUES, max_size=12),
    st.sampled_from(KINDS),
    st.booleans(),
    st.booleans(),
)
@example(["9990441537"], "nhs_number", True, False)
@example(["9990441537-", "999.044.1537", "9990441537.0.0"], "nhs_number", True, False)
@example(["\u00a0999 044 1537\n", "9990441537\n"], "nhs_number", True, False)
def test_columns_are_read_as_the_reference_reads_values(texts, kind_text, test, chi):
    kind = IdentifierKind.parse(kind_text)
    rules = IdentifierRules(
        accept_test_range=test,
        chi_in_nhs_column=ChiInNhsColumn.ACCEPT if chi else ChiInNhsColumn.REJECT,
    )
    outcome = canonicalise(pa.array(texts, pa.string()), kind, rules)
    found = list(
        zip(
            outcome.values.to_pylist(),
            (CLASSES[code].value for code in outcome.classes),
            strict=True,
        )
    )
    expected = [canonicalise_plainly(text, kind_text, test, chi) for text in texts]
    assert found == expected
    assert outcome.accepted.tolist() == [value is not None for value, _ in expected]
    assert [canonicalise_one(text, kind, rules) for text in texts] == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("0123456789", min_size=10, max_size=10), min_size=1))
def test_plain_columns_take_the_fast_path_to_the_same_answer(texts):
    rules = IdentifierRules(
        accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.ACCEPT
    )
    for kind_text in KINDS[:3]:
        outcome = canonicalise(pa.array(texts), IdentifierKind.parse(kind_text), rules)
        expected = [canonicalise_plainly(text, kind_text, True, True) for text in texts]
        assert outcome.values.to_pylist() == [value for value, _ in expected]
        assert [CLASSES[code] for code in outcome.classes] == [f for _, f in expected]


@given(st.integers(-(2**62), 2**62))
def test_integers_are_read_as_their_text(number):
    rules = IdentifierRules(
        accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.ACCEPT
    )
    for kind_text in KINDS[:3]:
        kind = IdentifierKind.parse(kind_text)
        outcome = canonicalise(pa.array([number]), kind, rules)
        expected = canonicalise_one(str(number), kind, rules)
        assert (outcome.values[0].as_py(), CLASSES[outcome.classes[0]]) == expected
