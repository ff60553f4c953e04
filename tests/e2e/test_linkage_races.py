"""Many redeem at once, on one server and on two; a release is cut off in the middle."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pseudo_client import Linkage, PseudoClientError, SealedResult
from pseudo_service.core.errors import StoreUnavailable
from pseudo_service.engine.register.opening import RegisterOpening
from tests.e2e.test_together import meet
from tests.lib.services.service import OpenService, RunningService
from tests.lib.values.cohort import make_cohort, make_numbers
from tests.lib.values.linkage_people import People, vote
from tests.lib.values.trail import read_events, verify_stored_trail

NUMBERS = make_numbers(43_000, 40)
RACERS = 8


def name_patients(service: RunningService) -> list[str]:
    answer = service.deidentify(make_cohort(NUMBERS))
    found: list[str] = answer["patient"].to_pylist()
    return found


def check_one_release(
    people: People, asked: Linkage, outcomes: Sequence[SealedResult | PseudoClientError]
) -> None:
    """Fail unless it was released once, and every answer is that one's or a refusal."""
    sealed = [each for each in outcomes if isinstance(each, SealedResult)]
    refused = [each for each in outcomes if isinstance(each, PseudoClientError)]
    for each in refused:
        # Whoever reads the trail after the winner's intent finds that intent there.
        late = "holds a release" in each.message
        assert (each.code, late) in {("GRANT_SPENT", False), ("GRANT_REFUSED", True)}
    assert sum(each.released_now for each in sealed) == 1
    assert len({each.sealed for each in sealed}) == 1
    counts = Counter(
        event["kind"]
        for event in read_events(people.service.auditor())
        if event["operation"] == asked.request_id
    )
    assert counts["linkage_release_intent"] == counts["linkage_released"] == 1
    late = people.mara.redeem_linkage(asked.request_id)
    assert (late.released_now, late.sealed) == (False, sealed[0].sealed)
    rows = people.open(late, asked).rows
    assert sorted(row["identifier"] for row in rows) == sorted(NUMBERS)
    assert verify_stored_trail(people.service.config).findings == ()


def redeem(people: People, asked: Linkage) -> Callable[[], SealedResult]:
    client = people.mara
    return lambda: client.redeem_linkage(asked.request_id)


def test_eight_redeem_at_once(any_service: RunningService) -> None:
    people = People(service=any_service)
    asked = people.ask_and_approve(name_patients(any_service))
    outcomes = meet(*[redeem(people, asked) for _ in range(RACERS)])
    check_one_release(people, asked, outcomes)


def test_two_servers_redeem_at_once(
    open_service: OpenService, postgres_url: str
) -> None:
    one, other = (open_service(database={"url": postgres_url}) for _ in range(2))
    one.create_project("asthma")
    people = People(service=one)
    asked = people.ask_and_approve(name_patients(one))
    elsewhere = People(service=one, key=people.key, on=other)
    racers = [redeem(each, asked) for each in (people, elsewhere) * (RACERS // 2)]
    check_one_release(people, asked, meet(*racers))


def test_a_review_on_one_server_counts_on_the_other(
    open_service: OpenService, postgres_url: str
) -> None:
    one, other = (open_service(database={"url": postgres_url}) for _ in range(2))
    one.create_project("asthma")
    people = People(service=one)
    asked = people.submit(name_patients(one)[:1])
    vote(people.gwen, asked)
    elsewhere = People(service=one, key=people.key, on=other)
    assert vote(elsewhere.ravi, asked).state == "approved"
    sealed = people.mara.redeem_linkage(asked.request_id)
    assert len(people.open(sealed, asked).rows) == 1
    assert elsewhere.mara.redeem_linkage(asked.request_id).sealed == sealed.sealed


def test_two_reviewers_vote_at_once(any_service: RunningService) -> None:
    """Neither vote is lost, and the second decides."""
    people = People(service=any_service)
    asked = people.submit(name_patients(any_service)[:1])
    voters = (people.gwen, people.ravi)
    outcomes = meet(*[lambda v=v: vote(v, asked) for v in voters])
    assert all(isinstance(each, Linkage) for each in outcomes), outcomes
    standing = people.mara.get_linkage(asked.request_id).linkage
    assert standing.state == "approved"
    assert {each.reviewer for each in standing.votes} == {"local:gwen", "local:ravi"}
    assert people.mara.redeem_linkage(asked.request_id).released_now


def test_a_withdrawal_and_a_release_do_not_both_happen(
    any_service: RunningService,
) -> None:
    people = People(service=any_service)
    asked = people.ask_and_approve(name_patients(any_service)[:1])
    withdrawing = people.mara
    released, withdrawn = meet(
        redeem(people, asked),
        lambda: withdrawing.withdraw_linkage(asked.request_id, reason="not needed"),
    )
    assert isinstance(released, SealedResult) != isinstance(withdrawn, Linkage)
    kinds = Counter(event["kind"] for event in read_events(any_service.auditor()))
    assert kinds["linkage_released"] + kinds["linkage_withdrawn"] == 1


def test_a_release_that_is_cut_off_is_spent_and_on_record(
    any_service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The intent is durable, the register fails to open: nobody knows what was seen."""
    people = People(service=any_service)
    wanted = name_patients(any_service)[:2]
    asked = people.ask_and_approve(wanted)
    opens: list[object] = []
    whole = RegisterOpening.scan

    def fail_once(self: RegisterOpening, *given: Any, **named: Any) -> Any:
        opens.append(given)
        if len(opens) == 1:
            msg = "the database does not answer: try again"
            raise StoreUnavailable(msg)
        return whole(self, *given, **named)

    monkeypatch.setattr(RegisterOpening, "scan", fail_once)
    with pytest.raises(PseudoClientError) as caught:
        people.mara.redeem_linkage(asked.request_id)
    assert caught.value.code == "STORE_UNAVAILABLE"
    for _ in range(2):
        with pytest.raises(PseudoClientError) as caught:
            people.mara.redeem_linkage(asked.request_id)
        assert caught.value.code == "GRANT_SPENT"
    assert len(opens) == 1

    kinds = Counter(event["kind"] for event in read_events(any_service.auditor()))
    assert (kinds["linkage_release_intent"], kinds["linkage_released"]) == (1, 0)
    history = people.gwen.trace_subject(
        NUMBERS[0], kind="nhs_number", purpose="a complaint", project="asthma"
    )
    assert history.open_requests == (asked.request_id,)
    again = people.ask_and_approve(wanted)
    assert people.mara.redeem_linkage(again.request_id).released_now


def test_a_kept_result_outlives_the_process(
    open_service: OpenService, postgres_url: str
) -> None:
    one = open_service(database={"url": postgres_url})
    one.create_project("asthma")
    people = People(service=one)
    asked = people.ask_and_approve(name_patients(one)[:1])
    sealed = people.mara.redeem_linkage(asked.request_id)
    one.closing.close()
    later = open_service(database={"url": postgres_url})
    people = People(service=later, key=people.key)
    again = people.mara.redeem_linkage(asked.request_id)
    assert (again.released_now, again.sealed) == (False, sealed.sealed)
