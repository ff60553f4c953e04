"""A linkage request from asking to opening, over TLS with real tokens."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from pseudo_client import PseudoClientError, ResultUnreadable, open_linkage_result
from pseudo_client.errors import RequestExpired, RequestState
from tests.lib.services.service import RunningService
from tests.lib.values.cohort import make_cohort, make_numbers
from tests.lib.values.linkage_people import PURPOSE, People, invent_pseudonym, vote
from tests.lib.values.trail import read_events, verify_stored_trail

NUMBERS = make_numbers(40_000, 6)


def name_patients(service: RunningService, project: str = "asthma") -> dict[str, str]:
    """Stream the patients through a project; return numbers by pseudonym."""
    answer = service.deidentify(make_cohort(NUMBERS), project)
    return dict(zip(answer["patient"].to_pylist(), NUMBERS, strict=True))


def read_rows(result: object) -> dict[str, dict[str, str]]:
    return {row["subject"]: dict(row) for row in result.rows}  # type: ignore[attr-defined]


def test_patients_are_named_to_the_officer_alone(any_service: RunningService) -> None:
    people = People(service=any_service)
    known = name_patients(any_service)
    wanted = sorted(known)[:3]
    unknown = invent_pseudonym(wanted[0])
    foreign = any_service.pseudonymise(NUMBERS[0], "stroke")
    closed = invent_pseudonym(wanted[0], version=7)
    assert foreign is not None

    asked = people.submit([*wanted, unknown, foreign, closed, wanted[0]])
    assert (asked.state, asked.subject_count) == ("submitted", 6)
    assert asked.requester == asked.redeemer == "local:mara"

    first = vote(people.gwen, asked)
    assert (first.state, len(first.votes)) == ("partially_reviewed", 1)
    seen = people.ravi.get_linkage(asked.request_id)
    assert (seen.linkage.votes, seen.linkage.hidden_votes) == ((), 1)
    assert set(seen.pseudonyms) == {*wanted, unknown, foreign, closed}
    with pytest.raises(RequestState):
        people.mara.redeem_linkage(asked.request_id)

    approved = vote(people.ravi, asked)
    assert approved.state == "approved"
    assert [each.guardian_of for each in approved.votes] == [("asthma",), ()]

    sealed = people.mara.redeem_linkage(asked.request_id)
    assert sealed.released_now
    rows = read_rows(people.open(sealed, asked))
    assert {name: row["outcome"] for name, row in rows.items()} == {
        **dict.fromkeys(wanted, "found"),
        unknown: "unknown",
        foreign: "wrong_project",
        closed: "closed_key_version",
    }
    assert {name: rows[name]["identifier"] for name in wanted} == {
        name: known[name] for name in wanted
    }
    with pytest.raises(ResultUnreadable):
        open_linkage_result(sealed, X25519PrivateKey.generate(), asked.digest)

    again = people.mara.redeem_linkage(asked.request_id)
    assert not again.released_now
    assert again.sealed == sealed.sealed
    kinds = [event["kind"] for event in read_events(any_service.auditor())]
    assert kinds.count("linkage_release_intent") == kinds.count("linkage_released") == 1
    assert kinds.count("linkage_fetched") == 1
    check_that_nobody_is_named(any_service)


def check_that_nobody_is_named(service: RunningService) -> None:
    """Fail if a number stands in the trail; fail if the trail is not sound."""
    trail = json.dumps(read_events(service.auditor()))
    assert not [number for number in NUMBERS if number in trail]
    assert "linkage_submitted" in trail
    assert verify_stored_trail(service.config).findings == ()


def test_pseudonyms_are_translated_and_nobody_is_named(
    any_service: RunningService,
) -> None:
    people = People(service=any_service)
    known = name_patients(any_service)
    theirs = {n: p for p, n in name_patients(any_service, "stroke").items()}
    officer = people.be("mara", "linkage_officer:asthma", "linkage_officer:stroke")
    asked = people.submit(
        sorted(known), client=officer, verb="translate", target_project="stroke"
    )
    noor = people.be("noor", "guardian:stroke")
    assert people.approve(asked).state == "partially_reviewed"  # stroke is not heard
    assert vote(noor, asked).state == "approved"
    result = people.open(officer.redeem_linkage(asked.request_id), asked)
    rows = read_rows(result)
    assert {name: row["pseudonym"] for name, row in rows.items()} == {
        name: theirs[number] for name, number in known.items()
    }
    assert not any("identifier" in row for row in result.rows)
    assert not any(number in repr(result.rows) for number in NUMBERS)
    check_that_nobody_is_named(any_service)


def test_a_person_is_located_for_their_own_request(any_service: RunningService) -> None:
    people = People(service=any_service)
    name_patients(any_service)
    name_patients(any_service, "stroke")
    asked = people.submit(
        verb="locate",
        identifier=NUMBERS[2],
        kind="nhs_number",
        legal_basis="subject_request",
    )
    shown = people.gwen.get_linkage(asked.request_id)
    assert shown.pseudonyms == ()
    assert NUMBERS[2] not in repr(shown)
    people.approve(asked)
    result = people.open(people.mara.redeem_linkage(asked.request_id), asked)
    assert {row["project"] for row in result.rows} == {"asthma", "stroke"}
    assert all(row["operations"] == 1 for row in result.rows)
    assert result.unaccounted_operations == ()
    check_that_nobody_is_named(any_service)


def test_a_released_person_is_traced(service: RunningService) -> None:
    people = People(service=service)
    known = {number: name for name, number in name_patients(service).items()}
    asked = people.ask_and_approve([known[NUMBERS[0]], known[NUMBERS[1]]])
    people.mara.redeem_linkage(asked.request_id)
    stated = {"kind": "nhs_number", "purpose": "a complaint"}
    history = people.gwen.trace_subject(NUMBERS[0], project="asthma", **stated)
    (release,) = history.releases
    assert release.request_id == asked.request_id
    assert (release.redeemer, release.purpose) == ("local:mara", PURPOSE)
    assert history.open_requests == ()
    spaced = f"{NUMBERS[1][:3]} {NUMBERS[1][3:6]} {NUMBERS[1][6:]}"
    assert len(service.auditor().trace_subject(spaced, **stated).releases) == 1
    assert service.auditor().trace_subject(NUMBERS[2], **stated).releases == ()
    check_that_nobody_is_named(service)


def test_an_emergency_is_released_by_one_guardian_and_reviewed_afterwards(
    any_service: RunningService,
) -> None:
    people = People(service=any_service)
    known = name_patients(any_service)
    one = next(iter(known))
    stated = {"mode": "break_glass", "hours": 2, "legal_basis": "vital_interests"}
    asked = people.submit([one], **stated)
    with pytest.raises(PseudoClientError) as caught:
        vote(people.ravi, asked)
    assert caught.value.code == "REVIEW_REFUSED"
    assert vote(people.gwen, asked).state == "approved"
    sealed = people.mara.redeem_linkage(asked.request_id)
    assert read_rows(people.open(sealed, asked))[one]["identifier"] == known[one]
    standing = people.mara.get_linkage(asked.request_id).linkage
    assert standing.state == "awaiting_second_review"
    waiting = list(people.mara.list_linkages("asthma", states=[standing.state]))
    assert [each.request_id for each in waiting] == [asked.request_id]
    for own in (people.gwen, people.mara):
        with pytest.raises(PseudoClientError) as caught:
            vote(own, asked)
        assert caught.value.code == "REVIEW_REFUSED"
    assert vote(people.ravi, asked).state == "released"


def test_a_disputed_emergency_is_handed_out_no_more(service: RunningService) -> None:
    people = People(service=service)
    one = next(iter(name_patients(service)))
    asked = people.submit([one], mode="break_glass", hours=2)
    vote(people.gwen, asked)
    people.mara.redeem_linkage(asked.request_id)
    assert vote(people.ravi, asked, "reject").state == "disputed"
    with pytest.raises(PseudoClientError) as caught:
        people.mara.redeem_linkage(asked.request_id)
    assert caught.value.code in {"GRANT_SPENT", "REQUEST_STATE"}


@pytest.mark.parametrize(
    "changes",
    [{"hours": 5}, {"verb": "translate", "target_project": "stroke"}, {"more": True}],
)
def test_an_emergency_is_one_person_for_four_hours(
    service: RunningService, changes: dict[str, object]
) -> None:
    people = People(service=service)
    wanted = sorted(name_patients(service))[: 2 if changes.pop("more", False) else 1]
    officer = people.be("mara", "linkage_officer:asthma", "linkage_officer:stroke")
    stated = {"mode": "break_glass", "hours": 2, **changes}
    with pytest.raises(PseudoClientError) as caught:
        people.submit(wanted, client=officer, **stated)
    assert caught.value.code == "REQUEST_REFUSED"


def test_a_researcher_s_finding_reaches_an_officer_and_never_the_researcher(
    service: RunningService,
) -> None:
    people = People(service=service)
    known = name_patients(service)
    one = next(iter(known))
    rosa = people.be("rosa", "researcher:asthma")
    with pytest.raises(PseudoClientError) as caught:
        people.submit([one], client=rosa)
    assert caught.value.code == "REQUEST_REFUSED"
    assert "officer" in caught.value.message
    asked = people.submit([one], client=rosa, redeemer="local:mara")
    people.approve(asked)
    assert rosa.get_linkage(asked.request_id).linkage.state == "approved"
    with pytest.raises(PseudoClientError) as caught:
        rosa.redeem_linkage(asked.request_id)
    assert caught.value.code == "ACCESS_DENIED"
    result = people.open(people.mara.redeem_linkage(asked.request_id), asked)
    assert result.rows[0]["identifier"] == known[one]


def test_an_expired_request_releases_nothing_and_keeps_nothing(
    service: RunningService,
) -> None:
    people = People(service=service)
    wanted = sorted(name_patients(service))[:1]
    late = people.ask_and_approve(wanted)
    kept = people.ask_and_approve(wanted)
    people.mara.redeem_linkage(kept.request_id)
    service.clock.advance(hours=25)
    for asked in (late, kept):
        with pytest.raises(RequestExpired):
            people.mara.redeem_linkage(asked.request_id)
    assert people.mara.get_linkage(late.request_id).linkage.state == "expired"
    intents = read_events(service.auditor(), "linkage_release_intent")
    assert [event["operation"] for event in intents] == [kept.request_id]


def test_a_withdrawn_or_rejected_request_releases_nothing(
    service: RunningService,
) -> None:
    people = People(service=service)
    wanted = sorted(name_patients(service))[:1]
    withdrawn, rejected = people.ask_and_approve(wanted), people.submit(wanted)
    people.mara.withdraw_linkage(withdrawn.request_id, reason="not needed any more")
    assert vote(people.gwen, rejected, "reject").state == "partially_reviewed"
    assert vote(people.ravi, rejected).state == "rejected"
    for asked in (withdrawn, rejected):
        with pytest.raises(RequestState):
            people.mara.redeem_linkage(asked.request_id)
    assert read_events(service.auditor(), "linkage_release_intent") == []
    refusals = read_events(service.auditor(), "linkage_refused")
    assert {event["details"]["code"] for event in refusals} == {"REQUEST_STATE"}


def test_a_list_goes_page_by_page_newest_first(service: RunningService) -> None:
    people = People(service=service)
    wanted = sorted(name_patients(service))[:2]
    made = [people.submit(wanted[: 1 + at % 2]).request_id for at in range(3)]
    listed = [each.request_id for each in people.mara.list_linkages("asthma")]
    assert listed == made[::-1]
    (overlap, _) = people.mara.get_linkage(made[0]).overlaps
    assert overlap.shared == 1


def test_an_unreadable_seal_is_not_of_the_request(service: RunningService) -> None:
    people = People(service=service)
    first, second = sorted(name_patients(service))[:2]
    one, other = people.ask_and_approve([first]), people.ask_and_approve([second])
    sealed = people.mara.redeem_linkage(one.request_id)
    people.mara.redeem_linkage(other.request_id)
    moved = replace(sealed, request_id=other.request_id, digest=other.digest)
    with pytest.raises(ResultUnreadable):
        people.open(moved, other)
