"""Requests and votes read from the details of their events."""

from dataclasses import replace

import pytest

from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.linkage.event_fields import parse_request, parse_vote
from pseudo_service.core.linkage.request import TERM_NAMES, Decision, Vote
from pseudo_service.core.linkage.sealed_events import LinkageEventSealer
from tests.lib.values.linkage_requests import SUBMITTED_AT, build_request

REQUEST = build_request()
SEALER = LinkageEventSealer(SecretKey(bytes(32)))
SUBMITTED = SEALER.describe_submitted(REQUEST)


def make_vote(*guardian_of: str) -> Vote:
    return Vote(
        reviewer="cat",
        guardian_of=guardian_of,
        decision=Decision.REJECT,
        reason="no consent on file",
        at=SUBMITTED_AT,
    )


def test_a_submission_states_all_but_its_subjects() -> None:
    assert parse_request(SUBMITTED, REQUEST.subjects) == REQUEST
    assert parse_request(SUBMITTED, ()) == replace(REQUEST, subjects=())


@pytest.mark.parametrize("name", sorted({*TERM_NAMES} - {"project"}))
def test_a_submission_without_a_term_is_refused(name: str) -> None:
    details = {k: v for k, v in SUBMITTED.details.items() if k != name}
    with pytest.raises(KeyError, match=name):
        parse_request(replace(SUBMITTED, details=details), ())


@pytest.mark.parametrize(
    "change", [{"verb": "sell"}, {"recipient_key": "xy"}, {"expires_at": "soon"}]
)
def test_a_term_of_another_form_is_refused(change: dict[str, str]) -> None:
    edited = replace(SUBMITTED, details={**SUBMITTED.details, **change})
    with pytest.raises(ValueError, match=r"\w"):
        parse_request(edited, ())


@pytest.mark.parametrize("guarded", [(), ("asthma",), ("asthma", "stroke")])
def test_a_vote_comes_back(guarded: tuple[str, ...]) -> None:
    vote = make_vote(*guarded)
    assert parse_vote(SEALER.describe_review(REQUEST, vote, step=2)) == vote


def test_a_vote_that_decides_neither_way_is_refused() -> None:
    event = SEALER.describe_review(REQUEST, make_vote(), step=2)
    edited = replace(event, details={**event.details, "decision": "abstain"})
    with pytest.raises(ValueError, match="abstain"):
        parse_vote(edited)
