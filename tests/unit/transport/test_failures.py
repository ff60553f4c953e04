"""Failures over real TLS: the cause goes out, a value never does."""

import logging
from collections.abc import Callable

import grpc
import pytest

from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.core.errors import (
    ColumnMissing,
    PseudoError,
    RegisterCorrupt,
    StoreUnavailable,
)
from pseudo_service.transport.status import STATUS_BY_CODE
from tests.lib.services.echo_server import ARITIES, Echo, read_error_info

CANARY = "9990000018"


class Panic(BaseException):
    """Like a panic of a Rust library, which is no ``Exception``."""


def raising(error: BaseException) -> Callable[..., bytes]:
    def work(*_: object) -> bytes:
        raise error

    return work


@pytest.mark.parametrize("method", ARITIES)
def test_a_refusal_goes_out_with_its_code(method: str, echo: Echo) -> None:
    echo.work = raising(ColumnMissing('column "dob" is missing: add it'))
    with pytest.raises(grpc.RpcError) as caught:
        echo.call(method)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == 'column "dob" is missing: add it'
    info = read_error_info(caught.value)
    assert (info.reason, info.domain) == ("COLUMN_MISSING", "pseudo")
    assert info.metadata["request_id"] == echo.telemetry.calls[0].request_id
    trailers = dict(caught.value.trailing_metadata())
    assert trailers["pseudo-request-id"] == echo.telemetry.calls[0].request_id
    assert [call.code for call in echo.telemetry.calls] == ["COLUMN_MISSING"]


UNEXPECTED: dict[str, BaseException] = {
    "an exception": ValueError(f"cannot cast '{CANARY}' to date"),
    "one that is no Exception": Panic(CANARY),
    "an exit": SystemExit(CANARY),
    "a stop": RuntimeError(CANARY, StopIteration(CANARY)),
    "gRPC's own class": grpc.RpcError(CANARY),
    "a bare exception": Exception(),
    "the same with a text": Exception(CANARY),
    "an iteration that ends": StopIteration(CANARY),
    "a group": ExceptionGroup(CANARY, [ValueError(CANARY)]),
    "the root of our own": PseudoError("internal"),
}


@pytest.mark.parametrize("method", ARITIES)
@pytest.mark.parametrize("name", UNEXPECTED)
def test_anything_else_goes_out_as_an_id(
    name: str,
    method: str,
    echo: Echo,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    echo.work = raising(UNEXPECTED[name])
    with caplog.at_level(logging.DEBUG), pytest.raises(grpc.RpcError) as caught:
        echo.call(method)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    (call,) = echo.telemetry.calls
    assert call.code == "INTERNAL"
    if name != "the root of our own":
        assert caught.value.details() == f"internal error; quote id {call.request_id}"
    assert read_error_info(caught.value).reason == "INTERNAL"
    written = capfd.readouterr()
    seen = [
        str(caught.value),
        repr(caught.value.trailing_metadata()),
        caplog.text,
        written.out,
        written.err,
        repr(echo.telemetry.lines),
        repr(echo.telemetry.calls),
    ]
    assert not [text for text in seen if CANARY in text]
    assert "Traceback" not in caplog.text + written.err


def test_the_log_tells_type_and_place(echo: Echo) -> None:
    echo.work = raising(ValueError(CANARY))
    with pytest.raises(grpc.RpcError):
        echo.call()
    (line,) = echo.telemetry.lines
    assert line["event"] == "call_failed"
    assert line["level"] == "error"
    assert line["exception_type"] == "builtins.ValueError"
    assert line["request_id"] == echo.telemetry.calls[0].request_id
    assert "test_failures.py:" in str(line["place"])
    assert set(line) == {
        "event",
        "level",
        "request_id",
        "method",
        "code",
        "exception_type",
        "cause_type",
        "place",
    }


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (ColumnMissing("add it"), "info"),
        (StoreUnavailable("try again"), "warning"),
        (RegisterCorrupt("restore it"), "error"),
    ],
)
def test_what_broke_here_is_louder(error: PseudoError, level: str, echo: Echo) -> None:
    echo.work = raising(error)
    with pytest.raises(grpc.RpcError):
        echo.call()
    assert [line["level"] for line in echo.telemetry.lines] == [level]


def test_a_refusals_cause_is_named_by_type_only(echo: Echo) -> None:
    def work(*_: object) -> bytes:
        msg = "the database does not answer: try again"
        raise StoreUnavailable(msg) from OSError(CANARY)

    echo.work = work
    with pytest.raises(grpc.RpcError) as caught:
        echo.call()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert echo.telemetry.lines[0]["cause_type"] == "builtins.OSError"
    assert CANARY not in repr(echo.telemetry.lines)


@pytest.mark.parametrize("method", ARITIES)
def test_an_abort_of_a_servicer_passes_through(method: str, echo: Echo) -> None:
    def work(_: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(grpc.StatusCode.NOT_FOUND, "no such service")

    echo.work = work
    with pytest.raises(grpc.RpcError) as caught:
        echo.call(method)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "no such service"
    assert echo.telemetry.calls[0].code == "NOT_FOUND"
    assert echo.telemetry.lines == []


def test_a_failure_in_the_middle_of_a_stream(echo: Echo) -> None:
    def work(request: bytes, _: object) -> bytes:
        if request == b"3":
            raise ValueError(CANARY)
        return request

    echo.work = work
    answers = []
    with echo.channel() as channel, pytest.raises(grpc.RpcError) as caught:
        answers.extend(
            channel.stream_stream("/tests.Echo/StreamStream")(
                iter([b"1", b"2", b"3", b"4"]),
                metadata=[("authorization", "Bearer good")],
            )
        )
    assert caught.value.code() is grpc.StatusCode.INTERNAL


def test_a_long_message_still_fits_into_the_metadata(echo: Echo) -> None:
    echo.work = raising(ColumnMissing("column, " * 10_000))
    with pytest.raises(grpc.RpcError) as caught:
        echo.call()
    assert read_error_info(caught.value).reason == "COLUMN_MISSING"


def test_every_code_has_a_status_that_is_not_ok() -> None:
    assert set(STATUS_BY_CODE) == set(ErrorCode)
    assert grpc.StatusCode.OK not in STATUS_BY_CODE.values()
    assert grpc.StatusCode.UNKNOWN not in STATUS_BY_CODE.values()
