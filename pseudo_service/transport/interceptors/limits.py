"""How many streams one caller may have open at a time."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from pseudo_service.core.errors import TooManyStreams
from pseudo_service.transport.interceptors.calls import current_call
from pseudo_service.transport.interceptors.wrapping import (
    ContextManagerInterceptor,
    Handler,
)

_ANYBODY = ""


class StreamLimiter:
    """Counts the open streams of each caller in this process."""

    def __init__(self, *, maximum: int) -> None:
        self._maximum = maximum
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, subject: str) -> Iterator[None]:
        """Count a stream while the block runs.

        Raises:
            TooManyStreams: The caller has as many open as it may.
        """
        with self._lock:
            if self._open[subject] >= self._maximum:
                msg = (
                    f"this caller has {self._maximum} streams open, which is all "
                    "it may have: wait until one ends"
                )
                raise TooManyStreams(msg)
            self._open[subject] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[subject] -= 1
                if not self._open[subject]:
                    del self._open[subject]


class StreamLimitInterceptor(ContextManagerInterceptor):
    """Holds a place for every stream; each holds a thread of the server."""

    def __init__(self, *, limiter: StreamLimiter) -> None:
        self._limiter = limiter

    @contextmanager
    def enclose(
        self,
        context: grpc.ServicerContext,
        details: grpc.HandlerCallDetails,
        handler: Handler,
    ) -> Iterator[None]:
        """Count a stream under its caller; all callers of public methods are one."""
        if not (handler.request_streaming or handler.response_streaming):
            yield
            return
        actor = current_call().proven_actor
        with self._limiter.hold(actor.subject if actor else _ANYBODY):
            yield
