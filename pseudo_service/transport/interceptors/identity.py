"""Finds out who calls: an access token, or a client certificate."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from pseudo_service.core.access.roles import Actor
from pseudo_service.core.errors import Unauthenticated
from pseudo_service.ports.token_verifier import TokenVerifier
from pseudo_service.transport.interceptors.calls import current_call
from pseudo_service.transport.interceptors.certificates import ClientCertificates
from pseudo_service.transport.interceptors.methods import MethodTable
from pseudo_service.transport.interceptors.wrapping import (
    ContextManagerInterceptor,
    Handler,
)

_AUTHORIZATION_KEY = "authorization"
_SCHEME = "bearer"


class IdentityInterceptor(ContextManagerInterceptor):
    """One caller a call: a bearer token or a listed certificate, never both.

    A bad token is refused even if a listed certificate comes with it, and the roles
    of two identities never add up. A certificate that is not on the list proves
    nothing and takes nothing away (a service mesh gives one to everybody).
    """

    def __init__(
        self,
        *,
        verifier: TokenVerifier,
        certificates: ClientCertificates,
        methods: MethodTable,
    ) -> None:
        self._verifier = verifier
        self._certificates = certificates
        self._methods = methods

    @contextmanager
    def enclose(
        self,
        context: grpc.ServicerContext,
        details: grpc.HandlerCallDetails,
        handler: Handler,
    ) -> Iterator[None]:
        """Write the verified caller into the call."""
        if details.method not in self._methods.public:
            current_call().proven_actor = self._identify(context)
        yield

    def _identify(self, context: grpc.ServicerContext) -> Actor:
        token = _read_token(context)
        certified = self._certificates.identify(context)
        if token is not None and certified is not None:
            msg = "show a token or a listed client certificate, not both"
            raise Unauthenticated(msg)
        if token is not None:
            return self._verifier.verify(token)
        if certified is not None:
            return certified
        msg = (
            "nobody is named: send 'authorization: Bearer <access token>', or use a "
            "client certificate that the service lists"
        )
        raise Unauthenticated(msg)


def _read_token(context: grpc.ServicerContext) -> str | None:
    headers = [
        value
        for key, value in context.invocation_metadata() or ()
        if key == _AUTHORIZATION_KEY
    ]
    if not headers:
        return None
    scheme, _, token = str(headers[0]).partition(" ")
    if len(headers) > 1 or scheme.lower() != _SCHEME or not token.strip():
        msg = "authorization: send it once, as 'Bearer <access token>'"
        raise Unauthenticated(msg)
    return token.strip()
