"""The client reads the failures that the service writes, each by its code."""

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from pseudo_client import CLASS_BY_REASON
from pseudo_client.api import failures_pb2
from pseudo_client.statuses import translate
from pseudo_service.core.error_codes import ErrorCode
from pseudo_service.transport.status import Metadata, build_status


class Failed(grpc.RpcError):
    """A failed call as gRPC raises it."""

    def __init__(self, code: grpc.StatusCode, trailers: Metadata) -> None:
        self._code, self._trailers = code, trailers

    def code(self) -> grpc.StatusCode:
        return self._code

    def trailing_metadata(self) -> Metadata:
        return self._trailers


def test_every_code_of_the_service_has_a_class() -> None:
    assert set(CLASS_BY_REASON) == {code.value for code in ErrorCode}


@pytest.mark.parametrize("code", list(ErrorCode))
def test_the_cause_decides_the_class(code: ErrorCode) -> None:
    status = build_status(code, f"about {code}", "request-9")
    error = translate(Failed(status.code, status.trailing_metadata))
    assert type(error) is CLASS_BY_REASON[code]
    assert (error.code, error.request_id) == (code, "request-9")
    assert error.message == f"about {code}"


@pytest.mark.parametrize(
    ("ours", "original"),
    [
        (failures_pb2.Status, status_pb2.Status),
        (failures_pb2.ErrorInfo, error_details_pb2.ErrorInfo),
    ],
    ids=["Status", "ErrorInfo"],
)
def test_the_client_s_own_messages_are_google_rpc_s(ours, original) -> None:
    assert list_fields(ours) == list_fields(original)


def list_fields(message) -> list[tuple[object, ...]]:
    return sorted(
        (each.number, each.name, each.type, each.is_repeated)
        for each in message.DESCRIPTOR.fields
    )
