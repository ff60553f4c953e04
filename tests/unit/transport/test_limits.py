"""Deadlines, open streams and what is recorded of a call's end."""

import threading
import time
from datetime import timedelta

import grpc
import pytest

from pseudo_service.adapters.identity.local_certificates import LocalCertificates
from pseudo_service.core.errors import TooManyStreams
from pseudo_service.transport.interceptors.calls import current_call
from pseudo_service.transport.interceptors.limits import OpenCalls
from tests.lib.services.echo_server import (
    Echo,
    read_error_info,
    read_retry_seconds,
    serve_echo,
)

GOOD = [("authorization", "Bearer good")]


def wait_for(condition: object) -> None:
    for _ in range(3_000):
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.01)
    pytest.fail("did not happen within half a minute")


def test_a_unary_call_with_too_little_time_is_refused(
    certificates: LocalCertificates,
) -> None:
    with serve_echo(certificates, shortest_deadline=timedelta(seconds=30)) as echo:
        with pytest.raises(grpc.RpcError) as caught:
            echo.call(timeout=20)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert read_error_info(caught.value).reason == "DEADLINE_TOO_SHORT"
        assert echo.call(timeout=40) == [b"x"]
        assert echo.call(timeout=None) == [b"x"]
        assert echo.call("StreamStream", timeout=20) == [b"x"]
        assert echo.call("Open", timeout=20) == [b"x"]


def test_more_streams_than_a_caller_may_have(echo: Echo) -> None:
    gate = threading.Event()

    def work(request: bytes, _: object) -> bytes:
        gate.wait(10)
        return request

    echo.work = work
    with echo.channel() as channel:
        stream = channel.stream_stream("/tests.Echo/StreamStream")
        held = [stream(iter([b"1"]), metadata=GOOD, timeout=10) for _ in range(2)]
        wait_for(lambda: echo.telemetry.open_streams["/tests.Echo/StreamStream"] == 2)
        with pytest.raises(grpc.RpcError) as caught:
            list(stream(iter([b"1"]), metadata=GOOD, timeout=10))
        assert read_error_info(caught.value).reason == "TOO_MANY_STREAMS"
        gate.set()
        assert [list(call) for call in held] == [[b"1"], [b"1"]]
        assert list(stream(iter([b"2"]), metadata=GOOD, timeout=10)) == [b"2"]
    wait_for(lambda: echo.telemetry.open_streams["/tests.Echo/StreamStream"] == 0)


def test_more_calls_than_a_caller_may_have(echo: Echo) -> None:
    """The refusal says when to try again; streams and health have their own places."""
    gate, working = threading.Event(), []

    def work(request: bytes, _: object) -> bytes:
        working.append(request)
        gate.wait(10)
        return request

    echo.work = work
    with echo.channel() as channel:
        call = channel.unary_unary("/tests.Echo/UnaryUnary")
        held = [call.future(b"1", metadata=GOOD, timeout=10) for _ in range(4)]
        wait_for(lambda: len(working) == 4)
        with pytest.raises(grpc.RpcError) as caught:
            call(b"1", metadata=GOOD, timeout=10)
        assert read_error_info(caught.value).reason == "TOO_MANY_CALLS"
        assert read_retry_seconds(caught.value) == 1
        gate.set()
        assert [one.result() for one in held] == [b"1"] * 4
        assert call(b"2", metadata=GOOD, timeout=10) == b"2"


def test_a_client_that_goes_away_frees_its_place(echo: Echo) -> None:
    with echo.channel() as channel:
        stream = channel.stream_stream("/tests.Echo/StreamStream")
        endless = threading.Event()

        def requests():  # type: ignore[no-untyped-def]
            yield b"1"
            endless.wait(10)

        calls = [stream(requests(), metadata=GOOD) for _ in range(2)]
        assert [next(call) for call in calls] == [b"1", b"1"]
        for call in calls:
            call.cancel()
        wait_for(lambda: len(echo.telemetry.calls) == 2)
        endless.set()
        # gRPC may show a cancelled stream as one whose requests have ended.
        assert {call.code for call in echo.telemetry.calls} <= {"CANCELLED", "OK"}
        assert list(stream(iter([b"2"]), metadata=GOOD)) == [b"2"]
    assert echo.telemetry.lines == [], "nobody failed"


def test_a_call_that_outlives_its_deadline_is_recorded_as_such(echo: Echo) -> None:
    def work(request: bytes, context: grpc.ServicerContext) -> bytes:
        wait_for(lambda: not context.is_active())
        return request

    echo.work = work
    with pytest.raises(grpc.RpcError):
        echo.call(timeout=1.5)
    wait_for(lambda: echo.telemetry.calls)
    assert echo.telemetry.calls[0].code == "DEADLINE_EXCEEDED"


def open_streams(*, each: int, together: int = 100) -> OpenCalls:
    return OpenCalls(
        each=each, together=together, noun="streams", refusal=TooManyStreams
    )


def test_all_callers_together_have_a_limit_too() -> None:
    limiter = open_streams(each=2, together=2)
    with (
        limiter.hold("a"),
        limiter.hold("b"),
        pytest.raises(TooManyStreams, match="2 streams are open"),
        limiter.hold("c"),
    ):
        pytest.fail("a third place")
    with limiter.hold("c"), limiter.hold("c"):
        pass


def test_callers_are_counted_apart_and_forgotten() -> None:
    limiter = open_streams(each=1)
    with limiter.hold("a"), limiter.hold("b"):
        with pytest.raises(TooManyStreams), limiter.hold("a"):
            pytest.fail("a second place")
        with pytest.raises(TooManyStreams), limiter.hold("b"):
            pytest.fail("a second place")
    with limiter.hold("a"):
        pass


def test_nothing_means_nobody() -> None:
    with pytest.raises(TooManyStreams), open_streams(each=0).hold("a"):
        pytest.fail("a place")


def test_rows_and_project_reach_the_record(echo: Echo) -> None:
    def work(request: bytes, _: object) -> bytes:
        call = current_call()
        call.project = "asthma"
        call.rows_in += 10
        call.rows_out += 9
        return request

    echo.work = work
    echo.call("StreamStream", [b"1", b"2"])
    wait_for(lambda: echo.telemetry.calls)
    (record,) = echo.telemetry.calls
    assert (record.project, record.rows_in, record.rows_out) == ("asthma", 20, 18)
    assert record.code == "OK"
    assert record.method == "/tests.Echo/StreamStream"


def test_outside_a_call_there_is_none() -> None:
    with pytest.raises(LookupError):
        current_call()
