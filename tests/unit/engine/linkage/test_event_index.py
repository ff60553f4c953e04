"""The index of sealed events: it follows the chains and leaves forgeries out."""

import hashlib
from dataclasses import replace

import pytest

from pseudo_service.core.audit.events import RecordedEvent
from pseudo_service.core.keys.material import KeyUse
from pseudo_service.core.linkage.request import Decision
from pseudo_service.core.linkage.sealed_events import LinkageEventSealer
from pseudo_service.engine.linkage.event_index import LinkageEventIndex
from tests.lib.harnesses.linkage_fakes import NUMBERS, LinkageHarness
from tests.lib.stores.linkage_stores import LinkageLog
from tests.lib.values.linkage_actors import COLLEAGUE, GUARDIAN
from tests.lib.values.request_events import SERVICE_ROOT, RequestEvents

SEALER = LinkageEventSealer(SERVICE_ROOT.derive(KeyUse.LINKAGE_RECORD))


def make_index(*requests: RequestEvents) -> tuple[LinkageLog, LinkageEventIndex]:
    log = LinkageLog()
    for request in requests:
        for place, event in enumerate(request.events):
            log.extend(f"chain-{place % 2}", event)
    return log, LinkageEventIndex(log=log, sealer=SEALER)


def test_each_request_has_its_own_records() -> None:
    one = RequestEvents(request_id="one").approve()
    two = RequestEvents(request_id="two")
    _, index = make_index(one, two)
    first, second, none = index.events_of_each(["one", "two", "three"])
    assert [record.step for record in first.records] == [1, 2, 3]
    assert second.digest == two.request.digest()
    assert none.records == ()
    assert index.events_of("one") == first


def test_later_events_are_read_and_earlier_ones_not_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = RequestEvents()
    log, index = make_index(request)
    assert len(index.events_of("request-1").records) == 1
    read: list[RecordedEvent] = []
    original = log.read

    def collect(chain: str, *, after: int = -1):
        for event in original(chain, after=after):
            read.append(event)
            yield event

    monkeypatch.setattr(log, "read", collect)
    request.vote("officer-2")
    log.extend("chain-1", request.events[-1])
    assert len(index.events_of("request-1").votes) == 1
    assert [event.chain for event in read] == ["chain-1"]


def test_a_forged_vote_is_left_out() -> None:
    request = RequestEvents().vote("officer-2")
    vote = request.events[-1]
    request.events[-1] = replace(
        vote, details={**vote.details, "decision": Decision.REJECT.value}
    )
    _, index = make_index(request)
    assert index.events_of("request-1").votes == ()


def test_the_digest_is_that_of_the_sealed_result() -> None:
    harness = LinkageHarness()
    request = harness.submit(NUMBERS[0])
    assert harness.index.result_digest(request.request_id) is None
    harness.vote(request, COLLEAGUE, GUARDIAN)
    release = harness.redeem(request)
    expected = hashlib.sha256(release.sealed).digest()
    assert harness.index.result_digest(request.request_id) == expected
