"""A unary call's message is read after its caller is known, not before.

gRPC's synchronous server waits for the one message of a unary call, and parses it,
before it runs any interceptor's behaviour. Whoever can open a connection could so
hold every thread by sending headers only, or have messages of the largest size
parsed for nothing. A stream's messages are read when they are asked for: the
outermost interceptor therefore makes every call one with a stream of requests, the
innermost takes its one message, and those between see a unary call.
"""

from collections.abc import Iterator
from typing import Any

import grpc

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.transport.interceptors.wrapping import (
    MAKERS,
    Continuation,
    Handler,
    Interceptor,
    behaviour_of,
)


class DeferUnaryRequest(Interceptor):
    """Outermost: hands the messages on unread."""

    def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Turn a unary request into a stream of one."""
        handler = continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler
        return MAKERS[True, bool(handler.response_streaming)](
            behaviour_of(handler),
            handler.request_deserializer,
            handler.response_serializer,
        )


class ReadUnaryRequest(Interceptor):
    """Innermost: reads the one message of a unary call."""

    def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Give the servicer its message, once everything else has let the call by."""
        handler = continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler
        behaviour = behaviour_of(handler)

        def answer(requests: Iterator[Any], context: grpc.ServicerContext) -> Any:
            return behaviour(_read_one(requests, context), context)

        return MAKERS[False, bool(handler.response_streaming)](
            answer, handler.request_deserializer, handler.response_serializer
        )


def _read_one(requests: Iterator[Any], context: grpc.ServicerContext) -> Any:
    for request in requests:
        return request
    if not context.is_active():
        raise grpc.RpcError  # the client has gone, as gRPC itself says it
    msg = "the call came without its message"
    raise InvalidArgument(msg)
