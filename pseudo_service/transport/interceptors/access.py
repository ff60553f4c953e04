"""Closes every method that is not in the table."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from pseudo_service.core.errors import AccessDenied
from pseudo_service.transport.interceptors.calls import current_call
from pseudo_service.transport.interceptors.methods import MethodTable
from pseudo_service.transport.interceptors.wrapping import (
    ContextManagerInterceptor,
    Handler,
)


class AccessInterceptor(ContextManagerInterceptor):
    """Lets a call through that is public, or listed and made by a verified caller.

    The project is inside the message, so the engine checks the permission there.
    """

    def __init__(self, *, methods: MethodTable) -> None:
        self._methods = methods

    @contextmanager
    def enclose(
        self,
        context: grpc.ServicerContext,
        details: grpc.HandlerCallDetails,
        handler: Handler,
    ) -> Iterator[None]:
        """Refuse what is not listed."""
        if details.method not in self._methods.public:
            if details.method not in self._methods.authenticated:
                msg = "this method is not in the service's table of permitted methods"
                raise AccessDenied(msg)
            # Raises if an interceptor outside this one let nobody in particular by.
            _ = current_call().actor
        yield
