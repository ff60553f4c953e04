"""Which columns a note may repeat, and as what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.policies.column_profiling import ColumnProfile, Content
from pseudo_service.core.policies.known_columns import infer_known_kind
from pseudo_service.core.redaction import KnownKind

DIRECT = ColumnProfile(content=Content.DIRECT)
BY_CONTENT = {
    Content.NHS_NUMBER: KnownKind.NUMBERS,
    Content.LOCAL_ID: KnownKind.NUMBERS,
    Content.BIRTH_DATE: KnownKind.DATES,
    Content.POSTCODE: KnownKind.POSTCODES,
}
SAYING_NOTHING = set(Content) - set(BY_CONTENT) - {Content.DIRECT}


@pytest.mark.parametrize(("content", "kind"), BY_CONTENT.items())
@pytest.mark.parametrize("name", ["x", "surname", "email"])
def test_what_the_values_are_goes_before_what_the_name_says(name, content, kind):
    assert infer_known_kind(name, ColumnProfile(content=content)) is kind


@given(st.sampled_from(sorted(SAYING_NOTHING)), st.sampled_from(["surname", "mrn"]))
def test_other_contents_are_known_by_no_name(content, name):
    assert infer_known_kind(name, ColumnProfile(content=content)) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Surname", KnownKind.NAMES),
        ("patientForename", KnownKind.NAMES),
        ("MAIDEN_NAME", KnownKind.NAMES),
        ("nok_name", KnownKind.PEOPLE),
        ("consultant", KnownKind.PEOPLE),
        ("gpName", KnownKind.PEOPLE),
        ("home_telephone", KnownKind.PHONES),
        ("nok phone", KnownKind.PHONES),
        ("surgery_fax", KnownKind.PHONES),
        ("email_address", KnownKind.EMAILS),
        ("address_postcode", KnownKind.POSTCODES),
        ("address_line_1", KnownKind.ADDRESSES),
        ("house_number", KnownKind.ADDRESSES),
        ("passport_no", KnownKind.NUMBERS),
        ("consultant_gmc", KnownKind.NUMBERS),
    ],
)
def test_a_direct_identifier_is_known_as_its_name_says(name, kind):
    assert infer_known_kind(name, DIRECT) is kind


@pytest.mark.parametrize("name", ["gp_practice", "gpSurgery", "consultant_code"])
def test_the_code_of_a_practice_or_person_is_a_number_not_a_name(name):
    assert infer_known_kind(name, DIRECT) is KnownKind.NUMBERS


@pytest.mark.parametrize("name", ["contact", "latitude", "username", ""])
def test_a_name_that_says_no_kind_is_known_as_none(name):
    assert infer_known_kind(name, DIRECT) is None


@pytest.mark.parametrize("name", ["notelephonist", "renamed", "idle", "mailbox"])
def test_only_whole_words_of_a_name_count(name):
    assert infer_known_kind(name, DIRECT) is None
