"""Who may not ask, see, review, redeem or trace; and what may not be asked."""

from collections.abc import Callable

import grpc
import pytest

from pseudo_client import Client, Linkage, PseudoClientError
from pseudo_client.errors import ReviewRefused
from pseudo_service.api.v1 import linkage_pb2 as pb
from pseudo_service.api.v1.linkage_pb2_grpc import LinkageServiceStub
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import make_cohort, make_numbers
from tests.lib.values.linkage_people import People, vote
from tests.lib.values.trail import read_events

NUMBERS = make_numbers(41_000, 3)
STRANGERS = {
    "custodian": ("custodian",),
    "pipeline": ("pipeline:asthma",),
    "officer of another project": ("linkage_officer:stroke",),
    "guardian of another project": ("guardian:stroke",),
    "researcher of another project": ("researcher:stroke",),
    "nobody": (),
}
every_stranger = pytest.mark.parametrize("roles", STRANGERS.values(), ids=STRANGERS)


@pytest.fixture(scope="module")
def people(shared_service: RunningService) -> People:
    return People(service=shared_service)


@pytest.fixture(scope="module")
def wanted(people: People) -> list[str]:
    answer = people.service.deidentify(make_cohort(NUMBERS))
    found: list[str] = sorted(answer["patient"].to_pylist())
    return found


@pytest.fixture(scope="module")
def approved(people: People, wanted: list[str]) -> Linkage:
    return people.ask_and_approve(wanted)


def read_code(call: Callable[[], object]) -> str:
    with pytest.raises(PseudoClientError) as caught:
        call()
    assert not [number for number in NUMBERS if number in caught.value.message]
    return caught.value.code


@every_stranger
def test_strangers_cannot_ask(
    people: People, wanted: list[str], roles: tuple[str, ...]
) -> None:
    client = people.be("stranger", *roles)
    assert read_code(lambda: people.submit(wanted, client=client)) == "ACCESS_DENIED"


@every_stranger
def test_strangers_do_not_even_learn_that_a_request_exists(
    people: People, approved: Linkage, roles: tuple[str, ...]
) -> None:
    client = people.be("stranger", *roles)
    for call in (
        lambda: client.get_linkage(approved.request_id),
        lambda: vote(client, approved),
        lambda: client.withdraw_linkage(approved.request_id, reason="a prank"),
        lambda: client.redeem_linkage(approved.request_id),
    ):
        assert read_code(call) == "REQUEST_UNKNOWN"
    assert read_code(lambda: client.get_linkage("ff" * 16)) == "REQUEST_UNKNOWN"
    assert read_code(lambda: list(client.list_linkages("asthma"))) == "ACCESS_DENIED"


@every_stranger
def test_strangers_trace_nobody(people: People, roles: tuple[str, ...]) -> None:
    client = people.be("stranger", *roles)
    code = read_code(
        lambda: client.trace_subject(
            NUMBERS[0], kind="nhs_number", purpose="a look", project="asthma"
        )
    )
    assert code == "ACCESS_DENIED"


@pytest.mark.parametrize(
    "roles", [("guardian:asthma",), ("auditor",), ("researcher:asthma",)], ids=str
)
def test_to_locate_a_person_takes_an_officer(
    people: People, roles: tuple[str, ...]
) -> None:
    stated = {
        "verb": "locate",
        "identifier": NUMBERS[0],
        "kind": "nhs_number",
        "legal_basis": "subject_request",
        "redeemer": "local:mara",
    }
    client = people.be("other", *roles)
    assert read_code(lambda: people.submit(client=client, **stated)) == "ACCESS_DENIED"


@pytest.mark.parametrize(
    ("person", "roles", "code"),
    [
        ("ravi", ("linkage_officer:asthma",), "ACCESS_DENIED"),
        ("gwen", ("guardian:asthma", "linkage_officer:asthma"), "ACCESS_DENIED"),
        ("mara", ("researcher:asthma",), "ACCESS_DENIED"),
        ("mara", ("guardian:asthma",), "ACCESS_DENIED"),
        ("ada", ("auditor",), "ACCESS_DENIED"),
        ("mara", ("linkage_officer:stroke",), "REQUEST_UNKNOWN"),
    ],
)
def test_only_the_named_officer_redeems(
    people: People, approved: Linkage, person: str, roles: tuple[str, ...], code: str
) -> None:
    client = people.be(person, *roles)
    assert read_code(lambda: client.redeem_linkage(approved.request_id)) == code


def test_refused_redeems_are_on_record(people: People, approved: Linkage) -> None:
    read_code(lambda: people.ravi.redeem_linkage(approved.request_id))
    events = read_events(people.service.auditor(), "linkage_refused")
    mine = [each for each in events if each["actor"] == "local:ravi"]
    assert mine
    assert {each["operation"] for each in mine} == {approved.request_id}
    assert {each["details"]["code"] for each in mine} == {"ACCESS_DENIED"}


@pytest.mark.parametrize("asker", ["officer", "researcher"])
def test_nobody_reviews_their_own_or_what_they_will_redeem(
    people: People, wanted: list[str], asker: str
) -> None:
    requester = people.be(
        "rosa", f"{asker.replace('officer', 'linkage_officer')}:asthma"
    )
    asked = people.submit(wanted, client=requester, redeemer="local:mara")
    both = ("guardian:asthma", "linkage_officer:asthma")
    for own in (people.be("rosa", *both), people.be("mara", *both)):
        with pytest.raises(ReviewRefused):
            vote(own, asked)
    vote(people.gwen, asked)
    with pytest.raises(ReviewRefused):
        vote(people.gwen, asked)
    assert people.mara.get_linkage(asked.request_id).linkage.hidden_votes == 1


def test_two_officers_do_not_replace_a_guardian(
    people: People, wanted: list[str]
) -> None:
    asked = people.submit(wanted)
    olek = people.be("olek", "linkage_officer:asthma")
    guardian_elsewhere = people.be("noor", "guardian:stroke", "linkage_officer:asthma")
    assert people.approve(asked, people.ravi, olek).state == "partially_reviewed"
    assert vote(guardian_elsewhere, asked).state == "partially_reviewed"
    assert read_code(lambda: people.mara.redeem_linkage(asked.request_id)) == (
        "REQUEST_STATE"
    )
    assert vote(people.gwen, asked).state == "approved"


@pytest.mark.parametrize("roles", [("auditor",), ("researcher:asthma",)], ids=str)
def test_to_see_is_not_to_review(
    people: People, wanted: list[str], roles: tuple[str, ...]
) -> None:
    asked = people.submit(wanted)
    client = people.be("seer", *roles)
    assert client.get_linkage(asked.request_id).linkage.digest == asked.digest
    assert read_code(lambda: vote(client, asked)) == "ACCESS_DENIED"


def test_a_review_of_something_else_is_refused(
    people: People, wanted: list[str]
) -> None:
    one, other = people.submit(wanted[:1]), people.submit(wanted)
    for digest in (other.digest, b"", bytes(32)):
        with pytest.raises(ReviewRefused):
            vote(people.gwen, one, digest=digest)


def test_only_the_requester_withdraws(people: People, wanted: list[str]) -> None:
    asked = people.submit(wanted)
    for other in (people.gwen, people.ravi):
        code = read_code(
            lambda c=other: c.withdraw_linkage(asked.request_id, reason="not mine")
        )
        assert code == "ACCESS_DENIED"


WRONG: dict[str, dict[str, object]] = {
    "no pseudonym": {"pseudonyms": []},
    "an identifier as well": {"identifier": NUMBERS[0], "kind": "nhs_number"},
    "a number for a pseudonym": {"pseudonyms": [NUMBERS[0]]},
    "no consent": {"consent_reference": ""},
    "a number in the consent": {"consent_reference": f"letter of {NUMBERS[0]}"},
    "a key that shares no secret": {"recipient_key": bytes(32)},
    "half a key": {"recipient_key": b"\x09" * 16},
    "too short": {"hours": 0.5},
    "too long": {"hours": 31 * 24},
    "a target without a translation": {"target_project": "stroke"},
    "a translation without a target": {"verb": "translate"},
    "a translation into itself": {"verb": "translate", "target_project": "asthma"},
    "a redeemer of two lines": {"redeemer": "local:\nmara"},
    "to locate by pseudonym": {"verb": "locate", "legal_basis": "subject_request"},
    "to locate by a wrong number": {
        "verb": "locate",
        "pseudonyms": [],
        "legal_basis": "subject_request",
        "identifier": NUMBERS[0][::-1],
        "kind": "nhs_number",
    },
    "to locate for research": {
        "verb": "locate",
        "pseudonyms": [],
        "identifier": NUMBERS[0],
        "kind": "nhs_number",
    },
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_what_may_not_be_asked_is_refused_before_anybody_sees_it(
    people: People, wanted: list[str], changes: dict[str, object]
) -> None:
    before = len(list(people.mara.list_linkages("asthma")))
    stated = {"pseudonyms": wanted, **changes}
    assert read_code(lambda: people.submit(**stated)) == "REQUEST_REFUSED"
    assert len(list(people.mara.list_linkages("asthma"))) == before


@pytest.mark.parametrize("purpose", ["", f"look up {NUMBERS[0]}"])
def test_a_purpose_is_stated_and_names_nobody(
    people: People, wanted: list[str], purpose: str
) -> None:
    code = read_code(lambda: people.submit(wanted, purpose=purpose))
    assert code == "PURPOSE_MISSING"


def test_a_reason_names_nobody(people: People, wanted: list[str]) -> None:
    asked = people.submit(wanted)
    code = read_code(
        lambda: vote(people.gwen, asked, reason=f"it is patient {NUMBERS[0]}")
    )
    assert code == "REQUEST_REFUSED"


def test_a_cursor_is_of_use_to_its_caller_only(
    people: People, wanted: list[str]
) -> None:
    for _ in range(2):
        people.submit(wanted)
    stub = LinkageServiceStub(people.service.channel())

    def list_as(person: str, cursor: bytes) -> pb.ListLinkagesResponse:
        token = people.service.issue("linkage_officer:asthma", subject=person)
        request = pb.ListLinkagesRequest(project="asthma", page_size=1, cursor=cursor)
        metadata = (("authorization", f"Bearer {token}"),)
        return stub.ListLinkages(request, metadata=metadata, timeout=10)

    cursor = list_as("mara", b"").next_cursor
    assert list_as("mara", cursor).linkages
    for person, given in (("ravi", cursor), ("mara", cursor[:-1] + b"x")):
        with pytest.raises(grpc.RpcError) as caught:
            list_as(person, given)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_client_of_one_project_is_no_client_of_two(
    people: People, wanted: list[str]
) -> None:
    """A translation is seen by the target's people, without what is asked for."""
    officer = people.be("mara", "linkage_officer:asthma", "linkage_officer:stroke")
    asked = people.submit(
        wanted, client=officer, verb="translate", target_project="stroke"
    )
    noor: Client = people.be("noor", "guardian:stroke")
    assert noor.get_linkage(asked.request_id).pseudonyms == tuple(wanted)
    researcher = people.be("rene", "researcher:stroke")
    assert researcher.get_linkage(asked.request_id).pseudonyms == ()
