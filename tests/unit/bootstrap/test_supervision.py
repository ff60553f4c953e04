"""Workers that die, one by one and all together."""

import threading

import pytest

from pseudo_service.bootstrap import supervision
from pseudo_service.bootstrap.supervision import Worker, supervise
from tests.lib.services.telemetry import RecordingTelemetry


class FakeProcess:
    """A process that has died already, or runs until it is asked to end."""

    pid = 1

    def __init__(self, code: int | None) -> None:
        self.code = code

    def poll(self) -> int | None:
        return self.code

    def wait(self, timeout: float | None = None) -> int:
        del timeout
        assert self.code is not None
        return self.code

    def terminate(self) -> None:
        self.code = 0

    def kill(self) -> None:
        self.code = -9


class Ticking:
    """Telemetry that lets time pass at each note, and stops all after some."""

    def __init__(self, deck: "Deck", *, seconds: float, last: int = 99) -> None:
        self._deck, self._seconds, self._last = deck, seconds, last
        self.names: list[object] = []
        self.stopping = threading.Event()

    def log(self, *note: object, exit_code: int = 0) -> None:
        del exit_code
        self._deck.time += self._seconds
        self.names.append(note[0])
        if len(self.names) == self._last:
            self.stopping.set()


class Deck:
    """Starts processes that end as they are dealt, by a clock that tests set."""

    def __init__(self, *codes: int | None) -> None:
        self.codes = list(codes)
        self.processes: list[FakeProcess] = []
        self.time = 0.0
        self.telemetry = RecordingTelemetry()

    def start(self) -> FakeProcess:
        code = self.codes.pop(0) if self.codes else None
        self.processes.append(FakeProcess(code))
        return self.processes[-1]

    def make_worker(self) -> Worker:
        return Worker(self.start, forget=lambda _: None, now=lambda: self.time)

    def wait(self, worker: Worker, seconds: float) -> None:
        self.time += seconds
        worker.keep_running(self.telemetry)


def test_a_worker_that_served_is_started_again_at_once() -> None:
    deck = Deck(None, None)
    worker = deck.make_worker()
    deck.processes[0].code = -9
    deck.wait(worker, 60)
    assert len(deck.processes) == 2
    assert not worker.keeps_dying


def test_one_that_dies_at_once_is_tried_again_after_longer_and_longer() -> None:
    deck = Deck(*[4] * 9)
    worker = deck.make_worker()
    pauses = []
    for started in range(2, 10):
        begun = deck.time
        while len(deck.processes) < started:
            deck.wait(worker, 0.25)
        pauses.append(round(deck.time - begun))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_worker_that_cannot_start_ends_none_that_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervision, "POLL_SECONDS", 0.001)
    deck = Deck(None, *[4] * 9)
    workers = [deck.make_worker(), deck.make_worker()]
    told = Ticking(deck, seconds=100, last=7)
    ended = supervise(workers, stopping=told.stopping, telemetry=told, patience=1)
    assert told.names == ["worker_died"] * 7
    assert deck.processes[0].code == 0, "it served until it was asked to end"
    assert ended == 4


def test_where_all_keep_dying_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "POLL_SECONDS", 0.001)
    deck = Deck(*[2] * 40)
    workers = [deck.make_worker(), deck.make_worker()]

    told = Ticking(deck, seconds=4)
    ended = supervise(workers, stopping=told.stopping, telemetry=told, patience=1)
    assert ended == 2
    assert told.names[-1] == "workers_keep_dying"
    assert len(deck.processes) < 10
