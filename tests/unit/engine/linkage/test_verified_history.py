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
from pseudo_service.core.linkage.sealed_events import LinkageRecords
from tests.lib.harnesses.linkage_fakes import (
    COLLEAGUE,
    GUARDIAN,
    NUMBERS,
    OFFICER,
    THIRD,
    Bench,
)
from tests.lib.stores.linkage_stores import CHAIN

FOREIGN_RECORDS = LinkageRecords(SecretKey(bytes(range(32))))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def pretend_approved(bench: Bench, request: LinkageRequest) -> None:
    """Write APPROVED into the row, as whoever has the database can."""
    stored = bench.requests.stored[request.request_id]
    bench.requests.stored[request.request_id] = replace(
        stored, state=LinkageState.APPROVED
    )


def make_vote(bench: Bench, reviewer: str, *guardian_of: str) -> Vote:
    return Vote(
        reviewer=reviewer,
        guardian_of=guardian_of,
        decision=Decision.APPROVE,
        reason="fine",
        at=bench.clock.now(),
    )


def refuse(bench: Bench, request: LinkageRequest, *, match: str = "") -> None:
    with pytest.raises(GrantRefused, match=match or "nothing is released"):
        bench.redeem(request)
    assert bench.opening.opened == 0
    assert request.request_id not in bench.requests.results
    assert not bench.events(AuditKind.LINKAGE_RELEASE_INTENT)
    (refused,) = bench.events(AuditKind.LINKAGE_REFUSED)
    assert json.loads(refused.body)["details"]["code"] == "GRANT_REFUSED"


def test_a_row_that_says_approved_is_not_believed(bench: Bench) -> None:
    request = bench.submit()
    pretend_approved(bench, request)
    refuse(bench, request, match="votes on record")


def test_votes_of_a_foreign_key_are_refused(bench: Bench) -> None:
    request = bench.submit()
    for step, vote in enumerate(
        (make_vote(bench, "ann"), make_vote(bench, "ben", "asthma")), start=2
    ):
        event = FOREIGN_RECORDS.describe_review(request, vote, step=step)
        bench.log.extend(CHAIN, event)
    pretend_approved(bench, request)
    refuse(bench, request, match="did not write")


def test_an_edited_vote_is_refused_though_its_chain_is_whole(bench: Bench) -> None:
    request = bench.submit()
    bench.vote(request, COLLEAGUE)
    bench.vote(request, GUARDIAN, decision=Decision.REJECT)
    edit_event(bench, "reject", lambda body: body.replace('"reject"', '"approve"'))
    rewrite_checkpoints(bench)
    pretend_approved(bench, request)
    refuse(bench, request, match="did not write")


def test_an_edited_vote_breaks_the_anchored_chain(bench: Bench) -> None:
    request = bench.submit()
    bench.vote(request, COLLEAGUE)
    bench.vote(request, GUARDIAN, decision=Decision.REJECT)
    edit_event(bench, "reject", lambda body: body.replace('"reject"', '"approve"'))
    pretend_approved(bench, request)
    refuse(bench, request, match="does not verify")


def test_a_removed_rejection_is_evident(bench: Bench) -> None:
    request = bench.submit()
    bench.vote(request, COLLEAGUE)
    bench.vote(request, GUARDIAN, decision=Decision.REJECT)
    bench.log.events[CHAIN].pop()
    for step, vote in ((3, make_vote(bench, "ann", "asthma")),):
        event = bench.records.describe_review(request, vote, step=step)
        bench.log.extend(CHAIN, event)
    pretend_approved(bench, request)
    refuse(bench, request, match="does not verify")


def test_a_vote_moved_from_another_request_is_refused(bench: Bench) -> None:
    other = bench.approved(NUMBERS[1])
    request = bench.submit()
    votes = bench.events(AuditKind.LINKAGE_REVIEWED)
    for vote in votes:
        moved = vote.body.replace(other.request_id, request.request_id)
        moved = moved.replace(other.digest().hex(), request.digest().hex())
        append_body(bench, moved)
    pretend_approved(bench, request)
    refuse(bench, request, match="did not write")


@pytest.mark.parametrize("kind", ["linkage_submitted", "linkage_reviewed"])
def test_a_replayed_record_is_refused(bench: Bench, kind: str) -> None:
    request = bench.approved()
    replayed = bench.events(AuditKind(kind))[0]
    append_body(bench, replayed.body)
    refuse(bench, request)


def test_one_person_twice_is_one_person(bench: Bench) -> None:
    request = bench.submit()
    for step in (2, 3):
        vote = make_vote(bench, "ann", "asthma")
        event = bench.records.describe_review(request, vote, step=step)
        bench.log.extend(CHAIN, event)
    pretend_approved(bench, request)
    refuse(bench, request)


@pytest.mark.parametrize("own", ["officer"])
def test_a_sealed_vote_of_the_requester_is_refused(bench: Bench, own: str) -> None:
    request = bench.submit()
    bench.vote(request, GUARDIAN)
    vote = make_vote(bench, own)
    bench.log.extend(CHAIN, bench.records.describe_review(request, vote, step=3))
    pretend_approved(bench, request)
    refuse(bench, request)


def test_a_vote_after_the_expiry_is_refused(bench: Bench) -> None:
    request = bench.submit()
    bench.vote(request, GUARDIAN)
    late = replace(make_vote(bench, "ann"), at=request.expires_at)
    bench.log.extend(CHAIN, bench.records.describe_review(request, late, step=3))
    pretend_approved(bench, request)
    refuse(bench, request)


def test_a_left_out_step_is_refused(bench: Bench) -> None:
    request = bench.submit()
    for step, vote in (
        (3, make_vote(bench, "ann")),
        (4, make_vote(bench, "ben", "asthma")),
    ):
        bench.log.extend(CHAIN, bench.records.describe_review(request, vote, step=step))
    pretend_approved(bench, request)
    refuse(bench, request, match="from its submission on")


@pytest.mark.parametrize("change", ["swap", "add", "leave out"])
def test_a_list_changed_by_one_after_approval_is_refused(
    bench: Bench, change: str
) -> None:
    request = bench.approved(NUMBERS[0], NUMBERS[1])
    foreign = bench.pseudonym(NUMBERS[4])
    subjects = {
        "swap": (request.subjects[0], foreign),
        "add": (*request.subjects, foreign),
        "leave out": request.subjects[:1],
    }[change]
    bench.requests.edit(request.request_id, subjects=tuple(sorted(subjects)))
    refuse(bench, request, match="not the one")


@pytest.mark.parametrize(
    "fields",
    [
        {"recipient_key": bytes(31) + b"\x09"},
        {"expires_at": None},
        {"purpose": "something else"},
        {"target_project": "stroke"},
    ],
)
def test_no_field_can_be_changed_after_approval(bench: Bench, fields: dict) -> None:
    request = bench.approved()
    if "expires_at" in fields:
        fields = {"expires_at": request.expires_at + timedelta(days=300)}
    bench.requests.edit(request.request_id, **fields)
    refuse(bench, request, match="not the one")


def test_the_old_digest_beside_a_changed_row_does_not_help(bench: Bench) -> None:
    request = bench.approved()
    stored = bench.requests.stored[request.request_id]
    changed = replace(request, subjects=(bench.pseudonym(NUMBERS[4]),))
    bench.requests.stored[request.request_id] = replace(stored, request=changed)
    refuse(bench, request, match="not the one")


def test_a_submission_from_before_the_window_is_not_found(bench: Bench) -> None:
    request = bench.approved(expires_at=bench.clock.now() + timedelta(days=20))
    bench.clock.advance(days=2)
    bench.submit(NUMBERS[1])
    later = bench.clock.now() + timedelta(hours=1)
    bench.requests.edit(request.request_id, submitted_at=later)
    refuse(bench, request, match="from its submission on")


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_checkpoints_must_be_signed_by_the_audit_key(bench: Bench, where: str) -> None:
    request = bench.approved()
    last = bench.log.stored[-1]
    forged = replace(last, signature=bytes(len(last.signature)))
    if where == "inside":
        bench.log.stored[-1] = forged
    else:
        bench.archive.copies[forged.number] = forged
    refuse(bench, request, match="does not verify")


def test_a_checkpoint_gone_from_the_database_is_evident(bench: Bench) -> None:
    request = bench.approved()
    del bench.log.stored[1]
    refuse(bench, request, match="does not verify")


def test_a_whole_chain_gone_is_evident(bench: Bench) -> None:
    request = bench.approved()
    event = AuditEvent(
        kind=AuditKind.SERVICE_STARTED,
        at=bench.clock.now(),
        actor="other",
        details={},
    )
    bench.log.extend("other", event)
    bench.trail.checkpoint()
    del bench.log.events["other"]
    refuse(bench, request, match="does not verify")


def test_records_of_others_beside_it_do_no_harm(bench: Bench) -> None:
    bench.submit(NUMBERS[2], actor=COLLEAGUE)
    request = bench.approved()
    other = bench.submit(NUMBERS[3], actor=THIRD)
    bench.vote(other, OFFICER)
    assert bench.redeem(request).released_now


def edit_event(bench: Bench, mark: str, edit: Callable[[str], str]) -> None:
    """Edit an event and link the whole chain anew behind it."""
    events = bench.log.events[CHAIN]
    bodies = [edit(e.body) if f'"{mark}"' in e.body else e.body for e in events]
    assert bodies != [event.body for event in events]
    events.clear()
    for body in bodies:
        append_body(bench, body)


def append_body(bench: Bench, body: str) -> None:
    """Append a body, as whoever has the database can."""
    filler = AuditEvent(
        kind=AuditKind.SERVICE_STARTED, at=bench.clock.now(), actor="x", details={}
    )
    bench.log.extend(CHAIN, filler)
    events = bench.log.events[CHAIN]
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


def rewrite_checkpoints(bench: Bench) -> None:
    """Sign new checkpoints over what now stands: the worst that an insider can do."""
    bench.log.stored.clear()
    bench.archive.copies.clear()
    bench.start()
    bench.trail.checkpoint()
