"""What the trail must hold before anything is released."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from pseudo_service.core.audit.events import (
    AuditEvent,
    AuditKind,
    RecordedEvent,
    hash_event,
)
from pseudo_service.core.errors import GrantRefused
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.linkage.request import (
    Decision,
    LinkageRequest,
    LinkageState,
    Vote,
)
from pseudo_service.core.linkage.sealed_events import LinkageEventSealer
from tests.lib.harnesses.linkage_fakes import NUMBERS, LinkageHarness
from tests.lib.stores.linkage_stores import CHAIN
from tests.lib.values.linkage_actors import COLLEAGUE, GUARDIAN, OFFICER, THIRD

FOREIGN_RECORDS = LinkageEventSealer(SecretKey(bytes(range(32))))


@pytest.fixture
def harness() -> LinkageHarness:
    return LinkageHarness()


def pretend_approved(harness: LinkageHarness, request: LinkageRequest) -> None:
    """Write APPROVED into the row, as whoever has the database can."""
    stored = harness.requests.stored[request.request_id]
    harness.requests.stored[request.request_id] = replace(
        stored, state=LinkageState.APPROVED
    )


def make_vote(harness: LinkageHarness, reviewer: str, *guardian_of: str) -> Vote:
    return Vote(
        reviewer=reviewer,
        guardian_of=guardian_of,
        decision=Decision.APPROVE,
        reason="fine",
        at=harness.clock.now(),
    )


def refuse(
    harness: LinkageHarness, request: LinkageRequest, *, match: str = ""
) -> None:
    with pytest.raises(GrantRefused, match=match or "nothing is released"):
        harness.redeem(request)
    assert harness.opening.opened == 0
    assert request.request_id not in harness.requests.results
    assert not harness.events(AuditKind.LINKAGE_RELEASE_INTENT)
    (refused,) = harness.events(AuditKind.LINKAGE_REFUSED)
    assert json.loads(refused.body)["details"]["code"] == "GRANT_REFUSED"


def test_a_row_that_says_approved_is_not_believed(harness: LinkageHarness) -> None:
    request = harness.submit()
    pretend_approved(harness, request)
    refuse(harness, request, match="votes on record")


def test_votes_of_a_foreign_key_are_refused(harness: LinkageHarness) -> None:
    request = harness.submit()
    for step, vote in enumerate(
        (make_vote(harness, "ann"), make_vote(harness, "ben", "asthma")), start=2
    ):
        event = FOREIGN_RECORDS.describe_review(request, vote, step=step)
        harness.log.extend(CHAIN, event)
    pretend_approved(harness, request)
    refuse(harness, request, match="did not write")


def test_an_edited_vote_is_refused_though_its_chain_is_whole(
    harness: LinkageHarness,
) -> None:
    request = harness.submit()
    harness.vote(request, COLLEAGUE)
    harness.vote(request, GUARDIAN, decision=Decision.REJECT)
    edit_event(harness, "reject", lambda body: body.replace('"reject"', '"approve"'))
    rewrite_checkpoints(harness)
    pretend_approved(harness, request)
    refuse(harness, request, match="did not write")


def test_an_edited_vote_breaks_the_anchored_chain(harness: LinkageHarness) -> None:
    request = harness.submit()
    harness.vote(request, COLLEAGUE)
    harness.vote(request, GUARDIAN, decision=Decision.REJECT)
    edit_event(harness, "reject", lambda body: body.replace('"reject"', '"approve"'))
    pretend_approved(harness, request)
    refuse(harness, request, match="does not verify")


def test_a_removed_rejection_is_evident(harness: LinkageHarness) -> None:
    request = harness.submit()
    harness.vote(request, COLLEAGUE)
    harness.vote(request, GUARDIAN, decision=Decision.REJECT)
    harness.log.events[CHAIN].pop()
    for step, vote in ((3, make_vote(harness, "ann", "asthma")),):
        event = harness.sealer.describe_review(request, vote, step=step)
        harness.log.extend(CHAIN, event)
    pretend_approved(harness, request)
    refuse(harness, request, match="does not verify")


def test_a_vote_moved_from_another_request_is_refused(harness: LinkageHarness) -> None:
    other = harness.approved(NUMBERS[1])
    request = harness.submit()
    votes = harness.events(AuditKind.LINKAGE_REVIEWED)
    for vote in votes:
        moved = vote.body.replace(other.request_id, request.request_id)
        moved = moved.replace(other.digest().hex(), request.digest().hex())
        append_body(harness, moved)
    pretend_approved(harness, request)
    refuse(harness, request, match="did not write")


@pytest.mark.parametrize("kind", ["linkage_submitted", "linkage_reviewed"])
def test_a_replayed_record_is_refused(harness: LinkageHarness, kind: str) -> None:
    request = harness.approved()
    replayed = harness.events(AuditKind(kind))[0]
    append_body(harness, replayed.body)
    refuse(harness, request)


def test_one_person_twice_is_one_person(harness: LinkageHarness) -> None:
    request = harness.submit()
    for step in (2, 3):
        vote = make_vote(harness, "ann", "asthma")
        event = harness.sealer.describe_review(request, vote, step=step)
        harness.log.extend(CHAIN, event)
    pretend_approved(harness, request)
    refuse(harness, request)


@pytest.mark.parametrize("own", ["officer"])
def test_a_sealed_vote_of_the_requester_is_refused(
    harness: LinkageHarness, own: str
) -> None:
    request = harness.submit()
    harness.vote(request, GUARDIAN)
    vote = make_vote(harness, own)
    harness.log.extend(CHAIN, harness.sealer.describe_review(request, vote, step=3))
    pretend_approved(harness, request)
    refuse(harness, request)


def test_a_vote_after_the_expiry_is_refused(harness: LinkageHarness) -> None:
    request = harness.submit()
    harness.vote(request, GUARDIAN)
    late = replace(make_vote(harness, "ann"), at=request.terms.expires_at)
    harness.log.extend(CHAIN, harness.sealer.describe_review(request, late, step=3))
    pretend_approved(harness, request)
    refuse(harness, request)


def test_a_left_out_step_is_refused(harness: LinkageHarness) -> None:
    request = harness.submit()
    for step, vote in (
        (3, make_vote(harness, "ann")),
        (4, make_vote(harness, "ben", "asthma")),
    ):
        harness.log.extend(
            CHAIN, harness.sealer.describe_review(request, vote, step=step)
        )
    pretend_approved(harness, request)
    refuse(harness, request, match="from its submission on")


@pytest.mark.parametrize("change", ["swap", "add", "leave out"])
def test_a_list_changed_by_one_after_approval_is_refused(
    harness: LinkageHarness, change: str
) -> None:
    request = harness.approved(NUMBERS[0], NUMBERS[1])
    foreign = harness.pseudonym(NUMBERS[4])
    subjects = {
        "swap": (request.subjects[0], foreign),
        "add": (*request.subjects, foreign),
        "leave out": request.subjects[:1],
    }[change]
    harness.requests.edit(request.request_id, subjects=tuple(sorted(subjects)))
    refuse(harness, request, match="not the one")


@pytest.mark.parametrize(
    "fields",
    [
        {"recipient_key": bytes(31) + b"\x09"},
        {"expires_at": None},
        {"purpose": "something else"},
        {"target_project": "stroke"},
    ],
)
def test_no_field_can_be_changed_after_approval(
    harness: LinkageHarness, fields: dict
) -> None:
    request = harness.approved()
    if "expires_at" in fields:
        fields = {"expires_at": request.terms.expires_at + timedelta(days=300)}
    harness.requests.edit(request.request_id, **fields)
    refuse(harness, request, match="not the one")


def test_the_old_digest_beside_a_changed_row_does_not_help(
    harness: LinkageHarness,
) -> None:
    request = harness.approved()
    stored = harness.requests.stored[request.request_id]
    changed = replace(request, subjects=(harness.pseudonym(NUMBERS[4]),))
    harness.requests.stored[request.request_id] = replace(stored, request=changed)
    refuse(harness, request, match="not the one")


def test_a_submission_from_before_the_window_is_not_found(
    harness: LinkageHarness,
) -> None:
    request = harness.approved(expires_at=harness.clock.now() + timedelta(days=20))
    harness.clock.advance(days=2)
    harness.submit(NUMBERS[1])
    later = harness.clock.now() + timedelta(hours=1)
    harness.requests.edit(request.request_id, submitted_at=later)
    refuse(harness, request, match="from its submission on")


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_checkpoints_must_be_signed_by_the_audit_key(
    harness: LinkageHarness, where: str
) -> None:
    request = harness.approved()
    last = harness.log.stored[-1]
    forged = replace(last, signature=bytes(len(last.signature)))
    if where == "inside":
        harness.log.stored[-1] = forged
    else:
        harness.archive.copies[forged.number] = forged
    refuse(harness, request, match="does not verify")


def test_a_checkpoint_gone_from_the_database_is_evident(
    harness: LinkageHarness,
) -> None:
    request = harness.approved()
    del harness.log.stored[1]
    refuse(harness, request, match="does not verify")


def test_a_whole_chain_gone_is_evident(harness: LinkageHarness) -> None:
    request = harness.approved()
    event = AuditEvent(
        kind=AuditKind.SERVICE_STARTED,
        at=harness.clock.now(),
        actor="other",
        details={},
    )
    harness.log.extend("other", event)
    harness.trail.checkpoint()
    del harness.log.events["other"]
    refuse(harness, request, match="does not verify")


def test_records_of_others_beside_it_do_no_harm(harness: LinkageHarness) -> None:
    harness.submit(NUMBERS[2], actor=COLLEAGUE)
    request = harness.approved()
    other = harness.submit(NUMBERS[3], actor=THIRD)
    harness.vote(other, OFFICER)
    assert harness.redeem(request).released_now


def edit_event(harness: LinkageHarness, mark: str, edit: Callable[[str], str]) -> None:
    """Edit an event and link the whole chain anew behind it."""
    events = harness.log.events[CHAIN]
    bodies = [edit(e.body) if f'"{mark}"' in e.body else e.body for e in events]
    assert bodies != [event.body for event in events]
    events.clear()
    for body in bodies:
        append_body(harness, body)


def append_body(harness: LinkageHarness, body: str) -> None:
    """Append a body, as whoever has the database can."""
    filler = AuditEvent(
        kind=AuditKind.SERVICE_STARTED, at=harness.clock.now(), actor="x", details={}
    )
    harness.log.extend(CHAIN, filler)
    events = harness.log.events[CHAIN]
    place = events.pop()
    digest = hash_event(CHAIN, place.sequence, place.previous, body)
    events.append(
        RecordedEvent(
            chain=CHAIN,
            sequence=place.sequence,
            body=body,
            previous=place.previous,
            digest=digest,
        )
    )


def rewrite_checkpoints(harness: LinkageHarness) -> None:
    """Sign new checkpoints over what now stands: the worst that an insider can do."""
    harness.log.stored.clear()
    harness.archive.copies.clear()
    harness.start()
    harness.trail.checkpoint()
