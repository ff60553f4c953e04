"""Builds the gRPC server: services, interceptors, health, reflection, TLS."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from pseudo_service.api.v1 import (
    administration_pb2,
    administration_pb2_grpc,
    deidentification_pb2,
    deidentification_pb2_grpc,
    linkage_pb2,
    linkage_pb2_grpc,
    register_pb2,
    register_pb2_grpc,
)
from pseudo_service.core.errors import ConfigurationInvalid
from pseudo_service.transport.interceptors.methods import MethodTable

_SERVICES = {
    "deidentification": deidentification_pb2.DESCRIPTOR.services_by_name[
        "DeidentificationService"
    ],
    "administration": administration_pb2.DESCRIPTOR.services_by_name[
        "AdministrationService"
    ],
    "linkage": linkage_pb2.DESCRIPTOR.services_by_name["LinkageService"],
    "register": register_pb2.DESCRIPTOR.services_by_name["RegisterService"],
}

_MOST_QUEUED = 1_000
METHODS = MethodTable(
    authenticated=frozenset(
        f"/{service.full_name}/{method.name}"
        for service in _SERVICES.values()
        for method in service.methods
    )
)
"""Every method of ours needs a verified caller; nothing is open by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servicers:
    """What a process serves: None where its duties do not include it."""

    administration: administration_pb2_grpc.AdministrationServiceServicer
    deidentification: deidentification_pb2_grpc.DeidentificationServiceServicer | None
    linkage: linkage_pb2_grpc.LinkageServiceServicer | None
    register: register_pb2_grpc.RegisterServiceServicer | None

    def add_to(self, server: grpc.Server) -> tuple[str, ...]:
        """Have the server serve each; return their full names."""
        served = ["administration"]
        administration_pb2_grpc.add_AdministrationServiceServicer_to_server(
            self.administration, server
        )
        if self.deidentification is not None:
            served.append("deidentification")
            deidentification_pb2_grpc.add_DeidentificationServiceServicer_to_server(
                self.deidentification, server
            )
        if self.linkage is not None:
            served.append("linkage")
            linkage_pb2_grpc.add_LinkageServiceServicer_to_server(self.linkage, server)
        if self.register is not None:
            served.append("register")
            register_pb2_grpc.add_RegisterServiceServicer_to_server(
                self.register, server
            )
        return tuple(_SERVICES[name].full_name for name in served)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsMaterial:
    """PEM texts. With ``client_authorities`` a client must show a certificate."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_authorities: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """An address to listen on, and how it proves itself."""

    address: str
    tls: TlsMaterial


class ServiceServer:
    """A gRPC server that starts, tells its ports, and drains."""

    def __init__(
        self,
        *,
        servicers: Servicers,
        interceptors: "Sequence[grpc.ServerInterceptor[Any, Any]]",
        listeners: Sequence[Listener],
        threads: int,
        message_bytes: int,
        connections: int,
        shares_port: bool = False,
    ) -> None:
        """Build the server.

        Args:
            servicers: What is served.
            interceptors: What each call passes through, the outermost first.
            listeners: Where it listens.
            threads: How many calls are worked on at a time.
            message_bytes: The largest message that is taken.
            connections: How many may be open; more are closed at once.
            shares_port: Whether other processes of this service listen on its ports,
                too. Otherwise a port that somebody listens on is refused.

        Raises:
            ConfigurationInvalid: An address cannot be listened on.
        """
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="call")
        self._server = grpc.server(
            self._pool,
            interceptors=list(interceptors),
            options=_choose_options(
                message_bytes, connections, shares_port=shares_port
            ),
            # What comes above the threads waits for a moment, to be told its limit.
            maximum_concurrent_rpcs=threads + _MOST_QUEUED,
        )
        self._names = servicers.add_to(self._server)
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            [*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server
        )
        self.ports = tuple(self._listen(listener) for listener in listeners)

    def start(self) -> None:
        """Begin to serve, and say so to health checks."""
        self._server.start()
        for name in ("", *self._names):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def wait(self) -> None:
        """Return when the server has stopped."""
        self._server.wait_for_termination()

    def drain(self, seconds: float) -> None:
        """Take nothing new, finish what is open, then stop."""
        self._health.enter_graceful_shutdown()
        self._server.stop(seconds).wait()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _listen(self, listener: Listener) -> int:
        tls = listener.tls
        credentials = grpc.ssl_server_credentials(
            [(tls.key, tls.certificate)],
            root_certificates=tls.client_authorities,
            require_client_auth=tls.client_authorities is not None,
        )
        try:
            return self._server.add_secure_port(listener.address, credentials)
        except RuntimeError:
            msg = (
                f"server.address {listener.address}: cannot be listened on; another "
                "process may hold it, or the certificate and key do not belong together"
            )
            raise ConfigurationInvalid(msg) from None


def _choose_options(
    message_bytes: int, connections: int, *, shares_port: bool
) -> list[tuple[str, int]]:
    # A batch may be as large as the limit, and its envelope a little larger.
    envelope = 1 << 20
    return [
        ("grpc.max_receive_message_length", message_bytes + envelope),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", int(shares_port)),
        ("grpc.max_allowed_incoming_connections", connections),
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.keepalive_time_ms", 120_000),
        # A client that pings more often on a quiet stream is sent away.
        ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
