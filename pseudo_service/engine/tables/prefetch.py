"""Runs an iterator in a thread of its own, a bounded number of items ahead.

A table stream is a pipeline of such stages: while one batch is committed and
encoded, the next is computed and the one after is received and decoded. The bound
keeps memory to the batches in flight: a full queue stops its stage, the stages
before it stop in turn, and gRPC's flow control then stops the client.
"""

import queue
import threading
from collections.abc import Iterator
from typing import Generic, Self, TypeVar

from pseudo_service.core.errors import StreamIncomplete

_Item = TypeVar("_Item")
_POLL_SECONDS = 0.2


class _End:
    """Stands in the queue after the last item, with what ended the iterator."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Prefetcher(Generic[_Item]):
    """The items of an iterator, in order, made ahead of their use.

    What the iterator raises is raised to whoever takes the item. Close it in any
    case; ``join`` then waits for the step that is under way.
    """

    def __init__(
        self, items: Iterator[_Item], *, ahead: int, idle_seconds: float
    ) -> None:
        self._items = items
        self._queue: queue.Queue[_Item | _End] = queue.Queue(maxsize=ahead)
        self._idle_seconds = idle_seconds
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stage", daemon=True)
        self._thread.start()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Item:
        item = self._take()
        if not isinstance(item, _End):
            return item
        self._closed.set()
        if item.error is None:
            raise StopIteration
        raise item.error

    def allow_idle(self, seconds: float) -> None:
        """Wait so long for each item from now on."""
        self._idle_seconds = seconds

    def close(self) -> None:
        """Make no more items."""
        self._closed.set()

    def join(self, seconds: float) -> None:
        """Wait until nothing is being made any more."""
        self._thread.join(seconds)

    def _take(self) -> _Item | _End:
        waited = 0.0
        while waited < self._idle_seconds:
            try:
                return self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                waited += _POLL_SECONDS
            if self._closed.is_set():
                return _End(None)
        msg = (
            f"nothing was sent for {self._idle_seconds:.0f} seconds: the stream is "
            "given up, send the table again"
        )
        raise StreamIncomplete(msg)

    def _run(self) -> None:
        end = _End(None)
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where it is taken
            end = _End(error)
        self._put(end)

    def _put(self, item: _Item | _End) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False
