"""The workers of a pool: taken by one thread at a time, replaced when dead or worn."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from nlp_redaction.workers.messages import Start
from nlp_redaction.workers.process import WorkerProcess


class WorkerSlots:
    """A fixed number of slots; in each sits a worker, or nobody yet."""

    def __init__(self, first: Start, slots: int, texts_per_worker: int) -> None:
        """Make empty slots.

        Args:
            first: What every new worker is told.
            slots: How many workers there may be.
            texts_per_worker: After how many texts a worker is replaced.
        """
        self._first = first
        self._count = slots
        self._texts_per_worker = texts_per_worker
        # Last in, first out: workers that are warm work, others are never started.
        self._idle: queue.LifoQueue[WorkerProcess | None] = queue.LifoQueue(slots)
        for _ in range(slots):
            self._idle.put(None)

    @contextmanager
    def take(self, mode: str) -> Iterator[WorkerProcess]:
        """Wait for a slot and lend its worker, alive and with the mode loaded.

        Raises:
            ModelMissing: The mode's model cannot be loaded.
            WorkersUnavailable: No worker can be started.
        """
        worker = self._idle.get()
        try:
            if worker is not None and not self._is_fit(worker):
                worker.end()
                worker = None
            if worker is None:
                worker = WorkerProcess.start(self._first)
            worker.prepare(mode)
            yield worker
        finally:
            self._idle.put(worker if worker is not None and worker.is_alive else None)

    def close(self) -> None:
        """Wait for every worker to come back, and end it."""
        for _ in range(self._count):
            worker = self._idle.get()
            if worker is not None:
                worker.end()

    def _is_fit(self, worker: WorkerProcess) -> bool:
        return worker.is_alive and worker.texts < self._texts_per_worker
