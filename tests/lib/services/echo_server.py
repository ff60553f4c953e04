"""A tiny gRPC service without generated code, behind the real interceptors."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from pseudo_service.adapters.identity.local_certificates import (
    LocalCertificates,
    TlsFiles,
)
from pseudo_service.core.access.roles import Actor, Role, RoleGrant
from pseudo_service.core.errors import Unauthenticated
from pseudo_service.ports.telemetry import Telemetry
from pseudo_service.transport.interceptors import build_interceptors
from pseudo_service.transport.interceptors.certificates import (
    AllowedCertificate,
    ClientCertificates,
)
from pseudo_service.transport.interceptors.limits import CallLimits
from pseudo_service.transport.interceptors.methods import MethodTable
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.services.telemetry import RecordingTelemetry

SERVICE = "tests.Echo"
ARITIES = ("UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream")
LISTED = frozenset(f"/{SERVICE}/{name}" for name in ARITIES)
Work = Callable[[bytes, grpc.ServicerContext], bytes]


def read_actor() -> Actor:
    return Actor(
        subject="tester",
        grants=frozenset({RoleGrant(role=Role.PIPELINE, project="asthma")}),
        expires_at=None,
    )


class OneToken:
    """Knows the one token "good"."""

    def __init__(self) -> None:
        self.actor = read_actor()

    def verify(self, token: str) -> Actor:
        if token != "good":
            msg = "the token is not known"
            raise Unauthenticated(msg)
        return self.actor


@dataclass
class Echo:
    """The running service and what a test changes about it."""

    tls: TlsFiles
    clock: FakeClock = field(default_factory=FakeClock)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    verifier: OneToken = field(default_factory=OneToken)
    work: Work = lambda request, _: request
    port: int = 0
    client_port: int = 0

    @contextmanager
    def channel(self, client: TlsFiles | None = None) -> Iterator[grpc.Channel]:
        """Connect, with a client certificate to the port that demands one."""
        credentials = grpc.ssl_channel_credentials(
            self.tls.authority,
            client.private_key if client else None,
            client.certificate if client else None,
        )
        port = self.client_port if client else self.port
        with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
            yield channel

    def call(
        self,
        method: str = "UnaryUnary",
        requests: Sequence[bytes] = (b"x",),
        *,
        token: str | None = "good",
        client: TlsFiles | None = None,
        timeout: float | None = 10,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> list[bytes]:
        """Make one call of any arity and return all answers."""
        headers = list(metadata)
        if token is not None:
            headers.append(("authorization", f"Bearer {token}"))
        with self.channel(client) as channel:
            return invoke(channel, method, requests, timeout, headers)


def invoke(
    channel: grpc.Channel,
    method: str,
    requests: Sequence[bytes],
    timeout: float | None,
    metadata: Sequence[tuple[str, str]],
) -> list[bytes]:
    path = method if method.startswith("/") else f"/{SERVICE}/{method}"
    options: dict[str, Any] = {"timeout": timeout, "metadata": metadata}
    streams_in = path.rsplit("/", 1)[1].startswith("Stream")
    streams_out = path.endswith("Stream")
    argument = iter(requests) if streams_in else requests[0]
    kind = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }[streams_in, streams_out]
    answer = kind(path)(argument, **options)
    return list(answer) if streams_out else [answer]


def read_error_info(error: grpc.RpcError) -> error_details_pb2.ErrorInfo:
    """Return the details that a failure carries."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info


def read_retry_seconds(error: grpc.RpcError) -> int:
    """Return after how many seconds a failure says to try again."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    hint = error_details_pb2.RetryInfo()
    assert status.details[1].Unpack(hint)
    return int(hint.retry_delay.seconds)


def make_handlers(echo: Echo) -> grpc.GenericRpcHandler:
    def unary_unary(request: bytes, context: grpc.ServicerContext) -> bytes:
        return echo.work(request, context)

    def unary_stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        for _ in range(2):
            yield echo.work(request, context)

    def stream_unary(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        return b"".join(echo.work(request, context) for request in requests)

    def stream_stream(
        requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        for request in requests:
            yield echo.work(request, context)

    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "UnaryUnary": grpc.unary_unary_rpc_method_handler(unary_unary),
            "UnaryStream": grpc.unary_stream_rpc_method_handler(unary_stream),
            "StreamUnary": grpc.stream_unary_rpc_method_handler(stream_unary),
            "StreamStream": grpc.stream_stream_rpc_method_handler(stream_stream),
            "Forgotten": grpc.unary_unary_rpc_method_handler(unary_unary),
            "Open": grpc.unary_unary_rpc_method_handler(unary_unary),
        },
    )


ECHO_LIMITS = CallLimits(
    streams_per_caller=2, calls_per_caller=4, streams=6, calls=6, silent_strangers=2
)


@contextmanager
def serve_echo(
    certificates: LocalCertificates,
    allowed: Sequence[AllowedCertificate] = (),
    *,
    limits: CallLimits = ECHO_LIMITS,
    telemetry: Telemetry | None = None,
    shortest_deadline: timedelta = timedelta(milliseconds=50),
) -> Iterator[Echo]:
    """Run the service on two loopback ports until the block ends."""
    echo = Echo(certificates.ensure_server(datetime.now(UTC)))
    methods = MethodTable(authenticated=LISTED, public=frozenset({"/tests.Echo/Open"}))
    server = grpc.server(
        ThreadPoolExecutor(8),
        handlers=[make_handlers(echo)],
        interceptors=build_interceptors(
            clock=echo.clock,
            entropy=SeededEntropy(),
            telemetry=telemetry or echo.telemetry,
            verifier=echo.verifier,
            certificates=ClientCertificates(allowed),
            methods=methods,
            limits=limits,
            shortest_deadline=shortest_deadline,
        ),
    )
    pair = [(echo.tls.private_key, echo.tls.certificate)]
    echo.port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair))
    echo.client_port = server.add_secure_port(
        "127.0.0.1:0",
        grpc.ssl_server_credentials(pair, echo.tls.authority, True),
    )
    server.start()
    try:
        yield echo
    finally:
        server.stop(None).wait()
