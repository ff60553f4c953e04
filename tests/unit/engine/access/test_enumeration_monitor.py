"""The watch tells, once in ten minutes, and refuses where it is to block."""

import json

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.access.enumeration import EnumerationSettings, EnumerationSign
from pseudo_service.core.access.roles import Actor
from pseudo_service.core.audit.events import AuditEvent, AuditKind
from pseudo_service.core.errors import OracleSuspected
from pseudo_service.core.identifiers.identities import Identities
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.engine.access.enumeration_monitor import EnumerationMonitor
from pseudo_service.ports.journal import BatchChange, PendingCommit
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.services.telemetry import RecordingTelemetry
from tests.lib.values.nhs_numbers import make_nhs_number

LOADER = Actor(subject="loader", grants=frozenset(), expires_at=None)
OTHER = Actor(subject="other", grants=frozenset(), expires_at=None)


class KeptEvents:
    """A journal of events only."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    def record(self, event: AuditEvent) -> None:
        self.events.append(event)

    def submit(self, change: BatchChange) -> PendingCommit:
        del change
        raise AssertionError


class Watched:
    """A watch with all that it speaks to."""

    def __init__(self, **settings: float) -> None:
        self.journal = KeptEvents()
        self.telemetry = RecordingTelemetry()
        self.clock = FakeClock()
        self.watch = EnumerationMonitor(
            settings=EnumerationSettings(**settings),  # type: ignore[arg-type]
            journal=self.journal,
            telemetry=self.telemetry,
            clock=self.clock,
        )

    def call(self, seeds: range, *, actor: Actor = LOADER, new: int = 0) -> None:
        identities = name(seeds)
        self.watch.check_call([identities], actor=actor, project="asthma")
        asked = len(identities.canonical)
        self.watch.record_new(asked=asked, new=new, actor=actor, project="asthma")


def name(seeds: range, kind: str = "nhs_number") -> Identities:
    numbers = sorted({make_nhs_number(seed) for seed in seeds})
    return Identities(
        kind=IdentifierKind.parse(kind),
        canonical=pa.array(numbers),
        blind=np.zeros((len(numbers), 16), np.uint8),
    )


def test_a_row_of_neighbours_spread_over_calls_is_seen_at_its_twentieth() -> None:
    watched = Watched()
    for seed in range(500, 519, 6):  # 19 to 24 numbers, six at a time
        assert not watched.journal.events
        watched.call(range(seed, seed + 6))
    (event,) = watched.journal.events
    assert event.kind is AuditKind.ORACLE_SUSPECTED
    assert event.details["sign"] == "sequential"
    assert event.details["blocked"] is False
    assert int(str(event.details["in_runs"])) >= 20
    assert (event.actor, event.project) == ("loader", "asthma")


def test_the_same_row_over_two_hours_is_not_seen() -> None:
    watched = Watched()
    for seed in range(500, 540):
        watched.call(range(seed, seed + 1))
        watched.clock.advance(minutes=6)
    assert not watched.journal.events


def test_callers_are_judged_apart() -> None:
    watched = Watched()
    watched.call(range(500, 514))
    watched.call(range(514, 528), actor=OTHER)
    assert not watched.journal.events


def test_a_sign_is_counted_each_time_and_told_once_in_ten_minutes() -> None:
    watched = Watched()
    for _ in range(3):
        watched.call(range(500, 540))
    assert watched.telemetry.enumeration_signs[EnumerationSign.SEQUENTIAL] == 3
    assert len(watched.journal.events) == 1
    watched.clock.advance(minutes=10)
    watched.call(range(500, 540))
    assert len(watched.journal.events) == 2


def test_no_number_reaches_the_event() -> None:
    watched = Watched()
    watched.call(range(500, 540))
    (event,) = watched.journal.events
    told = json.dumps(dict(event.details))
    assert not [n for n in name(range(500, 540)).canonical.to_pylist() if n[:9] in told]


def test_strangers_in_a_burst_are_told() -> None:
    watched = Watched(novel_per_hour=30)
    watched.call(range(0, 200_000, 10_000), new=16)
    assert not watched.journal.events
    watched.call(range(300_000, 500_000, 10_000), new=18)
    (event,) = watched.journal.events
    assert event.details == {
        "sign": "novel_burst",
        "blocked": False,
        "looked_at": 40,
        "new": 34,
    }


def test_as_many_strangers_among_people_known_are_work() -> None:
    watched = Watched(novel_per_hour=30)
    watched.call(range(0, 600_000, 10_000), new=34)
    assert not watched.journal.events


def test_where_it_blocks_the_call_is_refused_and_the_next_before_it_registers() -> None:
    watched = Watched(block=True, novel_per_hour=10)
    with pytest.raises(OracleSuspected, match="novel_burst"):
        watched.call(range(0, 200_000, 10_000), new=20)
    with pytest.raises(OracleSuspected):
        watched.watch.check_call([name(range(7, 8))], actor=LOADER, project="asthma")
    assert watched.journal.events[0].details["blocked"] is True
    watched.clock.advance(minutes=61)
    watched.watch.check_call([name(range(7, 8))], actor=LOADER, project="asthma")


def test_a_batch_is_judged_alone_and_never_for_strangers() -> None:
    watched = Watched(block=True)
    for first in (500, 512, 524):
        watched.watch.check_batch(
            [name(range(first, first + 12))],
            actor=LOADER,
            project="asthma",
            operation="run-2026-1",
        )
    with pytest.raises(OracleSuspected, match="sequential"):
        watched.watch.check_batch(
            [name(range(500, 540))],
            actor=LOADER,
            project="asthma",
            operation="run-2026-1",
        )
    assert watched.journal.events[0].operation == "run-2026-1"


def test_local_numbers_are_in_order_by_nature() -> None:
    watched = Watched(block=True)
    watched.watch.check_batch(
        [name(range(500, 540), "mrn@RXH")],
        actor=LOADER,
        project="asthma",
        operation="run-2026-1",
    )
    assert not watched.journal.events


def test_callers_of_long_ago_are_forgotten() -> None:
    watched = Watched(callers=2)
    for subject in ("a", "b", "c"):
        one = Actor(subject=subject, grants=frozenset(), expires_at=None)
        watched.call(range(500, 510), actor=one)
    assert [key[0] for key in watched.watch._calls] == ["b", "c"]
    watched.clock.advance(minutes=61)
    watched.call(range(500, 510), actor=OTHER)
    assert [key[0] for key in watched.watch._calls] == ["other"]
