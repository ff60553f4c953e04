"""Outermost: gives every call its id and records how it ended."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.telemetry import CallRecord, Telemetry
from pseudo_service.transport.interceptors.calls import OK, CallContext, begin_call
from pseudo_service.transport.interceptors.methods import MethodTable
from pseudo_service.transport.interceptors.wrapping import (
    ContextManagerInterceptor,
    Handler,
)
from pseudo_service.transport.status import read_code

REQUEST_ID_KEY = "pseudo-request-id"
_UNLISTED = "unlisted"
_EARLY_SECONDS = 0.2  # the client's own timer gives up a little before ours


class TelemetryInterceptor(ContextManagerInterceptor):
    """Draws the request id, tells it to the client, records the call at its end.

    The id is drawn here and never taken from the client, who could put anything
    into it.
    """

    def __init__(
        self,
        *,
        telemetry: Telemetry,
        clock: Clock,
        entropy: Entropy,
        methods: MethodTable,
    ) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._entropy = entropy
        self._methods = methods

    @contextmanager
    def enclose(
        self,
        context: grpc.ServicerContext,
        details: grpc.HandlerCallDetails,
        handler: Handler,
    ) -> Iterator[None]:
        """Begin the call, count it while it is open, record it when it ends."""
        listed = self._methods.lists(details.method)
        call = CallContext(
            method=details.method if listed else _UNLISTED,
            request_id=self._entropy.draw(16).hex(),
            started=self._clock.now(),
        )
        begin_call(call)
        context.set_trailing_metadata(((REQUEST_ID_KEY, call.request_id),))
        streams = bool(handler.request_streaming or handler.response_streaming)
        if streams:
            self._telemetry.move_open_streams(call.method, 1)
        try:
            yield
        finally:
            if streams:
                self._telemetry.move_open_streams(call.method, -1)
            self._record(call, context)

    def _record(self, call: CallContext, context: grpc.ServicerContext) -> None:
        actor = call.proven_actor
        self._telemetry.record_call(
            CallRecord(
                method=call.method,
                request_id=call.request_id,
                code=_read_outcome(call, context),
                started=call.started,
                ended=self._clock.now(),
                subject=actor.subject if actor else None,
                project=call.project,
                rows_in=call.rows_in,
                rows_out=call.rows_out,
            )
        )


def _read_outcome(call: CallContext, context: grpc.ServicerContext) -> str:
    """Return our own code, else what gRPC knows of the call's end."""
    if call.code != OK:
        return call.code
    code = read_code(context)
    if code is not None and code is not grpc.StatusCode.OK:
        return str(code.name)
    if context.is_active():
        return OK
    timed_out = context.time_remaining() < _EARLY_SECONDS
    status = grpc.StatusCode
    return str((status.DEADLINE_EXCEEDED if timed_out else status.CANCELLED).name)
