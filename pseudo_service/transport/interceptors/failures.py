"""Turns every failure into a status that tells a cause and never a value."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import grpc

from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import PseudoError
from pseudo_service.core.exception_names import name_places, name_type
from pseudo_service.ports.telemetry import Level, Telemetry
from pseudo_service.transport.interceptors.calls import CallContext, current_call
from pseudo_service.transport.interceptors.telemetry import REQUEST_ID_KEY
from pseudo_service.transport.interceptors.wrapping import (
    ContextManagerInterceptor,
    Handler,
)
from pseudo_service.transport.status import STATUS_BY_CODE, build_status, read_code

# What a caller did wrong is information; what broke here is for an operator.
_LEVELS: Mapping[grpc.StatusCode, Level] = MappingProxyType(
    {
        grpc.StatusCode.INTERNAL: Level.ERROR,
        grpc.StatusCode.DATA_LOSS: Level.ERROR,
        grpc.StatusCode.UNAVAILABLE: Level.WARNING,
    }
)


class FailuresInterceptor(ContextManagerInterceptor):
    """A ``PseudoError`` goes out with its code; anything else only with an id.

    gRPC would log an exception's text and send it to the client, and the text of a
    library's exception may quote a cell. So nothing but an abort, or gRPC's own
    notice that the client has gone, ever leaves here.
    """

    def __init__(self, *, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    @contextmanager
    def enclose(
        self,
        context: grpc.ServicerContext,
        details: grpc.HandlerCallDetails,
        handler: Handler,
    ) -> Iterator[None]:
        """Pass answers through, and translate whatever is raised."""
        call = current_call()
        try:
            yield
        except GeneratorExit:
            raise
        except PseudoError as refusal:
            code, message = refusal.code, refusal.message
            self._note(call, refusal, code)
        except BaseException as error:
            # BaseException: a panic inside a library in Rust is not an Exception.
            if _is_of_grpc(error, context):
                raise
            code = ErrorCode.INTERNAL
            message = f"internal error; quote id {call.request_id}"
            self._note(call, error, code)
        else:
            return
        call.code = code
        _abort(context, call, code, message)

    def _note(self, call: CallContext, error: BaseException, code: ErrorCode) -> None:
        internal = code is ErrorCode.INTERNAL
        cause = error.__cause__
        level = _LEVELS.get(STATUS_BY_CODE[code], Level.INFO)
        if code is ErrorCode.DATABASE_REPLACED:
            level = Level.ERROR  # it passes by itself, but what happened must be known
        self._telemetry.log(
            "call_failed" if internal else "call_refused",
            level,
            request_id=call.request_id,
            method=call.method,
            code=code,
            exception_type=name_type(type(error)),
            cause_type=name_type(type(cause)) if cause else None,
            place=name_places(error.__traceback__),
        )


def _is_of_grpc(error: BaseException, context: grpc.ServicerContext) -> bool:
    """Return whether gRPC raised it to end the call, and expects it back."""
    if type(error) is grpc.RpcError:
        return not context.is_active()
    bare = type(error) is Exception and not error.args
    return bare and read_code(context) is not None


def _abort(
    context: grpc.ServicerContext, call: CallContext, code: ErrorCode, message: str
) -> None:
    status = build_status(
        code, message, call.request_id, ((REQUEST_ID_KEY, call.request_id),)
    )
    try:
        context.abort_with_status(status)
    except Exception as abort:
        # Nobody who prints this exception may print the one it replaces.
        abort.__suppress_context__ = True
        raise
