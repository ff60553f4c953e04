"""Verifying only what came after a checkpoint outside the database."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from pseudo_service.core.audit.events import (
    CHECKPOINTS_OUTSIDE,
    AuditFault,
    AuditVerdict,
    ChainHead,
    Checkpoint,
    RecordedEvent,
    link,
    start_chain,
)
from pseudo_service.core.audit.verification import verify_trail
from tests.lib.stores.stored_values import make_checkpoint, make_event

Chain = list[RecordedEvent]


def read_head(events: Chain) -> ChainHead:
    last = events[-1]
    return ChainHead(chain=last.chain, sequence=last.sequence, digest=last.digest)


def make_chain(name: str, length: int) -> Chain:
    head, events = start_chain(name), []
    for number in range(length):
        events.append(link(head, make_event(number)))
        head = read_head(events)
    return events


def is_signed(checkpoint: Checkpoint) -> bool:
    return checkpoint.signature == bytes([checkpoint.number]) * 384


@dataclass
class Window:
    """Chain a: 10 events, checkpoints at 3, 6, 9; chain b begins after the first."""

    chains: dict[str, Chain]
    checkpoints: list[Checkpoint]
    start: Checkpoint

    def verify(self) -> AuditVerdict:
        ends = {head.chain: head.sequence for head in self.start.heads}
        later = [c for c in self.checkpoints if c.number > self.start.number]
        return verify_trail(
            [
                (name, [e for e in events if e.sequence > ends.get(name, 0)])
                for name, events in self.chains.items()
            ],
            inside=later,
            outside=later,
            is_signed=is_signed,
            start=self.start,
        )

    def faults(self) -> set[AuditFault]:
        return {finding.fault for finding in self.verify().findings}


@pytest.fixture
def window() -> Window:
    chains = {"a": make_chain("a", 10), "b": make_chain("b", 2)}
    checkpoints: list[Checkpoint] = []
    for number, reach in enumerate([3, 6, 9], start=1):
        heads = [read_head(chains["a"][:reach])]
        if number > 1:
            heads.append(read_head(chains["b"]))
        before = checkpoints[-1] if checkpoints else None
        checkpoints.append(make_checkpoint(number, tuple(heads), before))
    return Window(chains, checkpoints, checkpoints[0])


def test_what_came_after_is_sound_and_counted(window: Window) -> None:
    verdict = window.verify()
    assert verdict.findings == ()
    assert (verdict.events, verdict.chains, verdict.checkpoints) == (9, 2, 3)
    assert verdict.unanchored_events == 1


@pytest.mark.parametrize("number", [2, 3])
def test_it_may_begin_after_any_checkpoint(window: Window, number: int) -> None:
    window.start = window.checkpoints[number - 1]
    assert window.faults() == set()


def test_nothing_before_it_is_looked_at(window: Window) -> None:
    window.chains["a"][0] = replace(window.chains["a"][0], body="{}")
    assert window.faults() == set()


def test_a_start_that_nobody_signed_anchors_nothing(window: Window) -> None:
    window.start = replace(window.start, signature=b"forged")
    found = window.verify().findings
    assert (AuditFault.CHECKPOINT_SIGNATURE, CHECKPOINTS_OUTSIDE, 1) in {
        (one.fault, one.chain, one.sequence) for one in found
    }


def cut_first(window: Window) -> None:
    del window.chains["a"][3]


def cut_end(window: Window) -> None:
    del window.chains["a"][8:]


def cut_all(window: Window) -> None:
    del window.chains["a"][3:]


def drop_chain(window: Window) -> None:
    del window.chains["a"]


def rewrite_first(window: Window) -> None:
    head = start_chain("a")
    chain = window.chains["a"]
    chain[3] = replace(link(head, make_event(77)), sequence=4)


def grow_another_past(window: Window) -> None:
    other = make_chain("a", 2)[:1]
    other.append(link(read_head(other), make_event(99)))
    for number in range(2, 10):
        other.append(link(read_head(other), make_event(number)))
    window.chains["a"] = other


def skip_checkpoint(window: Window) -> None:
    del window.checkpoints[1]


def replace_checkpoint(window: Window) -> None:
    window.checkpoints[1] = make_checkpoint(2, window.checkpoints[1].heads, None)


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (cut_first, AuditFault.EVENT_MISSING),
        (cut_end, AuditFault.CHAIN_TRUNCATED),
        (cut_all, AuditFault.CHAIN_TRUNCATED),
        (drop_chain, AuditFault.CHAIN_TRUNCATED),
        (rewrite_first, AuditFault.LINK_BROKEN),
        (grow_another_past, AuditFault.LINK_BROKEN),
        (skip_checkpoint, AuditFault.CHECKPOINT_MISSING),
        (replace_checkpoint, AuditFault.CHECKPOINT_EDITED),
    ],
)
def test_tampering_after_it_is_found(
    window: Window, tamper: Callable[[Window], None], expected: AuditFault
) -> None:
    tamper(window)
    assert expected in window.faults()
