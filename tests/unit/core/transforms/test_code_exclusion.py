"""A listed code is found however a source writes it, and beside whatever else."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.transforms.code_exclusion import find_excluded
from tests.reference.engine import is_excluded

CODES = ("Z31*", "A56.0")
LETTERS, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
ICD_CODES = st.builds(
    "{}{}.{}".format,
    st.sampled_from(LETTERS),
    st.integers(10, 99),
    st.integers(0, 9),
)
# Marks that sources put between codes.
BETWEEN = st.sampled_from([*";,|/+&:()[]{}~^\\'\"_†*#", "、", "\u2028", "\v", "\n"])
# Marks that may stand inside one code.
INSIDE = st.sampled_from(["", ".", " ", "-", "\u2013", "\u2212", "\u00a0", "\u200b"])


def find(texts, codes=CODES):
    return find_excluded(pa.array(texts, pa.string()), codes).tolist()


@st.composite
def spellings(draw, code):
    """Draw one code with marks between its parts, in either case and width."""
    head, tail = code.split(".")
    text = head[0] + draw(INSIDE) + head[1:] + draw(INSIDE) + tail
    text = draw(st.sampled_from([text, text.lower()]))
    if draw(st.booleans()):
        text = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    return text


@settings(max_examples=300, deadline=None)
@given(ICD_CODES.flatmap(lambda code: st.tuples(st.just(code), spellings(code))))
def test_a_code_is_found_in_each_of_its_spellings(drawn):
    code, spelling = drawn

    assert find([spelling], [code]) == [True]
    assert find([spelling], [code[:3] + "*"]) == [True]


@settings(max_examples=300, deadline=None)
@given(spellings("A56.0"), st.lists(ICD_CODES, max_size=2), BETWEEN, st.booleans())
def test_a_code_is_found_beside_others_whatever_stands_between(
    spelling, others, mark, is_first
):
    cell = mark.join([spelling, *others] if is_first else [*others, spelling])

    assert find([cell], ["A56.0"]) == [True]


@settings(max_examples=100, deadline=None)
@given(
    spellings("A56.0").filter(lambda text: not set(text) & {" ", "\u00a0"}),
    st.sampled_from([" ", "\t", "\u3000", "\u00a0", "\u1680", " - ", " \u2013 "]),
)
def test_blanks_of_every_kind_part_codes(spelling, blank):
    for cell in (f"E11.9{blank}{spelling}", f"{spelling}{blank}E11.9"):
        assert find([cell], ["A56*"]) == [True]


@settings(max_examples=300, deadline=None)
@given(ICD_CODES, ICD_CODES)
def test_a_code_without_a_star_is_itself_only(listed, other):
    assert find([other], [listed]) == [listed == other]
    assert find([other + "1", "X" + other], [listed]) == [False, False]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.none()
        | st.text(alphabet="AZ0356.1 -;†()\u200b\u2028\u2013\uff3a", max_size=9),
        max_size=6,
    )
)
def test_columns_are_read_as_the_reference_reads_each_cell(cells):
    assert find(cells) == [is_excluded(cell, CODES) for cell in cells]


@pytest.mark.parametrize(
    "cell",
    ["E11.9; Z 31.1", "E11.9(Z31.1)", "E11.9-Z31.1", "A56.0†M49.0*", "E11; A56\u20130"],
)
def test_in_doubt_a_cell_is_excluded(cell):
    assert find([cell]) == [True]


@pytest.mark.parametrize("cell", ["E11.9; A56.01", "AZ31 (E11)", "A5; 6.1", "†", ";;"])
def test_parts_of_other_codes_are_no_listed_code(cell):
    assert find([cell]) == [False]


def test_the_codes_of_the_list_may_be_in_any_case():
    assert find(["Z31.1", "a560", "A56.1"], ["z31*", "a56.0"]) == [True, True, False]


def test_prefixes_of_several_lengths_are_each_matched():
    codes = ["Z*", "A56*", "E11.9*"]

    assert find(["Z99", "A569", "A55", "E11.95", "E11.8", "E1"], codes) == [
        True, True, False, True, False, False,
    ]  # fmt: skip


def test_a_column_without_texts_excludes_nothing():
    assert find([]) == []
    assert find([None, None]) == [False, False]


def test_rows_of_a_slice_keep_their_places():
    column = pa.array(["Z31", "E11", None, "A56.0", "E11"])[1:]

    assert find_excluded(column, CODES).tolist() == [False, False, True, False]


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64(), pa.uint64()])
def test_integers_are_read_by_their_digits(kind):
    column = pa.array([733944008, 22298006, None, 7339], kind)

    assert find_excluded(column, ["733944008"]).tolist() == [True, False, False, False]
    assert find_excluded(column, ["7339*"]).tolist() == [True, False, False, True]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view()])
def test_other_text_types_are_read(kind):
    column = pa.array(["z31", None, "E11"], pa.string()).cast(kind)

    assert find_excluded(column, CODES).tolist() == [True, False, False]
