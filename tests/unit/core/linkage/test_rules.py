"""What a request must state, rule by rule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.errors import RequestRefused
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.linkage.request import LegalBasis, LinkageMode, LinkageVerb
from pseudo_service.core.linkage.rules import (
    CLOCK_LEEWAY,
    LOCATE_BASES,
    check_combination,
    check_expiry,
    check_free_text,
    check_redeemer,
    choose_subjects,
)
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ROUTINE, URGENT = LinkageMode.ROUTINE, LinkageMode.BREAK_GLASS
FORM = PseudonymFormat(tag="ABCD", kind=IdentifierKind.parse("nhs_number"), version=1)


def make_pseudonym(number: int) -> str:
    return FORM.encode_one(number.to_bytes(16, "big"))


@pytest.mark.parametrize("text", ["abc", "letter of 3 March", "x" * 500, " abc "])
def test_a_plain_text_is_accepted(text: str) -> None:
    check_free_text("reason", text)


@pytest.mark.parametrize(
    "text", ["", "ab", "   ", "x" * 501, "two\nlines", "about 9990000018", "\x07bell"]
)
def test_a_text_that_is_no_reason_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(RequestRefused, match="reason: give 3 to 500") as refusal:
        check_free_text("reason", text)
    assert "999" not in refusal.value.message


@pytest.mark.parametrize("redeemer", ["olek", "local:olek", "x" * 200, "u1"])
def test_a_subject_of_a_token_may_redeem(redeemer: str) -> None:
    check_redeemer(redeemer)


@pytest.mark.parametrize("redeemer", ["", " olek", "x" * 201, "9990000018", "a\tb"])
def test_what_is_no_subject_may_not(redeemer: str) -> None:
    with pytest.raises(RequestRefused, match="redeemer"):
        check_redeemer(redeemer)


@given(st.timedeltas(timedelta(0), timedelta(days=40)), st.sampled_from(LinkageMode))
def test_a_request_lives_within_the_bounds_of_its_mode(
    life: timedelta, mode: LinkageMode
) -> None:
    allowed = (
        timedelta(0) < life <= timedelta(hours=4)
        if mode is URGENT
        else timedelta(hours=1) - CLOCK_LEEWAY <= life <= timedelta(days=30)
    )
    if allowed:
        check_expiry(mode, submitted_at=NOW, expires_at=NOW + life)
    else:
        with pytest.raises(RequestRefused, match="expiry"):
            check_expiry(mode, submitted_at=NOW, expires_at=NOW + life)


def test_an_expiry_has_a_zone() -> None:
    naive = (NOW + timedelta(hours=2)).replace(tzinfo=None)
    with pytest.raises(RequestRefused, match="zone"):
        check_expiry(ROUTINE, submitted_at=NOW, expires_at=naive)


@pytest.mark.parametrize("basis", LegalBasis)
def test_only_some_bases_locate_a_person(basis: LegalBasis) -> None:
    if basis in LOCATE_BASES:
        check_combination(LinkageVerb.LOCATE, ROUTINE, basis, subjects=1)
    else:
        with pytest.raises(RequestRefused, match="legal basis"):
            check_combination(LinkageVerb.LOCATE, ROUTINE, basis, subjects=1)


@pytest.mark.parametrize(
    ("verb", "subjects"),
    [(LinkageVerb.TRANSLATE, 1), (LinkageVerb.LOCATE, 1), (LinkageVerb.REIDENTIFY, 2)],
)
def test_break_glass_names_one_person_and_does_nothing_else(
    verb: LinkageVerb, subjects: int
) -> None:
    basis = LegalBasis.SUBJECT_REQUEST
    check_combination(LinkageVerb.REIDENTIFY, URGENT, basis, subjects=1)
    with pytest.raises(RequestRefused, match="break glass"):
        check_combination(verb, URGENT, basis, subjects=subjects)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_subjects_are_sorted_and_distinct(numbers: list[int]) -> None:
    chosen = choose_subjects([make_pseudonym(n) for n in numbers], ceiling=41)
    assert list(chosen) == sorted({make_pseudonym(n) for n in numbers})


def test_repeats_count_once_against_the_ceiling() -> None:
    listed = [make_pseudonym(1)] * 5 + [make_pseudonym(2)]
    assert len(choose_subjects(listed, ceiling=2)) == 2
    with pytest.raises(RequestRefused, match=r"2 are listed.*1 to 1 a request"):
        choose_subjects(listed, ceiling=1)
    with pytest.raises(RequestRefused, match="0 are listed"):
        choose_subjects([], ceiling=1)


def test_bad_pseudonyms_are_named_by_the_first_ten_positions() -> None:
    good = make_pseudonym(1)
    with pytest.raises(RequestRefused, match="1 of 2, at positions 1;") as refusal:
        choose_subjects([good, "ABCD-mistyped"], ceiling=9)
    assert "ABCD" not in refusal.value.message
    with pytest.raises(RequestRefused, match=r"positions 0, 1, .*9 and more;"):
        choose_subjects(["x"] * 11, ceiling=99)
