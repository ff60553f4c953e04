"""A request's terms as fields, and the digest over all that it states."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.linkage.request import (
    TERM_NAMES,
    LegalBasis,
    LinkageMode,
    LinkageRequest,
    LinkageTerms,
    LinkageVerb,
    terms_from_fields,
    terms_to_fields,
)
from tests.lib.values.linkage_requests import (
    SUBMITTED_AT,
    build_request,
    replace_request,
)

REQUEST = build_request()
OTHERS = {
    "verb": LinkageVerb.TRANSLATE,
    "mode": LinkageMode.BREAK_GLASS,
    "project": "other",
    "target_project": "stroke",
    "purpose": "another",
    "legal_basis": LegalBasis.COURT_ORDER,
    "consent_reference": "another letter",
    "recipient_key": b"\x09" * 32,
    "redeemer": "another",
    "expires_at": SUBMITTED_AT + timedelta(days=3),
    "request_id": "0" * 32,
    "requester": "another",
    "submitted_at": SUBMITTED_AT + timedelta(microseconds=1),
    "subjects": (*REQUEST.subjects, "ABCD-N1"),
}
terms = st.builds(
    LinkageTerms,
    verb=st.sampled_from(LinkageVerb),
    mode=st.sampled_from(LinkageMode),
    project=st.text(),
    target_project=st.text(),
    purpose=st.text(),
    legal_basis=st.sampled_from(LegalBasis),
    consent_reference=st.text(),
    recipient_key=st.binary(max_size=40),
    redeemer=st.text(),
    expires_at=st.datetimes(timezones=st.just(UTC)),
)


def test_the_codec_is_total() -> None:
    names = {term.name for term in fields(LinkageTerms)}
    written = terms_to_fields(REQUEST.terms)
    assert set(TERM_NAMES) == names == set(written)
    assert all(type(text) is str for text in written.values())


@given(terms)
def test_terms_come_back_from_their_fields(stated: LinkageTerms) -> None:
    assert terms_from_fields(terms_to_fields(stated)) == stated


@pytest.mark.parametrize("name", TERM_NAMES)
def test_each_term_has_a_field_of_its_own(name: str) -> None:
    changed = replace_request(REQUEST, **{name: OTHERS[name]}).terms
    before, after = terms_to_fields(REQUEST.terms), terms_to_fields(changed)
    assert [field for field in before if before[field] != after[field]] == [name]


def test_a_value_of_plain_texts_is_written_alike() -> None:
    received = SimpleNamespace(
        **{name: getattr(REQUEST.terms, name) for name in TERM_NAMES}
    )
    received.verb, received.mode = "reidentify", "routine"
    received.legal_basis = "direct_care"
    assert terms_to_fields(received) == terms_to_fields(REQUEST.terms)


@pytest.mark.parametrize("name", TERM_NAMES)
def test_a_missing_term_is_refused(name: str) -> None:
    written = terms_to_fields(REQUEST.terms)
    del written[name]
    with pytest.raises(KeyError, match=name):
        terms_from_fields(written)


@pytest.mark.parametrize(
    "name", ["verb", "mode", "legal_basis", "recipient_key", "expires_at"]
)
def test_a_term_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        terms_from_fields({**terms_to_fields(REQUEST.terms), name: "unheard of"})


def test_the_digest_covers_every_field() -> None:
    stated = {field.name for field in fields(LinkageRequest)} - {"terms"}
    assert set(OTHERS) == {*TERM_NAMES, *stated}
    digests = {replace_request(REQUEST, **{n: v}).digest() for n, v in OTHERS.items()}
    assert len(digests | {REQUEST.digest()}) == len(OTHERS) + 1


def test_the_digest_is_of_the_moment_as_it_is_written() -> None:
    summer = timezone(timedelta(hours=1))
    same = replace_request(REQUEST, submitted_at=SUBMITTED_AT.astimezone(summer))
    assert same == REQUEST
    assert same.digest() != REQUEST.digest()


def test_a_translation_concerns_two_projects() -> None:
    assert REQUEST.terms.projects == ("asthma",)
    both = replace_request(REQUEST, target_project="stroke").terms
    assert both.projects == ("asthma", "stroke")


def test_a_request_shows_no_subject() -> None:
    assert REQUEST.subjects[0] not in repr(REQUEST)
    assert isinstance(REQUEST.terms.expires_at, datetime)
