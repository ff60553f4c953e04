"""A parent that keeps its workers running, and gives up only when none can."""

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from pseudo_service.ports.telemetry import Level, Telemetry

QUICK_DEATH_SECONDS = 10.0
MOST_QUICK_DEATHS = 3
LONGEST_PAUSE_SECONDS = 60.0
POLL_SECONDS = 0.2
EXIT_FAILED = 1


class Process(Protocol):
    """The part of ``subprocess.Popen`` that a worker needs."""

    @property
    def pid(self) -> int:
        """Return its number."""
        ...

    def poll(self) -> int | None:
        """Return its exit code; None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its exit code; raises ``subprocess.TimeoutExpired``."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it."""
        ...


class Worker:
    """A worker process that is started again when it dies, after a growing pause."""

    def __init__(
        self,
        start: Callable[[], Process],
        *,
        forget: Callable[[int], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start it.

        Args:
            start: Starts a process.
            forget: Told the number of each process that died.
            now: Seconds of a clock that is never set.
        """
        self._begin = start
        self._forget = forget
        self._now = now
        self._quick_deaths = 0
        self._again_at: float | None = None
        self._start()

    @property
    def keeps_dying(self) -> bool:
        """Return whether it is dead, and died at once the last few times."""
        is_dead = self._again_at is not None
        return is_dead and self._quick_deaths >= MOST_QUICK_DEATHS

    def keep_running(self, telemetry: Telemetry) -> None:
        """Start it again if it died and its pause is over."""
        if self._again_at is None:
            code = self._process.poll()
            if code is None:
                return
            self._note_death(code, telemetry)
        if self._again_at is not None and self._now() >= self._again_at:
            self._start()

    def terminate(self) -> None:
        """Ask it to drain."""
        if self._process.poll() is None:
            self._process.terminate()

    def join(self, patience: float) -> int:
        """Wait until it has stopped; one that does not is killed."""
        try:
            return abs(self._process.wait(patience))
        except subprocess.TimeoutExpired:
            self._process.kill()
            return EXIT_FAILED

    def _note_death(self, code: int, telemetry: Telemetry) -> None:
        quick = self._now() - self._started < QUICK_DEATH_SECONDS
        self._quick_deaths = self._quick_deaths + 1 if quick else 0
        pause = min(2.0 ** (self._quick_deaths - 1), LONGEST_PAUSE_SECONDS)
        self._again_at = self._now() + (pause if self._quick_deaths else 0.0)
        self._forget(self._process.pid)
        telemetry.log("worker_died", Level.ERROR, exit_code=code)

    def _start(self) -> None:
        self._again_at = None
        self._started = self._now()
        self._process = self._begin()


def supervise(
    workers: Sequence[Worker],
    *,
    stopping: threading.Event,
    telemetry: Telemetry,
    patience: float,
) -> int:
    """Keep workers running until the event is set; return the exit code.

    One that cannot start, while the database or the vault is away, is tried again and
    again and ends none that serves. Only where all of them keep dying nobody is left
    to serve, and whoever started this process must know.

    Args:
        workers: Started.
        stopping: Set by a signal.
        telemetry: Told of deaths.
        patience: Seconds that a worker has to drain.
    """
    exit_code = 0
    while not stopping.wait(POLL_SECONDS):
        for worker in workers:
            worker.keep_running(telemetry)
        if all(worker.keeps_dying for worker in workers):
            telemetry.log("workers_keep_dying", Level.ERROR)
            exit_code = EXIT_FAILED
            break
    for worker in workers:
        worker.terminate()
    return max([exit_code, *(worker.join(patience) for worker in workers)])
