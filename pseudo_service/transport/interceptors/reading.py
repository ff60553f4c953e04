"""Messages are read after their caller is known, not before, and by ourselves.

gRPC's synchronous server waits for the one message of a unary call, and parses it,
before it runs any interceptor's behaviour. Whoever can open a connection could so
hold every thread by sending headers only, or have messages of the largest size
parsed for nothing. A stream's messages are read when they are asked for: the
outermost interceptor therefore makes every call one with a stream of requests, the
innermost takes its one message, and those between see a unary call.

What cannot be parsed is the caller's mistake. gRPC would call it ours, and without
a cause; so the outermost interceptor has it hand bytes on, and the innermost parses.
"""

from collections.abc import Callable, Iterator
from typing import Any

import grpc

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.transport.interceptors.calls import current_call
from pseudo_service.transport.interceptors.first_messages import FirstMessages
from pseudo_service.transport.interceptors.wrapping import (
    MAKERS,
    Continuation,
    Handler,
    Interceptor,
    behaviour_of,
)

Parse = Callable[[bytes], Any]


class DeferRequests(Interceptor):
    """Outermost: hands the messages on unread and unparsed."""

    def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Turn a unary request into a stream of one."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        return MAKERS[True, bool(handler.response_streaming)](
            behaviour_of(handler), None, handler.response_serializer
        )


class ReadRequests(Interceptor):
    """Innermost: reads and parses, once everything else has let the call by."""

    def __init__(self, *, strangers: FirstMessages, callers: FirstMessages) -> None:
        """Take the limits of who may wait for a message.

        Args:
            strangers: Of public methods, whose callers nobody knows.
            callers: Of verified callers, who have places of their own and may send
                a large message over a slow line.
        """
        self._strangers = strangers
        self._callers = callers

    def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Give the servicer its message, or its messages."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        behaviour, parse = behaviour_of(handler), handler.request_deserializer or bytes
        read = self._read_one
        if handler.request_streaming:
            read = _read_each

        def answer(requests: Iterator[bytes], context: grpc.ServicerContext) -> Any:
            return behaviour(read(requests, parse, context), context)

        make = MAKERS[bool(handler.request_streaming), bool(handler.response_streaming)]
        return make(answer, handler.request_deserializer, handler.response_serializer)

    def _read_one(
        self, requests: Iterator[bytes], parse: Parse, context: grpc.ServicerContext
    ) -> Any:
        is_known = current_call().proven_actor is not None
        first_messages = self._callers if is_known else self._strangers
        with first_messages.wait(context) as wait:
            try:
                request = next(requests, None)
            except grpc.RpcError:
                if not wait.ended:
                    raise
                request = None
        if request is not None:
            return _parse(request, parse)
        if wait.ended:
            msg = "the call's message did not come: send it with the call's headers"
            raise InvalidArgument(msg)
        if not context.is_active():
            raise grpc.RpcError  # the client has gone, as gRPC itself says it
        msg = "the call came without its message"
        raise InvalidArgument(msg)


def _read_each(
    requests: Iterator[bytes], parse: Parse, context: grpc.ServicerContext
) -> Iterator[Any]:
    del context
    for request in requests:
        yield _parse(request, parse)


def _parse(request: bytes, parse: Parse) -> Any:
    try:
        return parse(request)
    except Exception:  # noqa: BLE001 - protobuf's own class differs by implementation
        msg = (
            "a message cannot be parsed: it is damaged, is another message, or holds "
            "text that is not UTF-8; compare the versions of the contract"
        )
        raise InvalidArgument(msg) from None
