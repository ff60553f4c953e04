"""Somebody writes to the database: votes, rows, pseudonyms. Nothing is released."""

import contextlib
import hashlib
import json
from collections.abc import Callable

import pytest
import sqlalchemy

from pseudo_client import Linkage, PseudoClientError
from pseudo_service.adapters.sql import schema
from pseudo_service.core.audit.events import hash_event
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import make_cohort, make_numbers
from tests.lib.values.linkage_people import People, set_state, vote, write_to_database
from tests.lib.values.trail import read_stored_events

NUMBERS = make_numbers(42_000, 4)
EVENTS = schema.audit_events


@pytest.fixture
def people(any_service: RunningService) -> People:
    return People(service=any_service)


@pytest.fixture
def wanted(people: People) -> list[str]:
    answer = people.service.deidentify(make_cohort(NUMBERS))
    found: list[str] = sorted(answer["patient"].to_pylist())
    return found


def check_that_nothing_is_released(
    people: People, asked: Linkage, code: str = "GRANT_REFUSED"
) -> None:
    with pytest.raises(PseudoClientError) as caught:
        people.mara.redeem_linkage(asked.request_id)
    assert caught.value.code == code
    kinds = [
        event["kind"]
        for event in read_stored_events(people.service.config)
        if event["operation"] == asked.request_id
    ]
    assert "linkage_release_intent" not in kinds
    assert kinds.count("linkage_refused") == 1


def append_event(people: People, body: str) -> None:
    """Append to the longest chain, rightly hashed, as only a writer could."""
    with write_to_database(people.service) as connection:
        chain, sequence, previous = connection.execute(
            sqlalchemy.select(EVENTS.c.chain, EVENTS.c.sequence, EVENTS.c.digest)
            .order_by(EVENTS.c.sequence.desc())
            .limit(1)
        ).one()
        connection.execute(
            EVENTS.insert().values(
                chain=chain,
                sequence=sequence + 1,
                body=body,
                previous=previous,
                digest=hash_event(chain, sequence + 1, previous, body),
            )
        )


def read_bodies(people: People, asked: Linkage, kind: str) -> list[str]:
    with write_to_database(people.service) as connection:
        bodies = connection.execute(sqlalchemy.select(EVENTS.c.body)).scalars().all()
    return [
        body
        for body in bodies
        if json.loads(body)["operation"] == asked.request_id
        and json.loads(body)["kind"] == kind
    ]


def test_a_state_is_believed_by_nobody(people: People, wanted: list[str]) -> None:
    asked = people.submit(wanted[:1])
    set_state(people.service, asked, "approved")
    check_that_nothing_is_released(people, asked)


def test_one_vote_and_a_written_state_are_not_two(
    people: People, wanted: list[str]
) -> None:
    asked = people.submit(wanted[:1])
    vote(people.gwen, asked)
    set_state(people.service, asked, "approved")
    check_that_nothing_is_released(people, asked)


def forge_reviewer(body: str) -> str:
    """Return another person's vote, with the seal of the one that was cast."""
    event = json.loads(body)
    event["actor"] = "local:ravi"
    return json.dumps(event, sort_keys=True, separators=(",", ":"))


def forge_seal(body: str) -> str:
    """Return the same with a seal made up."""
    event = json.loads(forge_reviewer(body))
    seal = hashlib.sha256(body.encode()).hexdigest()
    event["details"]["seal"] = seal
    event["details"]["step"] = 3
    return json.dumps(event, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize("forge", [forge_reviewer, forge_seal, str])
def test_a_vote_that_somebody_writes_is_found_out(
    people: People, wanted: list[str], forge: Callable[[str], str]
) -> None:
    asked = people.submit(wanted[:1])
    vote(people.gwen, asked)
    (body,) = read_bodies(people, asked, "linkage_reviewed")
    append_event(people, forge(body))
    set_state(people.service, asked, "approved")
    check_that_nothing_is_released(people, asked)


def test_a_vote_of_another_request_counts_for_that_one_only(
    people: People, wanted: list[str]
) -> None:
    asked, other = people.submit(wanted[:1]), people.submit(wanted[:1])
    vote(people.gwen, asked)
    people.approve(other)
    for body in read_bodies(people, other, "linkage_reviewed"):
        moved = body.replace(other.request_id, asked.request_id)
        append_event(people, moved.replace(other.digest.hex(), asked.digest.hex()))
    set_state(people.service, asked, "approved")
    check_that_nothing_is_released(people, asked)


def test_a_vote_against_cannot_be_taken_out(people: People, wanted: list[str]) -> None:
    asked = people.submit(wanted[:1])
    vote(people.gwen, asked)
    vote(people.be("olek", "linkage_officer:asthma"), asked, "reject")
    (against,) = [
        body
        for body in read_bodies(people, asked, "linkage_reviewed")
        if '"reject"' in body
    ]
    with write_to_database(people.service) as connection:
        connection.execute(
            EVENTS.update()
            .where(EVENTS.c.body == against)
            .values(body=against.replace('"reject"', '"approve"'))
        )
    set_state(people.service, asked, "approved")
    check_that_nothing_is_released(people, asked)


def test_one_swapped_pseudonym_releases_nothing(
    people: People, wanted: list[str]
) -> None:
    asked = people.ask_and_approve(wanted[:2])
    subjects = schema.linkage_subjects
    with write_to_database(people.service) as connection:
        connection.execute(
            subjects.update()
            .where(subjects.c.subject == wanted[0])
            .values(subject=wanted[3])
        )
    check_that_nothing_is_released(people, asked)


@pytest.mark.parametrize(
    "edit",
    [
        {"recipient_key": b"\x09" + bytes(31)},
        {"purpose": "another"},
        {"requester": "local:nobody"},
        {"legal_basis": "section_251"},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_an_edited_request_releases_nothing(
    people: People, wanted: list[str], edit: dict[str, object]
) -> None:
    asked = people.ask_and_approve(wanted[:1])
    requests = schema.linkage_requests
    with write_to_database(people.service) as connection:
        connection.execute(
            requests.update()
            .where(requests.c.request_id == asked.request_id)
            .values(**edit)
        )
    check_that_nothing_is_released(people, asked)


def test_an_edited_redeemer_gets_nothing(people: People, wanted: list[str]) -> None:
    asked = people.ask_and_approve(wanted[:1])
    requests = schema.linkage_requests
    with write_to_database(people.service) as connection:
        connection.execute(
            requests.update()
            .where(requests.c.request_id == asked.request_id)
            .values(redeemer="local:ravi")
        )
    with pytest.raises(PseudoClientError) as caught:
        people.ravi.redeem_linkage(asked.request_id)
    assert caught.value.code == "GRANT_REFUSED"
    check_that_nothing_is_released_to_mara(people, asked)


def check_that_nothing_is_released_to_mara(people: People, asked: Linkage) -> None:
    with pytest.raises(PseudoClientError) as caught:
        people.mara.redeem_linkage(asked.request_id)
    assert caught.value.code == "ACCESS_DENIED"


def test_a_state_set_back_releases_no_second_time(
    people: People, wanted: list[str]
) -> None:
    """A replay: released, then made to look approved, its result taken away."""
    asked = people.ask_and_approve(wanted[:1])
    people.mara.redeem_linkage(asked.request_id)
    results = schema.linkage_results
    with write_to_database(people.service) as connection:
        connection.execute(
            results.delete().where(results.c.request_id == asked.request_id)
        )
    set_state(people.service, asked, "approved")
    with pytest.raises(PseudoClientError) as caught:
        people.mara.redeem_linkage(asked.request_id)
    assert caught.value.code in {"GRANT_REFUSED", "GRANT_SPENT"}
    kinds = [e["kind"] for e in read_stored_events(people.service.config)]
    assert kinds.count("linkage_release_intent") == 1


def test_a_vote_cannot_be_removed_once_it_is_anchored(
    people: People, wanted: list[str]
) -> None:
    """The end of the chain is cut off in the database; the archive remembers it."""
    asked = people.submit(wanted[:1])
    vote(people.gwen, asked)
    vote(people.be("olek", "linkage_officer:asthma"), asked, "reject")
    (against,) = [
        body
        for body in read_bodies(people, asked, "linkage_reviewed")
        if '"reject"' in body
    ]
    with write_to_database(people.service) as connection:
        chain, sequence = connection.execute(
            sqlalchemy.select(EVENTS.c.chain, EVENTS.c.sequence).where(
                EVENTS.c.body == against
            )
        ).one()
        connection.execute(
            EVENTS.delete().where(
                EVENTS.c.chain == chain, EVENTS.c.sequence >= sequence
            )
        )
    set_state(people.service, asked, "partially_reviewed")
    with contextlib.suppress(PseudoClientError):
        vote(people.ravi, asked)
    set_state(people.service, asked, "approved")
    check_that_nothing_is_released(people, asked)
