"""Events read back from their text, and chosen from a trail."""

import pytest

from pseudo_service.core.audit.events import (
    AuditEvent,
    AuditKind,
    RecordedEvent,
    encode_event,
    link,
    start_chain,
)
from pseudo_service.core.audit.reading import (
    decode_event,
    find_linkage,
    find_of_project,
)
from pseudo_service.core.errors import AuditBroken
from tests.lib.values.request_events import START, RequestEvents


def record(*events: AuditEvent) -> list[RecordedEvent]:
    return [link(start_chain("chain-1"), event) for event in events]


def make_event(project: str | None, **details: str) -> AuditEvent:
    return AuditEvent(
        kind=AuditKind.TABLE_FINISHED,
        at=START,
        actor="loader-1",
        project=project,
        details=details,
    )


def test_an_event_is_read_as_it_was_written() -> None:
    for event in RequestEvents().release("a1").events:
        assert decode_event(encode_event(event)) == event


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '{"kind":"nothing"}',
        encode_event(
            AuditEvent(
                kind=AuditKind.AUDIT_READ,
                at=START.replace(tzinfo=None),
                actor="a",
                details={},
            )
        ),
    ],
)
def test_what_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(AuditBroken):
        decode_event(body)


def test_linkage_events_are_chosen_by_their_kind() -> None:
    submitted = RequestEvents().events[0]
    mention = make_event("asthma", reason='a file named "linkage_2"')
    assert list(find_linkage(record(mention, submitted))) == [submitted]


def test_a_project_s_events_are_chosen_with_those_of_its_requests() -> None:
    own, foreign = make_event("asthma"), make_event("stroke", reason="of asthma")
    ours = RequestEvents(request_id="request-1", project="stroke").events[0]
    theirs = RequestEvents(request_id="request-2", project="stroke").events[0]
    events = record(own, foreign, ours, theirs, make_event(None))
    found = list(find_of_project(events, "asthma", {"request-1"}))
    assert [event for _, event in found] == [own, ours]
    assert [recorded for recorded, _ in found] == [events[0], events[2]]


def test_an_unreadable_linkage_event_is_not_passed_over() -> None:
    (recorded,) = record(RequestEvents().events[0])
    cut = RecordedEvent(
        chain=recorded.chain,
        sequence=recorded.sequence,
        body=recorded.body[:-1],
        previous=recorded.previous,
        digest=recorded.digest,
    )
    with pytest.raises(AuditBroken):
        list(find_linkage([cut]))
