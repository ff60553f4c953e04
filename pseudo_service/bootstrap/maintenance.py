"""What a process does by the clock, in one thread beside its calls."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pseudo_service.core.errors import PseudoError
from pseudo_service.ports.telemetry import Level, Telemetry


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do again and again; a failure is logged and tried again."""

    name: str
    run: Callable[[], object]
    seconds: float


class Maintenance:
    """Runs tasks until it is stopped; one that fails does not stop the others."""

    def __init__(self, tasks: Sequence[Task], *, telemetry: Telemetry) -> None:
        self._due = {task.name: time.monotonic() + task.seconds for task in tasks}
        self._tasks = tasks
        self._telemetry = telemetry
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="maintenance", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the task that is running."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._choose_pause()):
            for task in self._tasks:
                if time.monotonic() >= self._due[task.name]:
                    self._attempt(task)
                    self._due[task.name] = time.monotonic() + task.seconds

    def _choose_pause(self) -> float:
        return max(0.05, min(self._due.values()) - time.monotonic())

    def _attempt(self, task: Task) -> None:
        try:
            task.run()
        except PseudoError as refusal:
            self._telemetry.log(
                "maintenance_failed",
                Level.WARNING,
                task=task.name,
                code=refusal.code.value,
            )
        except Exception as error:  # noqa: BLE001 - one bad task must not end the rest
            self._telemetry.log(
                "maintenance_failed",
                Level.ERROR,
                task=task.name,
                exception_type=type(error).__name__,
            )
