"""Calls without their message: who they come from is asked before it is awaited."""

import threading
from collections.abc import Callable, Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2

from tests.lib.services.echo_server import read_error_info
from tests.lib.services.served import check_health
from tests.lib.services.service import RunningService
from tests.lib.services.wire import write_bearer
from tests.lib.values.cohort import make_numbers

METHOD = "/pseudo_service.api.v1.DeidentificationService/Pseudonymise"
(NUMBER,) = make_numbers(9_000, 1)


Silence = Callable[[], Iterator[bytes]]


@pytest.fixture
def silence() -> Iterator[Silence]:
    """Requests that never come."""
    over = threading.Event()

    def wait() -> Iterator[bytes]:
        over.wait(60)
        yield from ()

    yield wait
    over.set()


def call_silently(
    service: RunningService, requests: Iterator[bytes], **options: object
) -> grpc.Future:
    call = service.channel().stream_unary(METHOD, bytes, bytes)
    return call.future(requests, **options)


def test_headers_alone_hold_no_thread(
    shared_service: RunningService, silence: Silence
) -> None:
    """More of them than the service has threads, from somebody without a token."""
    calls = [call_silently(shared_service, silence()) for _ in range(100)]
    codes = {call.exception(timeout=20).code() for call in calls}
    assert grpc.StatusCode.UNAUTHENTICATED in codes
    assert codes <= {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
    assert shared_service.pseudonymise(NUMBER)


HEALTH = "/grpc.health.v1.Health/Check"


@pytest.mark.parametrize("method", [HEALTH, METHOD])
def test_silent_calls_keep_nobody_out(
    method: str, shared_service: RunningService, silence: Silence
) -> None:
    """Whether of strangers to the public methods, or of somebody with a token."""
    metadata = None
    if method == METHOD:
        silent = shared_service.issue("pipeline:asthma", subject="silent-loader")
        metadata = write_bearer(silent)
    make = shared_service.channel().stream_unary(method, bytes, bytes)
    calls = [make.future(silence(), metadata=metadata) for _ in range(200)]
    for _ in range(20):
        status = check_health(shared_service)
        assert status == health_pb2.HealthCheckResponse.SERVING
        assert shared_service.pseudonymise(NUMBER)
    for each in calls:
        each.cancel()


def test_a_call_that_ends_without_its_message_is_refused(
    shared_service: RunningService,
) -> None:
    bearer = write_bearer(shared_service.issue("pipeline:asthma"))
    call = call_silently(shared_service, iter(()), metadata=bearer)
    refusal = call.exception(timeout=20)
    assert refusal.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "without its message" in refusal.details()


def test_bytes_that_are_no_message_are_refused(shared_service: RunningService) -> None:
    bearer = write_bearer(shared_service.issue("pipeline:asthma"))
    call = call_silently(shared_service, iter([b"\xff\xff"]), metadata=bearer)
    refusal = call.exception(timeout=20)
    assert refusal.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert read_error_info(refusal).reason == "INVALID_ARGUMENT"
    assert shared_service.pseudonymise(NUMBER)
