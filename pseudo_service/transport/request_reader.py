"""Reads a stream's requests ahead, in a thread of its own, within a bound.

While one batch is computed and committed, the next is received. The bound is what
keeps memory to the batches in flight: a full queue stops reading, and gRPC's flow
control then stops the client.
"""

import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from pseudo_service.core.errors import StreamIncomplete

_Request = TypeVar("_Request")
_POLL_SECONDS = 0.5


class RequestReader(Generic[_Request]):
    """Hands out requests in order, and tells whether one is waiting."""

    def __init__(
        self, requests: Iterator[_Request], *, ahead: int, idle_seconds: float
    ) -> None:
        self._requests = requests
        self._queue: queue.Queue[_Request | None] = queue.Queue(maxsize=ahead)
        self._idle_seconds = idle_seconds
        self._closed = threading.Event()
        self._thread = threading.Thread(
            target=self._read, name="request-reader", daemon=True
        )

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def has_waiting(self) -> bool:
        """Return whether the next request, or the end, has arrived already."""
        return not self._queue.empty()

    def take(self) -> _Request | None:
        """Return the next request; None when the client sent its last.

        Raises:
            StreamIncomplete: Nothing came for longer than a stream may idle.
        """
        try:
            return self._queue.get(timeout=self._idle_seconds)
        except queue.Empty:
            msg = (
                f"nothing was sent for {self._idle_seconds:.0f} seconds: the stream is "
                "given up, send the table again"
            )
            raise StreamIncomplete(msg) from None

    def close(self) -> None:
        """Stop reading, at once if the call has ended, else with the next request."""
        self._closed.set()

    def _read(self) -> None:
        try:
            for request in self._requests:
                if not self._put(request):
                    return
        except Exception:  # noqa: BLE001, S110 - gRPC raises a bare Exception when a
            pass  # client goes away; either way there is nothing more to read
        self._put(None)

    def _put(self, request: _Request | None) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(request, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False
