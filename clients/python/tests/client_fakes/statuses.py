"""Statuses as the service sends them, written from the definition of google.rpc."""

from dataclasses import dataclass

import grpc
from google.protobuf.any_pb2 import Any

from pseudo_client.api.failures_pb2 import ErrorInfo, Status

STATUS_BY_CODE = {
    "ACCESS_DENIED": grpc.StatusCode.PERMISSION_DENIED,
    "INTERNAL": grpc.StatusCode.INTERNAL,
    "KEY_VAULT_UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
    "PINS_CHANGED": grpc.StatusCode.ABORTED,
    "PROJECT_UNKNOWN": grpc.StatusCode.NOT_FOUND,
    "STORE_UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
    "STREAM_INCOMPLETE": grpc.StatusCode.INVALID_ARGUMENT,
    "UNAUTHENTICATED": grpc.StatusCode.UNAUTHENTICATED,
}


@dataclass(frozen=True, slots=True)
class FailedStatus(grpc.Status):
    """What ``ServicerContext.abort_with_status`` takes."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes], ...]


def pack(message: ErrorInfo, name: str = "google.rpc.ErrorInfo") -> Any:
    """Return a detail under the name that the wire has for it."""
    return Any(
        type_url=f"type.googleapis.com/{name}", value=message.SerializeToString()
    )


def write_trailers(message: str, *details: Any) -> tuple[tuple[str, bytes], ...]:
    status = Status(code=2, message=message, details=details)
    return (("grpc-status-details-bin", status.SerializeToString()),)


def build_status(code: str, message: str, request_id: str) -> FailedStatus:
    info = ErrorInfo(reason=code, domain="pseudo", metadata={"request_id": request_id})
    return FailedStatus(
        STATUS_BY_CODE[code], message, write_trailers(message, pack(info))
    )
