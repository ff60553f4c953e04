"""Every way to tamper with the audit trail, and what the verification says of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.audit.events import (
    CHECKPOINTS_INSIDE,
    CHECKPOINTS_OUTSIDE,
    AuditFault,
    AuditVerdict,
    ChainHead,
    Checkpoint,
    RecordedEvent,
    hash_event,
    link,
    start_chain,
)
from pseudo_service.core.audit.verification import verify_trail
from tests.lib.stores.stored_values import make_checkpoint, make_event

Fault = tuple[AuditFault, str, int]


def make_chain(name: str, length: int, first: int = 0) -> list[RecordedEvent]:
    head = start_chain(name)
    events = []
    for number in range(length):
        events.append(link(head, make_event(first + number)))
        head = read_head(events)
    return events


def read_head(events: list[RecordedEvent]) -> ChainHead:
    last = events[-1]
    return ChainHead(chain=last.chain, sequence=last.sequence, digest=last.digest)


@dataclass
class Trail:
    """Two chains with three checkpoints, the last not yet copied outside."""

    chains: dict[str, list[RecordedEvent]]
    inside: list[Checkpoint]
    outside: list[Checkpoint]
    forged: set[int] = field(default_factory=set)

    def verify(self) -> AuditVerdict:
        return verify_trail(
            self.chains.items(),
            inside=self.inside,
            outside=self.outside,
            is_signed=lambda checkpoint: (
                checkpoint.signature == bytes([checkpoint.number]) * 384
            ),
        )

    def find(self) -> set[Fault]:
        found = self.verify().findings
        return {(one.fault, one.chain, one.sequence) for one in found}


@pytest.fixture
def trail() -> Trail:
    """Chain a: checkpoints at 4, 8, 10 of 12 events; chain b: at 6, 6, 6 of 6."""
    chains = {"a": make_chain("a", 12), "b": make_chain("b", 6, first=100)}
    checkpoints: list[Checkpoint] = []
    for number, reach in enumerate([4, 8, 10], start=1):
        heads = (read_head(chains["a"][:reach]), read_head(chains["b"]))
        previous = checkpoints[-1] if checkpoints else None
        checkpoints.append(make_checkpoint(number, heads, previous))
    return Trail(chains, checkpoints, checkpoints[:2])


def test_an_untouched_trail_is_sound(trail: Trail) -> None:
    verdict = trail.verify()
    assert verdict.findings == ()
    assert (verdict.events, verdict.chains, verdict.checkpoints) == (18, 2, 3)
    assert verdict.unanchored_events == 4
    assert verdict.anchored_until == trail.outside[-1].at


def test_an_empty_trail_is_sound() -> None:
    verdict = Trail({}, [], []).verify()
    assert verdict.findings == ()
    assert verdict.anchored_until is None


def test_nothing_is_anchored_without_copies_outside(trail: Trail) -> None:
    trail.outside = []
    verdict = trail.verify()
    assert verdict.findings == ()
    assert verdict.unanchored_events == verdict.events
    assert verdict.anchored_until is None


@given(place=st.integers(0, 11), data=st.data())
def test_one_edited_byte_is_found(place: int, data: st.DataObject) -> None:
    events = make_chain("a", 12)
    body = events[place].body
    spot = data.draw(st.integers(0, len(body) - 1))
    letter = chr(ord(body[spot]) ^ 1)
    events[place] = replace(events[place], body=body[:spot] + letter + body[spot + 1 :])
    found = Trail({"a": events}, [], []).find()
    assert found == {(AuditFault.EVENT_EDITED, "a", place + 1)}


@given(place=st.integers(0, 11), name=st.sampled_from(["previous", "digest"]))
def test_an_edited_digest_is_found(place: int, name: str) -> None:
    events = make_chain("a", 12)
    events[place] = replace(events[place], **{name: bytes(31) + b"\x01"})
    found = Trail({"a": events}, [], []).find()
    assert (AuditFault.EVENT_EDITED, "a", place + 1) in found


def rehash(event: RecordedEvent, **changes: object) -> RecordedEvent:
    changed = replace(event, **changes)  # type: ignore[arg-type]
    digest = hash_event(changed.chain, changed.sequence, changed.previous, changed.body)
    return replace(changed, digest=digest)


def test_an_event_edited_with_its_digest_breaks_the_next_link(trail: Trail) -> None:
    events = trail.chains["a"]
    events[4] = rehash(events[4], body=events[4].body.replace("pipeline", "nobody"))
    assert trail.find() == {(AuditFault.LINK_BROKEN, "a", 6)}


def test_a_rewritten_end_is_found_by_the_checkpoints(trail: Trail) -> None:
    """Everything after an edit is linked anew, so that the chain agrees with itself."""
    events = trail.chains["a"]
    previous = events[5].previous
    for place in range(5, 12):
        body = events[place].body.replace("pipeline", "nobody")
        events[place] = rehash(events[place], body=body, previous=previous)
        previous = events[place].digest
    assert trail.find() == {
        (AuditFault.CHAIN_FORKED, "a", 8),
        (AuditFault.CHAIN_FORKED, "a", 10),
    }


@given(place=st.integers(0, 10))
def test_a_removed_event_is_found(place: int) -> None:
    events = make_chain("a", 12)
    del events[place]
    found = Trail({"a": events}, [], []).find()
    assert found == {(AuditFault.EVENT_MISSING, "a", place + 1)}


def test_a_removed_event_whose_followers_move_up_is_found(trail: Trail) -> None:
    events = trail.chains["a"]
    del events[5]
    trail.chains["a"] = [
        replace(event, sequence=number) for number, event in enumerate(events, start=1)
    ]
    assert (AuditFault.EVENT_EDITED, "a", 6) in trail.find()


@pytest.mark.parametrize(("length", "sound"), [(10, True), (9, False), (7, False)])
def test_an_end_cut_off_before_a_checkpoint_is_found(
    trail: Trail, length: int, *, sound: bool
) -> None:
    del trail.chains["a"][length:]
    cut = (AuditFault.CHAIN_TRUNCATED, "a", length + 1)
    assert trail.find() == (set() if sound else {cut})


def test_an_end_cut_off_with_its_inner_checkpoint_is_found_from_outside(
    trail: Trail,
) -> None:
    del trail.chains["a"][7:]
    trail.inside = trail.inside[:1]
    assert trail.find() == {
        (AuditFault.CHAIN_TRUNCATED, "a", 8),
        (AuditFault.CHECKPOINT_MISSING, CHECKPOINTS_INSIDE, 2),
    }


def test_a_removed_chain_is_found(trail: Trail) -> None:
    del trail.chains["b"]
    assert trail.find() == {(AuditFault.CHAIN_TRUNCATED, "b", 1)}


@given(place=st.integers(0, 10))
def test_two_swapped_rows_are_found(place: int) -> None:
    events = make_chain("a", 12)
    events[place], events[place + 1] = events[place + 1], events[place]
    found = Trail({"a": events}, [], []).find()
    assert (AuditFault.EVENT_REORDERED, "a", place + 1) in found


@given(place=st.integers(0, 10))
def test_two_swapped_sequences_are_found(place: int) -> None:
    events = make_chain("a", 12)
    first, second = events[place], events[place + 1]
    events[place] = replace(second, sequence=first.sequence)
    events[place + 1] = replace(first, sequence=second.sequence)
    found = Trail({"a": events}, [], []).find()
    assert (AuditFault.EVENT_EDITED, "a", place + 1) in found
    assert (AuditFault.EVENT_EDITED, "a", place + 2) in found


def test_two_events_at_one_place_are_found(trail: Trail) -> None:
    events = trail.chains["a"]
    second = rehash(events[5], body=events[5].body.replace("pipeline", "nobody"))
    events.insert(6, second)
    assert trail.find() == {(AuditFault.CHAIN_FORKED, "a", 6)}


def test_an_event_of_another_chain_is_found(trail: Trail) -> None:
    events = trail.chains["b"]
    events.append(replace(link(read_head(events), make_event(1)), chain="a"))
    assert trail.find() == {(AuditFault.EVENT_EDITED, "b", 7)}


def test_a_checkpoint_removed_from_the_database_is_found(trail: Trail) -> None:
    del trail.inside[0]
    expected = (AuditFault.CHECKPOINT_MISSING, CHECKPOINTS_INSIDE, 1)
    assert trail.find() == {expected}


def test_all_checkpoints_removed_from_the_database_are_found(trail: Trail) -> None:
    trail.inside = []
    assert trail.find() == {
        (AuditFault.CHECKPOINT_MISSING, CHECKPOINTS_INSIDE, 1),
        (AuditFault.CHECKPOINT_MISSING, CHECKPOINTS_INSIDE, 2),
    }


def test_a_checkpoint_removed_from_the_archive_is_found(trail: Trail) -> None:
    del trail.outside[0]
    expected = (AuditFault.CHECKPOINT_MISSING, CHECKPOINTS_OUTSIDE, 1)
    assert trail.find() == {expected}
    assert trail.verify().unanchored_events == 4


def test_a_checkpoint_edited_in_the_database_is_found(trail: Trail) -> None:
    trail.inside[1] = replace(trail.inside[1], heads=trail.inside[0].heads)
    found = trail.find()
    assert (AuditFault.CHECKPOINT_EDITED, CHECKPOINTS_INSIDE, 2) in found
    # the next one names the original as its predecessor
    assert (AuditFault.CHECKPOINT_EDITED, CHECKPOINTS_INSIDE, 3) in found


def test_a_checkpoint_that_names_another_history_is_found(trail: Trail) -> None:
    other = make_chain("a", 8, first=50)
    heads = (read_head(other), trail.inside[1].heads[1])
    trail.inside[1] = make_checkpoint(2, heads, trail.inside[0])
    assert (AuditFault.CHAIN_FORKED, "a", 8) in trail.find()


def test_a_checkpoint_under_two_numbers_is_found(trail: Trail) -> None:
    trail.inside.insert(1, trail.inside[0])
    expected = (AuditFault.CHECKPOINT_EDITED, CHECKPOINTS_INSIDE, 1)
    assert expected in trail.find()


@pytest.mark.parametrize("place", [0, 1])
def test_a_forged_checkpoint_is_found_and_anchors_nothing(
    trail: Trail, place: int
) -> None:
    def forge(checkpoints: list[Checkpoint]) -> None:
        checkpoints[place] = replace(checkpoints[place], signature=b"forged")

    trail.outside = list(trail.outside)
    forge(trail.inside)
    forge(trail.outside)
    assert trail.find() == {
        (AuditFault.CHECKPOINT_SIGNATURE, CHECKPOINTS_INSIDE, place + 1),
        (AuditFault.CHECKPOINT_SIGNATURE, CHECKPOINTS_OUTSIDE, place + 1),
    }
    anchored = trail.outside[1 - place]
    assert trail.verify().anchored_until == anchored.at


def test_events_are_read_once_and_not_kept(trail: Trail) -> None:
    """A chain of any length can be streamed."""
    handed: list[int] = []

    def stream() -> Iterator[RecordedEvent]:
        for event in trail.chains["a"]:
            handed.append(event.sequence)
            yield event

    chains: dict[str, object] = {"a": stream(), "b": iter(trail.chains["b"])}
    assert Trail(chains, trail.inside, trail.outside).find() == set()  # type: ignore[arg-type]
    assert handed == list(range(1, 13))


TAMPERINGS: dict[str, Callable[[list[RecordedEvent], int], None]] = {
    "edit": lambda events, place: events.__setitem__(
        place, replace(events[place], body=events[place].body + " ")
    ),
    "remove": lambda events, place: events.pop(place),
    "repeat": lambda events, place: events.insert(place, events[place]),
    "cut": lambda events, place: events.__delitem__(slice(place, None)),
    "swap": lambda events, place: events.insert(place + 1, events.pop(place)),
}


@given(kind=st.sampled_from(sorted(TAMPERINGS)), place=st.integers(0, 8))
def test_any_tampering_before_the_last_checkpoint_is_found(
    kind: str, place: int
) -> None:
    events = make_chain("a", 12)
    checkpoint = make_checkpoint(1, (read_head(events[:10]),))
    TAMPERINGS[kind](events, place)  # type: ignore[no-untyped-call]
    assert Trail({"a": events}, [checkpoint], [checkpoint]).find()
