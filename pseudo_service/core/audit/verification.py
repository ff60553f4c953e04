"""Verifies the audit trail: each chain in itself and against the checkpoints.

A chain proves only that its inside is whole. The checkpoints outside the database prove
that its end was not cut off and that nobody wrote the whole chain anew. Memory grows
with the number of checkpointed places, not with the number of events.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pseudo_service.core.audit.events import (
    CHECKPOINTS_INSIDE,
    CHECKPOINTS_OUTSIDE,
    EMPTY_CHAIN,
    AuditFault,
    AuditFinding,
    AuditVerdict,
    ChainHead,
    Checkpoint,
    RecordedEvent,
    hash_event,
)

ChainEvents = tuple[str, Iterable[RecordedEvent]]


def verify_trail(
    chains: Iterable[ChainEvents],
    *,
    inside: Iterable[Checkpoint],
    outside: Iterable[Checkpoint],
    is_signed: Callable[[Checkpoint], bool],
    start: Checkpoint | None = None,
) -> AuditVerdict:
    """Verify every chain and every checkpoint, or what came after one.

    Args:
        chains: Each chain's name and its events in stored order.
        inside: The checkpoints in the database, by number. Read them before the
            chains: an event that is written meanwhile is then unanchored, which is no
            fault.
        outside: The copies in append-only storage, by number.
        is_signed: Returns whether a checkpoint's signature verifies under the vault's
            "audit" key, and under that key only.
        start: A copy outside the database to begin after: ``inside`` and ``outside``
            then hold later checkpoints only, and ``chains`` the events above its heads.
    """
    anchors = _Anchors()
    findings = anchors.load(
        outside=outside, inside=inside, is_signed=is_signed, start=start
    )
    heads = {} if start is None else {head.chain: head for head in start.heads}
    events = unanchored = 0
    seen: set[str] = set()
    for name, stored in chains:
        seen.add(name)
        check = _ChainCheck(name=name, anchors=anchors)
        if name in heads:
            check.begin_after(heads[name])
        findings += check.examine(stored)
        events += check.events
        unanchored += check.unanchored
    for name in anchors.names():
        if name not in seen:
            findings.append(_find(AuditFault.CHAIN_TRUNCATED, name, 1))
    return AuditVerdict(
        findings=tuple(findings),
        events=events,
        chains=len(seen),
        checkpoints=anchors.count,
        unanchored_events=unanchored,
        anchored_until=anchors.until,
    )


class _Anchors:
    """The digests that the chains must hold, according to the checkpoints."""

    def __init__(self) -> None:
        self.count = 0
        self.until: datetime | None = None
        self._digests: dict[str, dict[int, bytes]] = {}
        self._reach: dict[str, int] = {}

    def load(
        self,
        *,
        outside: Iterable[Checkpoint],
        inside: Iterable[Checkpoint],
        is_signed: Callable[[Checkpoint], bool],
        start: Checkpoint | None,
    ) -> list[AuditFinding]:
        """Load both sets of checkpoints, and return their faults."""
        findings: list[AuditFinding] = []
        copies: dict[int, bytes] = {}
        outer = _Sequence(CHECKPOINTS_OUTSIDE, is_signed)
        inner = _Sequence(CHECKPOINTS_INSIDE, is_signed)
        if start is not None:
            faults = outer.begin_after(start)
            findings += faults
            inner.begin_after(start)
            if _is_trusted(faults):
                findings += self._anchor(start)
        for checkpoint in outside:
            faults = outer.examine(checkpoint)
            findings += faults
            copies[checkpoint.number] = _fingerprint(checkpoint)
            if _is_trusted(faults):
                findings += self._anchor(checkpoint)
        for checkpoint in inside:
            copy = copies.pop(checkpoint.number, None)
            faults = inner.examine(checkpoint)
            if copy is not None and copy != _fingerprint(checkpoint):
                fault = AuditFault.CHECKPOINT_EDITED
                faults.append(_find(fault, CHECKPOINTS_INSIDE, checkpoint.number))
            findings += faults
            if _is_trusted(faults):
                findings += self._expect(checkpoint)
        findings += [
            _find(AuditFault.CHECKPOINT_MISSING, CHECKPOINTS_INSIDE, number)
            for number in sorted(copies)
            if number > inner.last  # a lower one was reported when it was skipped
        ]
        self.count = max(outer.last, inner.last)
        return findings

    def names(self) -> Iterator[str]:
        """Yield the chains that some checkpoint names, in order."""
        yield from sorted(self._digests)

    def at(self, chain: str, sequence: int) -> bytes | None:
        """Return the digest that a checkpoint names there, or None."""
        return self._digests.get(chain, {}).get(sequence)

    def last(self, chain: str) -> int:
        """Return the highest place that a checkpoint names, or 0."""
        return max(self._digests.get(chain, {}), default=0)

    def reach(self, chain: str) -> int:
        """Return the highest place that a checkpoint outside names, or 0."""
        return self._reach.get(chain, 0)

    def _anchor(self, checkpoint: Checkpoint) -> list[AuditFinding]:
        self.until = checkpoint.at
        for head in checkpoint.heads:
            self._reach[head.chain] = max(self.reach(head.chain), head.sequence)
        return self._expect(checkpoint)

    def _expect(self, checkpoint: Checkpoint) -> list[AuditFinding]:
        findings = []
        for head in checkpoint.heads:
            places = self._digests.setdefault(head.chain, {})
            if places.setdefault(head.sequence, head.digest) != head.digest:
                fault = AuditFault.CHAIN_FORKED
                findings.append(_find(fault, head.chain, head.sequence))
        return findings


class _Sequence:
    """The checkpoints in the database or outside it; each continues the one before."""

    def __init__(self, name: str, is_signed: Callable[[Checkpoint], bool]) -> None:
        self.last = 0
        self._name = name
        self._digest = EMPTY_CHAIN
        self._is_signed = is_signed

    def begin_after(self, checkpoint: Checkpoint) -> list[AuditFinding]:
        """Start after a checkpoint, of which only the signature is examined."""
        self.last, self._digest = checkpoint.number, checkpoint.digest()
        if self._is_signed(checkpoint):
            return []
        fault = AuditFault.CHECKPOINT_SIGNATURE
        return [_find(fault, self._name, checkpoint.number)]

    def examine(self, checkpoint: Checkpoint) -> list[AuditFinding]:
        """Return the faults of the next checkpoint itself."""
        number = checkpoint.number
        missing = range(self.last + 1, number)
        findings = [
            _find(AuditFault.CHECKPOINT_MISSING, self._name, gap) for gap in missing
        ]
        follows = not missing and checkpoint.previous == self._digest
        if number <= self.last or not (follows or missing):
            findings.append(_find(AuditFault.CHECKPOINT_EDITED, self._name, number))
        if not self._is_signed(checkpoint):
            findings.append(_find(AuditFault.CHECKPOINT_SIGNATURE, self._name, number))
        self.last = max(self.last, number)
        self._digest = checkpoint.digest()
        return findings


@dataclass(slots=True, kw_only=True)
class _ChainCheck:
    """One chain as it is read, event by event."""

    name: str
    anchors: _Anchors
    events: int = 0
    unanchored: int = 0
    _last: int = 0
    _digest: bytes = EMPTY_CHAIN
    _gaps: list[range] = field(default_factory=list)

    def begin_after(self, head: ChainHead) -> None:
        """Start after a head that is proved already."""
        self._last, self._digest = head.sequence, head.digest

    def examine(self, stored: Iterable[RecordedEvent]) -> list[AuditFinding]:
        """Return the faults of the chain."""
        findings: list[AuditFinding] = []
        for event in stored:
            self.events += 1
            self.unanchored += event.sequence > self.anchors.reach(self.name)
            findings += [
                _find(fault, self.name, sequence)
                for fault, sequence in self._place(event)
            ]
        if self._last < self.anchors.last(self.name):
            fault = AuditFault.CHAIN_TRUNCATED
            findings.append(_find(fault, self.name, self._last + 1))
        return findings

    def _place(self, event: RecordedEvent) -> Iterator[tuple[AuditFault, int]]:
        """Yield the faults of an event, and append it to the chain."""
        sequence = event.sequence
        if sequence <= self._last:
            late = any(sequence in gap for gap in self._gaps)
            yield (
                AuditFault.EVENT_REORDERED if late else AuditFault.CHAIN_FORKED,
                sequence,
            )
            return
        expected = hash_event(self.name, sequence, event.previous, event.body)
        if event.digest != expected or event.chain != self.name:
            yield AuditFault.EVENT_EDITED, sequence
        if sequence > self._last + 1:
            self._gaps.append(range(self._last + 1, sequence))
            yield AuditFault.EVENT_MISSING, self._last + 1
        elif event.previous != self._digest:
            yield AuditFault.LINK_BROKEN, sequence
        anchor = self.anchors.at(self.name, sequence)
        if anchor is not None and anchor != event.digest:
            yield AuditFault.CHAIN_FORKED, sequence
        self._last, self._digest = sequence, event.digest


def _is_trusted(faults: Iterable[AuditFinding]) -> bool:
    """Return whether a checkpoint's heads count: its signature must verify."""
    return all(found.fault is not AuditFault.CHECKPOINT_SIGNATURE for found in faults)


def _fingerprint(checkpoint: Checkpoint) -> bytes:
    return hashlib.sha256(checkpoint.digest() + checkpoint.signature).digest()


def _find(fault: AuditFault, chain: str, sequence: int) -> AuditFinding:
    return AuditFinding(fault=fault, chain=chain, sequence=sequence)
