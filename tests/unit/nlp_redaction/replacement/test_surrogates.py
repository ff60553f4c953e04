"""Surrogates are of the same kind, keyed, the same for one patient, and nobody's."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_redaction.document.patient_identifiers import NOTHING_KNOWN, KnownIdentifiers
from nlp_redaction.document.spans import Label
from nlp_redaction.lexicons import read_lexicon
from nlp_redaction.replacement.keyed_choice import canonical_word
from nlp_redaction.replacement.numbers import check_nhs_number
from nlp_redaction.replacement.surrogates import Surrogates

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
OURS = Surrogates(KEY, KnownIdentifiers(names=("Comfort Agyemang",)))
DRAMA = re.compile(
    "01(13|14|15|16|17|18|21|31|41)4960|0207946|02896496|0292018|01632960"
    "|07700900|08081570|09098790|03069990"
)


def write(label: Label, written: str, surrogates: Surrogates = OURS) -> str:
    replaced = surrogates.replace(label, written)
    assert replaced is not None
    return replaced


def name(written: str) -> str:
    return write(Label.NAME, written)


def test_parts_of_a_name_agree_wherever_they_stand() -> None:
    forename, surname = name("Comfort Agyemang").split()
    assert name("Agyemang, Comfort") == f"{surname}, {forename}"
    assert name("AGYEMANG") == surname.upper()
    assert name("agyemang") == surname.lower()
    assert name("Mrs Agyemang") == f"Mrs {surname}"
    assert name("C. Agyemang") == f"{forename[0]}. {surname}"
    assert name("CA") == forename[0] + surname[0]


def test_a_mistyped_known_name_is_the_same_surrogate() -> None:
    assert name("Agyemnag") == name("Agyemang")
    assert name("Agyeman") == name("Agyemang")


@pytest.mark.parametrize("tail", ["'s", "\u2019s"])
def test_possessives_stay(tail: str) -> None:
    assert name(f"Agyemang{tail}") == name("Agyemang") + tail


def test_layout_of_names_stays() -> None:
    assert re.fullmatch(r"[A-Z]{3}/[a-z]{2}", name("PKM/jt"))
    assert re.fullmatch(r"van der [A-Z][a-z]+", name("van der Berg"))
    assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+-[A-Z][a-z]+", name("Ann Tan-Reid"))


def test_sex_of_a_forename_stays_where_the_lists_tell() -> None:
    for written, listed in (
        ("Sarah", "female"),
        ("Priya", "female"),
        ("David", "male"),
    ):
        assert name(written).lower() in read_lexicon(f"{listed}_forenames")


@pytest.mark.parametrize(
    "written", ["李明", "Łukasz", "Siobha\u0301n", "O\u2019Brien", "Q"]
)
def test_unusual_names_are_replaced(written: str) -> None:
    assert canonical_word(name(written)) != canonical_word(written)
    assert not set(written) & set("李明") & set(name(written))


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("0113 278 1234", r"01\d1 496 0\d{3}|011\d 496 0\d{3}"),
        ("(0113) 278-1234", r"\(01\d\d\) 496-0\d{3}"),
        ("+44 (0)113 278 1234", r"\+44 \(0\)1\d\d 496 0\d{3}"),
        ("0044 7912 345678", r"\+44 7700 900\d{3}"),
        ("07912345678", r"07700900\d{3}"),
        ("07912 345678 ext 4521", r"07700 900\d{3} ext \d{4}"),
        ("01904 654321", r"01632 960\d{3}"),
        ("278 1234", r"496 0\d{3}"),
        ("654321", r"960\d{3}"),
        ("0800 123 4567", r"0808 157 0\d{3}"),
        ("bleep 4521", r"bleep \d{4}"),
        ("+353 87 123 4567", r"\+44 1632 960\d{3}"),
        ("01904 654321 / 07912 345678", r"01632 960\d{3} / 07700 900\d{3}"),
    ],
)
def test_phones_ring_nowhere(written: str, form: str) -> None:
    assert re.fullmatch(form, write(Label.PHONE, written))


@given(st.from_regex(r"0[1-37-9][0-9]{9}", fullmatch=True))
def test_all_national_numbers_are_in_drama_ranges(number: str) -> None:
    replaced = OURS.replace(Label.PHONE, number)
    assert replaced is None or DRAMA.match(replaced)
    assert replaced != number


def test_a_drama_number_becomes_another() -> None:
    replaced = write(Label.PHONE, "07700 900123")
    assert re.fullmatch(r"07700 900\d{3}", replaced)
    assert replaced != "07700 900123"


def test_a_phone_agrees_in_all_forms() -> None:
    digits = re.sub(r"\D", "", write(Label.PHONE, "0113 278 1234"))
    assert (
        re.sub(r"\D", "", write(Label.PHONE, "+44 113 278 1234")) == "44" + digits[1:]
    )


@given(st.from_regex(r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", fullmatch=True))
def test_nhs_numbers_are_valid_and_of_the_test_range(written: str) -> None:
    replaced = OURS.replace(Label.NHS_NUMBER, written)
    if replaced is None:  # By chance a group of digits stayed the same.
        return
    digits = re.sub(r"\D", "", replaced)
    assert digits.startswith("999")
    assert check_nhs_number(digits)
    assert re.sub(r"\d", "0", replaced) == re.sub(r"\d", "0", written)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("LS1 4AB", r"[A-Z]{2}4\d \d[CKMV]{2}"),
        ("ls14ab", r"[a-z]{2}4\d\d[ckmv]{2}"),
        ("LS1", r"[A-Z]{2}4\d"),
        ("SW1A 1AA", r"[A-Z]{2}4\d \d[CKMV]{2}"),
    ],
)
def test_postcodes_do_not_exist(written: str, form: str) -> None:
    assert re.fullmatch(form, write(Label.POSTCODE, written))


def test_an_outward_code_alone_agrees_with_the_whole() -> None:
    whole = write(Label.POSTCODE, "LS1 4AB")
    assert whole.startswith(write(Label.POSTCODE, "LS1") + " ")


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("RXH1234567", r"[A-Z]{3}99\d{5}"),
        ("AB 12 34 56 C", r"QQ \d\d \d\d \d\d [A-Z]"),
        ("LS12 ABC", r"[A-Z]{2}\d\d [A-Z]{2}Q"),
        ("12/345678", r"\d\d/99\d{4}"),
        ("jt", r"[a-z]{2}"),
    ],
)
def test_ids_keep_their_shape(written: str, form: str) -> None:
    assert re.fullmatch(form, write(Label.ID, written))


def test_emails_and_addresses_of_the_web_reach_nobody() -> None:
    forename, surname = name("comfort agyemang").split()
    email = write(Label.EMAIL, "comfort.agyemang72@mail.test")
    assert re.fullmatch(rf"{forename}\.{surname}\d\d@example\.(com|net|org)", email)
    url = write(Label.URL, "https://www.pages.test/comfort.agyemang")
    assert re.fullmatch(r"https://www\.example\.(com|net|org)/\w{8}", url)
    assert write(Label.URL, "@comfort_a").startswith(f"@{forename}_")


@pytest.mark.parametrize(
    ("label", "written", "form"),
    [
        (Label.ADDRESS, "12b Beech Grove", r"\d\d[a-h] [A-Z][a-z]+ Grove"),
        (Label.ADDRESS, "Flat 3, 14 Beech Grove", r"Flat \d, \d\d [A-Z][a-z]+ Grove"),
        (Label.LOCATION, "Royal Oldham Hospital", r"Royal [A-Z][a-z]+ Hospital"),
        (Label.LOCATION, "leeds", r"[a-z]+"),
        (Label.ORG, "Kettlewell & Sons Ltd", r"[A-Z][a-z]+ & Sons Ltd"),
        (Label.AGE_90_PLUS, "92-year-old", r"90\+"),
    ],
)
def test_places_keep_their_kind(label: Label, written: str, form: str) -> None:
    assert re.fullmatch(form, write(label, written))


def test_dates_have_no_surrogate() -> None:
    assert OURS.replace(Label.DATE, "3 April 2021") is None


def test_what_would_give_away_has_no_surrogate() -> None:
    # A number's writer leaves words; a span that swallowed a name must not keep it.
    assert OURS.replace(Label.PHONE, "Agyemang 07912 345678") is None


@given(st.sampled_from(sorted(Label)), st.text(min_size=1, max_size=40))
@settings(max_examples=300)
def test_a_surrogate_is_repeatable_and_never_the_original(
    label: Label, written: str
) -> None:
    first = OURS.replace(label, written)
    again = Surrogates(KEY, KnownIdentifiers(names=("Comfort Agyemang",)))
    assert again.replace(label, written) == first
    assert first is None or first != written


def test_another_key_gives_other_surrogates() -> None:
    theirs = Surrogates(OTHER_KEY, NOTHING_KNOWN)
    for label, written in (
        (Label.NAME, "Comfort Agyemang"),
        (Label.PHONE, "07912 345678"),
        (Label.NHS_NUMBER, "999 123 4560"),
        (Label.ID, "RXH1234567"),
        (Label.LOCATION, "Oldham"),
    ):
        assert write(label, written) != write(label, written, theirs)


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=50)
def test_every_letter_moves_to_another_and_none_to_the_same(key: bytes) -> None:
    surrogates = Surrogates(key, NOTHING_KNOWN)
    moved = [
        write(Label.NAME, letter, surrogates) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    ]
    assert sorted(moved) == sorted("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert all(a != b for a, b in zip(moved, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", strict=True))
