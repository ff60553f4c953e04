"""Calls whose message has not come: how many there may be, and how long."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

SWEEP_SECONDS = 1.0


class Cancellable(Protocol):
    """The part of ``grpc.ServicerContext`` that ends a call from another thread."""

    def cancel(self) -> object:
        """End the call; whoever waits for its message stops waiting."""
        ...


class Wait:
    """One call that waits for its message."""

    def __init__(self, call: Cancellable, *, until: float) -> None:
        self.until = until
        self.ended = False
        self._call = call

    def end(self) -> None:
        """End the call, whose thread then sees that it was ``ended`` here."""
        self.ended = True
        self._call.cancel()


class FirstMessages:
    """Ends the calls that wait too long, or among too many, for their message.

    A client sends a unary call's message with its headers, so an honest call hardly
    waits. One that does holds a thread. Where ``most`` wait, the one that has waited
    longest gives way to the next, so that no number of silent calls keeps others out.
    """

    def __init__(self, *, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._waiting: OrderedDict[Wait, None] = OrderedDict()  # the oldest first
        self._lock = threading.Lock()
        self._sweeper: threading.Thread | None = None

    @contextmanager
    def wait(self, call: Cancellable) -> Iterator["Wait"]:
        """Count a call as waiting while the block runs; it may be ended meanwhile."""
        wait = Wait(call, until=time.monotonic() + self._seconds)
        given_way = None
        with self._lock:
            self._waiting[wait] = None
            if len(self._waiting) > self._most:
                given_way, _ = self._waiting.popitem(last=False)
            self._ensure_sweeper()
        if given_way is not None:
            given_way.end()
        try:
            yield wait
        finally:
            with self._lock:
                self._waiting.pop(wait, None)

    def _ensure_sweeper(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Thread(
                target=self._sweep, name="first-messages", daemon=True
            )
            self._sweeper.start()

    def _sweep(self) -> None:
        """End what is overdue, for as long as anything waits."""
        while True:
            time.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            with self._lock:
                overdue = [wait for wait in self._waiting if wait.until <= now]
                for wait in overdue:
                    del self._waiting[wait]
                is_done = not self._waiting
                if is_done:
                    self._sweeper = None
            for wait in overdue:
                wait.end()
            if is_done:
                return
