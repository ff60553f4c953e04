"""Refuses what cannot be answered in time, and bounds what has no deadline."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import grpc

from pseudo_service.core.errors import DeadlineTooShort
from pseudo_service.ports.clock import Clock
from pseudo_service.transport.interceptors.calls import current_call
from pseudo_service.transport.interceptors.methods import MethodTable
from pseudo_service.transport.interceptors.wrapping import (
    ContextManagerInterceptor,
    Handler,
)

_NO_DEADLINE_SECONDS = 10 * 365 * 86400.0


class DeadlineInterceptor(ContextManagerInterceptor):
    """Checks the time left of unary calls and notes every call's deadline.

    A unary call with less than ``shortest`` left would do its work, commit it and
    answer nobody, so it is refused first. A unary call without a deadline is not
    an error: ``CallContext.deadline`` then holds the service's own bound,
    ``longest`` from its start, for the servicer to pass on. Streams may take as
    long as they need.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        methods: MethodTable,
        shortest: timedelta = timedelta(milliseconds=50),
        longest: timedelta = timedelta(seconds=60),
    ) -> None:
        self._clock = clock
        self._methods = methods
        self._shortest = shortest
        self._longest = longest

    @contextmanager
    def enclose(
        self,
        context: grpc.ServicerContext,
        details: grpc.HandlerCallDetails,
        handler: Handler,
    ) -> Iterator[None]:
        """Note the deadline; refuse a unary call that has too little time left."""
        left = _read_time_left(context)
        streams = bool(handler.request_streaming or handler.response_streaming)
        public = details.method in self._methods.public
        if left is None:
            left = None if streams else self._longest
        elif not streams and not public and left < self._shortest:
            milliseconds = self._shortest // timedelta(milliseconds=1)
            msg = (
                f"less than {milliseconds} ms are left to answer: "
                "set a longer deadline on the call"
            )
            raise DeadlineTooShort(msg)
        if left is not None:
            current_call().deadline = self._clock.now() + left
        yield


def _read_time_left(context: grpc.ServicerContext) -> timedelta | None:
    """Return the time left; gRPC says "no deadline" as one far in the future."""
    seconds = context.time_remaining()
    if not math.isfinite(seconds) or seconds > _NO_DEADLINE_SECONDS:
        return None
    return timedelta(seconds=seconds)
