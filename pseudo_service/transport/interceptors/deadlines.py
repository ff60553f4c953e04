"""Refuses what cannot be answered in time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import grpc

from pseudo_service.core.errors import DeadlineTooShort
from pseudo_service.transport.interceptors.methods import MethodTable
from pseudo_service.transport.interceptors.wrapping import (
    ContextManagerInterceptor,
    Handler,
)


class DeadlineInterceptor(ContextManagerInterceptor):
    """Checks the time left of unary calls.

    A unary call with less than ``shortest`` left would do its work, commit it and
    answer nobody, so it is refused first. A unary call without a deadline is not an
    error. Streams may take as long as they need.
    """

    def __init__(
        self,
        *,
        methods: MethodTable,
        shortest: timedelta = timedelta(milliseconds=50),
    ) -> None:
        self._methods = methods
        self._shortest = shortest

    @contextmanager
    def enclose(
        self,
        context: grpc.ServicerContext,
        details: grpc.HandlerCallDetails,
        handler: Handler,
    ) -> Iterator[None]:
        """Refuse a unary call that has too little time left."""
        streams = handler.request_streaming or handler.response_streaming
        public = details.method in self._methods.public
        # gRPC says "no deadline" as one far in the future.
        left = context.time_remaining()
        if not streams and not public and left < self._shortest.total_seconds():
            milliseconds = self._shortest // timedelta(milliseconds=1)
            msg = (
                f"less than {milliseconds} ms are left to answer: "
                "set a longer deadline on the call"
            )
            raise DeadlineTooShort(msg)
        yield
