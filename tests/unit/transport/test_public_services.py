"""Health and reflection behind the interceptors: open, and bounded."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import (
    reflection,
    reflection_pb2,
    reflection_pb2_grpc,
)

from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.transport.interceptors import build_interceptors
from pseudo_service.transport.interceptors.certificates import ClientCertificates
from pseudo_service.transport.interceptors.limits import CallLimits
from pseudo_service.transport.interceptors.methods import PUBLIC_METHODS, MethodTable
from tests.lib.harnesses.fakes import FakeClock, SeededEntropy
from tests.lib.services.echo_server import OneToken
from tests.lib.services.telemetry import RecordingTelemetry

SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(params=[False, True], ids=["blocking", "non-blocking"])
def channel(
    request: pytest.FixtureRequest, certificates: LocalCertificates
) -> Iterator[grpc.Channel]:
    tls = certificates.ensure_server(datetime.now(UTC))
    servicer = health.HealthServicer(experimental_non_blocking=request.param)
    server = grpc.server(
        ThreadPoolExecutor(8),
        interceptors=build_interceptors(
            clock=FakeClock(),
            entropy=SeededEntropy(),
            telemetry=RecordingTelemetry(),
            verifier=OneToken(),
            certificates=ClientCertificates([]),
            methods=MethodTable(authenticated=frozenset()),
            limits=CallLimits(
                streams_per_caller=2, calls_per_caller=2, streams=4, calls=4
            ),
        ),
    )
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection(
        [health.SERVICE_NAME, reflection.SERVICE_NAME], server
    )
    servicer.set("", SERVING)
    port = server.add_secure_port(
        "127.0.0.1:0",
        grpc.ssl_server_credentials([(tls.private_key, tls.certificate)]),
    )
    server.start()
    credentials = grpc.ssl_channel_credentials(tls.authority)
    with grpc.secure_channel(f"localhost:{port}", credentials) as opened:
        yield opened
    server.stop(None).wait()


def test_health_needs_no_caller(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    asked = health_pb2.HealthCheckRequest()
    assert stub.Check(asked, timeout=30).status == SERVING
    unknown = health_pb2.HealthCheckRequest(service="else")
    with pytest.raises(grpc.RpcError) as caught:
        stub.Check(unknown, timeout=30)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_watchers_are_bounded(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    asked = health_pb2.HealthCheckRequest()
    watchers = [stub.Watch(asked, timeout=30) for _ in range(2)]
    assert [next(watcher).status for watcher in watchers] == [SERVING, SERVING]
    with pytest.raises(grpc.RpcError) as caught:
        next(stub.Watch(asked, timeout=30))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert stub.Check(asked, timeout=30).status == SERVING, "a probe still passes"
    for watcher in watchers:
        watcher.cancel()


def test_reflection_needs_no_caller(channel: grpc.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = stub.ServerReflectionInfo(iter([asked]), timeout=30)
    names = {found.name for found in answer.list_services_response.service}
    assert names == {health.SERVICE_NAME, reflection.SERVICE_NAME}


def test_the_public_list_is_closed() -> None:
    assert sorted(PUBLIC_METHODS) == [
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/List",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ]
