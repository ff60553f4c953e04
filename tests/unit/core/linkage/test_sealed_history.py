"""A request's sealed records: votes before and after a release, and the next step."""

import random

import pytest

from pseudo_service.core.audit.events import AuditEvent, encode_event
from pseudo_service.core.keys.material import KeyUse
from pseudo_service.core.linkage.request import LinkageMode
from pseudo_service.core.linkage.sealed_events import (
    DECISIVE_KINDS,
    LinkageEventSealer,
    LinkageRecord,
)
from pseudo_service.core.linkage.sealed_history import SealedHistory
from tests.lib.values.request_events import SERVICE_ROOT, RequestEvents

SEALER = LinkageEventSealer(SERVICE_ROOT.derive(KeyUse.LINKAGE_RECORD))


def read(events: list[AuditEvent]) -> list[LinkageRecord]:
    records = [SEALER.read(encode_event(event)) for event in events]
    return [each for each in records if each and each.kind in DECISIVE_KINDS]


def names(history: SealedHistory) -> list[str]:
    return [vote.reviewer for vote in history.votes]


def test_an_unknown_request_has_no_history() -> None:
    history = SealedHistory()
    assert (history.digest, history.subject_count, history.next_step) == (b"", 0, 1)
    assert history.votes == history.votes_before_release == ()
    assert history.release_step is None


@pytest.mark.parametrize("seed", range(5))
def test_records_are_ordered_by_their_step(seed: int) -> None:
    events = RequestEvents().approve()
    records = read(events.events)
    random.Random(seed).shuffle(records)
    history = SealedHistory.of(records)
    assert [record.step for record in history.records] == [1, 2, 3]
    assert names(history) == ["officer-2", "guardian-1"]
    assert history.digest == events.request.digest()
    assert (history.subject_count, history.next_step) == (2, 4)


def test_a_second_review_is_no_vote_before_the_release() -> None:
    events = RequestEvents(mode=LinkageMode.BREAK_GLASS)
    events.vote("guardian-1", guardian_of=("asthma",)).begin_release()
    events.finish_release("c0de").vote("officer-2")
    history = SealedHistory.of(read(events.events))
    assert names(history) == ["guardian-1", "officer-2"]
    assert [v.reviewer for v in history.votes_before_release] == ["guardian-1"]
    assert history.release_step == 3


def test_without_its_submission_nothing_is_counted() -> None:
    history = SealedHistory.of(read(RequestEvents().approve().events[1:]))
    assert history.subject_count == 0


def test_a_vote_behind_a_missing_record_does_not_count_before_a_release() -> None:
    submitted, _, last = read(RequestEvents().approve().events)
    history = SealedHistory.of([submitted, last])
    assert names(history) == ["guardian-1"]
    assert history.votes_before_release == ()
