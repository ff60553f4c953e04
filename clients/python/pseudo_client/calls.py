"""Calls with one answer: the deadline, the caller's proof, the retries, the errors."""

from typing import Protocol, TypeVar

import grpc

from pseudo_client.channels import Connection
from pseudo_client.retries import NO_RETRIES, RetryPolicy
from pseudo_client.statuses import translate

Q = TypeVar("Q")
A = TypeVar("A")
Q_contra = TypeVar("Q_contra", contravariant=True)
A_co = TypeVar("A_co", covariant=True)


class Method(Protocol[Q_contra, A_co]):
    """A call with one answer, as a generated stub has it."""

    def __call__(
        self,
        request: Q_contra,
        timeout: float | None = None,
        metadata: tuple[tuple[str, str], ...] | None = None,
    ) -> A_co:
        """Make the call."""
        ...


class Caller:
    """Makes unary calls on a connection."""

    def __init__(
        self, connection: Connection, *, retries: RetryPolicy, timeout: float
    ) -> None:
        self._connection = connection
        self._retries = retries
        self._timeout = timeout

    @property
    def connection(self) -> Connection:
        """The connection that calls are made on."""
        return self._connection

    @property
    def retries(self) -> RetryPolicy:
        """When to try again what may be done twice."""
        return self._retries

    def ask(self, method: Method[Q, A], request: Q) -> A:
        """Make a call that may be done twice, trying again when that may help.

        Raises:
            ServiceError: The service refused or failed.
        """
        return self._retries.run(lambda: self._call(method, request))

    def order(self, method: Method[Q, A], request: Q) -> A:
        """Make a call that changes something, once.

        Raises:
            ServiceError: The service refused or failed; where it cannot be reached,
                look before doing it again.
        """
        return NO_RETRIES.run(lambda: self._call(method, request))

    def _call(self, method: Method[Q, A], request: Q) -> A:
        try:
            return method(
                request, timeout=self._timeout, metadata=self._connection.metadata()
            )
        except grpc.RpcError as failure:
            raise translate(failure) from None
