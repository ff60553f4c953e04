"""A sealed result opens for its officer and its request, and for nothing else."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from pseudo_client import ResultUnreadable, SealedResult, open_linkage_result
from pseudo_client.linkage_results import FORMAT
from pseudo_service.core.disclosures.disclosure import DisclosureUse
from pseudo_service.core.disclosures.location import ProjectLocation
from pseudo_service.core.linkage.request import LinkageOutcome, LinkageVerb
from pseudo_service.core.linkage.results import (
    RESULT_FORMAT,
    encode_answers,
    encode_location,
    seal_result,
)
from tests.lib.services.fake_desk import NOON, PSEUDONYMS, FakeDesk, make_request
from tests.lib.values.linkage_requests import replace_request

KEY = X25519PrivateKey.generate()
REQUEST = make_request(KEY)
NUMBER = "9990000018"


def deliver(sealed: bytes, **changes: object) -> SealedResult:
    usual = SealedResult(
        request_id=REQUEST.request_id,
        digest=REQUEST.digest(),
        sealed=sealed,
        available_until=REQUEST.terms.expires_at,
        released_now=True,
    )
    return replace(usual, **changes)


def test_the_service_seals_what_the_client_opens() -> None:
    result = open_linkage_result(deliver(FakeDesk(REQUEST).seal()), KEY)
    assert FORMAT == RESULT_FORMAT
    assert result.request_id == REQUEST.request_id
    assert result.digest == REQUEST.digest()
    assert (result.verb, result.project, result.target_project) == (
        "reidentify",
        "asthma",
        "",
    )
    assert result.released_at == NOON
    assert result.rows == (
        {
            "subject": PSEUDONYMS[0],
            "outcome": LinkageOutcome.FOUND.value,
            "kind": "nhs_number",
            "identifier": NUMBER,
        },
        {"subject": PSEUDONYMS[1], "outcome": LinkageOutcome.UNKNOWN.value},
    )
    assert NUMBER not in repr(result)


def test_a_location_opens() -> None:
    request = replace_request(
        REQUEST, verb=LinkageVerb.LOCATE, subjects=("nhs_number:00",)
    )
    row = ProjectLocation(
        project="stroke",
        use=DisclosureUse.PSEUDONYM,
        key_version=2,
        operations=3,
        first=NOON,
        last=NOON + timedelta(days=1),
    )
    plain = encode_location(request, [row], unaccounted=["op-1"], released_at=NOON)
    sealed = seal_result(request, plain)
    delivered = deliver(sealed, digest=request.digest())
    result = open_linkage_result(delivered, KEY, request.digest())
    assert result.rows[0]["project"] == "stroke"
    assert (result.rows[0]["operations"], result.rows[0]["key_version"]) == (3, 2)
    assert result.unaccounted_operations == ("op-1",)


def test_only_the_officer_s_key_opens_it() -> None:
    sealed = FakeDesk(REQUEST).seal()
    with pytest.raises(ResultUnreadable, match="another private key"):
        open_linkage_result(deliver(sealed), X25519PrivateKey.generate())


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_changed_result_does_not_open(place: int) -> None:
    sealed = bytearray(FakeDesk(REQUEST).seal())
    sealed[place] ^= 1
    with pytest.raises(ResultUnreadable):
        open_linkage_result(deliver(bytes(sealed)), KEY)


@pytest.mark.parametrize("length", [0, 1, 31, 48])
def test_a_cut_result_does_not_open(length: int) -> None:
    with pytest.raises(ResultUnreadable):
        open_linkage_result(deliver(FakeDesk(REQUEST).seal()[:length]), KEY)


def test_an_answer_to_another_request_does_not_open() -> None:
    other = make_request(KEY, purpose="something else")
    sealed = FakeDesk(other).seal()
    with pytest.raises(ResultUnreadable):
        open_linkage_result(deliver(sealed), KEY)
    announced = deliver(sealed, digest=other.digest())
    assert open_linkage_result(announced, KEY).digest == other.digest()
    with pytest.raises(ResultUnreadable):
        open_linkage_result(announced, KEY, REQUEST.digest())


def test_what_is_inside_must_be_the_request_too() -> None:
    plain = encode_answers(make_request(KEY, request_id="77aa"), [], released_at=NOON)
    with pytest.raises(ResultUnreadable, match="another request"):
        open_linkage_result(deliver(seal_result(REQUEST, plain)), KEY)


@pytest.mark.parametrize(
    "change",
    [{"format": "pseudo/linkage-result/v2"}, {"rows": None}, {"digest": "zz"}],
)
def test_another_form_is_not_guessed_at(change: dict[str, object]) -> None:
    plain = json.loads(encode_answers(REQUEST, [], released_at=NOON))
    sealed = seal_result(REQUEST, json.dumps({**plain, **change}).encode())
    with pytest.raises(ResultUnreadable, match="form") as caught:
        open_linkage_result(deliver(sealed), KEY)
    assert caught.value.code == "RESULT_UNREADABLE"
