"""Deals texts to worker processes; withholds the one that hangs or kills them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore, Lock
from typing import Final, Self

from nlp_redaction.errors import Refusal, WorkersUnavailable
from nlp_redaction.replacement.batches import Item, TextItem, answer_in_order
from nlp_redaction.replacement.options import Redacted, Style, withhold
from nlp_redaction.replacement.redactor import (
    TEXTS_AT_ONCE,
    FinderFactory,
    Redactor,
    make_finder,
)
from nlp_redaction.settings import Settings
from nlp_redaction.workers.messages import Start
from nlp_redaction.workers.process import WorkerDied, WorkerTimedOut
from nlp_redaction.workers.worker_slots import WorkerSlots

_CHARACTERS_AT_ONCE: Final = 60_000
_DEALT_A_WORKER: Final = 3
_DEATHS: Final = 2
_Batch = tuple[TextItem, ...]


class WorkerPool:
    """Answers as ``Redactor`` does, in processes that live long.

    A text that takes longer than ``Settings.seconds_per_text`` ends its worker and is
    withheld; so is a text that two workers died of. The other texts of its batch are
    tried again, each alone. A worker is replaced after so many texts, so that what
    leaks in a library does not add up. Safe to call from several threads.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        processes: int = 1,
        *,
        finder_factory: FinderFactory = make_finder,
        texts_per_worker: int = 20_000,
    ) -> None:
        """Make a pool; workers start when they are first needed.

        Args:
            settings: What the deployment sets.
            processes: How many workers; 0 means this process, where there is no
                time-out and a text that kills it kills all.
            finder_factory: See ``Redactor``; must be importable by name.
            texts_per_worker: After how many texts a worker is replaced.
        """
        self._settings = settings or Settings()
        self._processes = processes
        self._here = Redactor(self._settings, finder_factory=finder_factory)
        first = Start(self._settings, finder_factory)
        self._slots = WorkerSlots(first, processes, texts_per_worker)
        self._threads = ThreadPoolExecutor(max(processes, 1), "redaction")
        # What waits is bounded over all callers, so that no queue grows.
        self._room = BoundedSemaphore(max(processes, 1) * _DEALT_A_WORKER)
        self._closing = Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def prepare(self, mode: str) -> None:
        """Load a mode in one worker, to hear now whether it can be loaded.

        Raises:
            ModelMissing: Its model cannot be loaded.
            WorkersUnavailable: No worker can be started, or the pool is closed.
        """
        self._check_open()
        if not self._processes:
            self._here.prepare(mode)
            return
        with self._slots.take(mode):
            pass

    def redact_all(self, items: Sequence[Item], style: Style) -> list[Redacted]:
        """Answer texts in order, as many as came; see ``Redactor.redact_all``.

        Raises:
            ModelMissing: The mode's model cannot be loaded; no text was answered.
            WorkersUnavailable: No worker can be started, or the pool is closed.
        """
        self._check_open()
        if not self._processes:
            return self._here.redact_all(items, style)
        return answer_in_order(
            items, self._settings.longest_text, lambda some: self._deal(some, style)
        )

    def close(self) -> None:
        """End all workers, after what they are doing; later calls are refused."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._threads.shutdown(wait=True)
        self._slots.close()

    def _check_open(self) -> None:
        if self._closed:
            message = "The worker processes are closed; make a new pool."
            raise WorkersUnavailable(message)

    def _deal(self, items: Sequence[TextItem], style: Style) -> list[Redacted]:
        """Send batches to whichever worker is free, and collect them in order.

        A batch that cannot be tried at all, for want of a model or a worker, ends the
        call with its error once the batches already dealt have come back.
        """
        dealt: list[Future[list[Redacted]]] = []
        for batch in _split(items, self._processes):
            if any(each.done() and each.exception() for each in dealt):
                break
            dealt.append(self._submit(batch, style))
        for future in dealt:
            # Waits; the first error is raised only when no batch is on its way.
            future.exception()
        return [redacted for future in dealt for redacted in future.result()]

    def _submit(self, batch: _Batch, style: Style) -> Future[list[Redacted]]:
        self._room.acquire()
        try:
            future = self._threads.submit(self._redact_batch, batch, style)
        except RuntimeError:
            self._room.release()
            self._check_open()
            raise
        future.add_done_callback(lambda _: self._room.release())
        return future

    def _redact_batch(self, batch: _Batch, style: Style) -> list[Redacted]:
        answer = self._try_once(batch, style)
        if isinstance(answer, list):
            return answer
        deaths = int(answer is Refusal.WORKER_DIED)
        if len(batch) == 1 and not deaths:
            return [withhold(answer)]
        return [self._redact_alone(item, style, deaths) for item in batch]

    def _redact_alone(self, item: TextItem, style: Style, deaths: int) -> Redacted:
        while deaths < _DEATHS:
            answer = self._try_once((item,), style)
            if isinstance(answer, list):
                return answer[0]
            if answer is not Refusal.WORKER_DIED:
                return withhold(answer)
            deaths += 1
        return withhold(Refusal.WORKER_DIED)

    def _try_once(self, batch: _Batch, style: Style) -> list[Redacted] | Refusal:
        """Return a worker's answers, or what became of the worker."""
        with self._slots.take(style.mode) as worker:
            try:
                return worker.redact(batch, style, self._settings.seconds_per_text)
            except WorkerTimedOut:
                return Refusal.TIMED_OUT
            except WorkerDied:
                return Refusal.WORKER_DIED


def _split(items: Sequence[TextItem], workers: int) -> Iterator[_Batch]:
    """Yield batches that are small enough to be searched together within the time."""
    most = min(TEXTS_AT_ONCE, -(-len(items) // workers)) if items else 1
    batch: list[TextItem] = []
    characters = 0
    for item in items:
        if batch and (len(batch) == most or characters > _CHARACTERS_AT_ONCE):
            yield tuple(batch)
            batch, characters = [], 0
        batch.append(item)
        characters += len(item[0])
    if batch:
        yield tuple(batch)
