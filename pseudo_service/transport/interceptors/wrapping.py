"""One way to wrap a handler, so that an interceptor is only a context manager."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

if TYPE_CHECKING:  # gRPC's classes are generic in their stubs only
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
    Interceptor: TypeAlias = grpc.ServerInterceptor[Any, Any]
else:
    Handler = grpc.RpcMethodHandler
    Interceptor = grpc.ServerInterceptor

Behaviour = Callable[[Any, grpc.ServicerContext], Any]
Continuation = Callable[[grpc.HandlerCallDetails], Handler | None]


class ContextManagerInterceptor(Interceptor, ABC):
    """Wraps every call, of all four arities, in the context manager ``enclose``."""

    @abstractmethod
    def enclose(
        self,
        context: grpc.ServicerContext,
        details: grpc.HandlerCallDetails,
        handler: Handler,
    ) -> AbstractContextManager[None]:
        """Return the context manager of one call: from its first step to its last."""

    def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Wrap the handler; an unknown method stays unknown."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None

        def enclose(context: grpc.ServicerContext) -> AbstractContextManager[None]:
            return self.enclose(context, handler_call_details, handler)

        return wrap_handler(handler, enclose)


def wrap_handler(
    handler: Handler,
    enclose: Callable[[grpc.ServicerContext], AbstractContextManager[None]],
) -> Handler:
    """Return the handler with its behaviour inside the context manager.

    A streamed answer is wrapped as a generator: the context manager is entered at
    the first answer and left after the last, also when the client goes away.
    """
    behaviour = behaviour_of(handler)
    wrapped = (
        _wrap_stream(behaviour, enclose)
        if handler.response_streaming
        else _wrap_unary(behaviour, enclose)
    )
    make = MAKERS[bool(handler.request_streaming), bool(handler.response_streaming)]
    return make(wrapped, handler.request_deserializer, handler.response_serializer)


MAKERS: dict[tuple[bool, bool], Callable[..., Handler]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}
"""How a handler is made, by whether its requests and its answers are streams."""


def behaviour_of(handler: Handler) -> Behaviour:
    """Return what a handler does, whatever its arity."""
    behaviour: Behaviour | None = (
        (handler.stream_stream or handler.stream_unary)
        if handler.request_streaming
        else (handler.unary_stream or handler.unary_unary)
    )
    if behaviour is None:
        msg = "a handler without behaviour"
        raise TypeError(msg)
    return behaviour


def _wrap_unary(
    behaviour: Behaviour,
    enclose: Callable[[grpc.ServicerContext], AbstractContextManager[None]],
) -> Behaviour:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        with enclose(context):
            return behaviour(request, context)

    return answer


def _wrap_stream(
    behaviour: Behaviour,
    enclose: Callable[[grpc.ServicerContext], AbstractContextManager[None]],
) -> Behaviour:
    def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        with enclose(context):
            yield from behaviour(request, context)

    return answer
