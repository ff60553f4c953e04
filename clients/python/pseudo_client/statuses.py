"""From a gRPC failure to the error of its cause."""

from collections.abc import Mapping
from types import MappingProxyType

import grpc

from pseudo_client.api import failures_pb2
from pseudo_client.errors import (
    CLASS_BY_REASON,
    BatchTooLarge,
    DeadlineTooShort,
    ServiceBroken,
    ServiceError,
    ServiceUnavailable,
    TooManyCalls,
    Unauthenticated,
)

_DETAILS = "grpc-status-details-bin"
_ERROR_INFO = "/google.rpc.ErrorInfo"
_DOMAIN = "pseudo"
_TLS_SIGNS = ("CERTIFICATE_VERIFY_FAILED", "Ssl handshake", "SSL_ERROR", "TSI_")
_SIZE_SIGNS = ("larger than max",)

# Failures that never reached the service, or came from something in between. Their
# own text may be anybody's, so it is not repeated.
_WITHOUT_REASON: Mapping[grpc.StatusCode, tuple[type[ServiceError], str]] = (
    MappingProxyType(
        {
            grpc.StatusCode.UNAVAILABLE: (
                ServiceUnavailable,
                "the service cannot be reached; check the address and that it runs",
            ),
            grpc.StatusCode.DEADLINE_EXCEEDED: (
                DeadlineTooShort,
                "the service did not answer in time; try again or allow more time",
            ),
            grpc.StatusCode.UNAUTHENTICATED: (
                Unauthenticated,
                "the service does not know the caller; check the token",
            ),
            grpc.StatusCode.RESOURCE_EXHAUSTED: (
                TooManyCalls,
                "the service has as many calls as it can take; try again later",
            ),
            grpc.StatusCode.UNIMPLEMENTED: (
                ServiceBroken,
                "the service does not offer this call; compare the versions",
            ),
            grpc.StatusCode.CANCELLED: (
                ServiceUnavailable,
                "the call was cancelled before it was answered; try again",
            ),
        }
    )
)


def translate(failure: grpc.RpcError) -> ServiceError:
    """Return the typed error for a failed call; the caller raises it ``from None``."""
    info, message = _read_details(failure)
    if info is None:
        return _translate_bare(failure)
    chosen = CLASS_BY_REASON.get(info.reason, ServiceError)
    request_id = info.metadata.get("request_id") or None
    return chosen(message, code=info.reason, request_id=request_id)


def _read_details(
    failure: grpc.RpcError,
) -> tuple[failures_pb2.ErrorInfo | None, str]:
    for key, value in _read_trailers(failure):
        if key != _DETAILS:
            continue
        try:
            status = failures_pb2.Status.FromString(value)
            for detail in status.details:
                if not detail.type_url.endswith(_ERROR_INFO):
                    continue
                info = failures_pb2.ErrorInfo.FromString(detail.value)
                if info.domain == _DOMAIN:
                    return info, status.message
        except Exception:  # noqa: BLE001 - a proxy's garbage is no reason to hide the status
            break
    return None, ""


def _read_trailers(failure: grpc.RpcError) -> tuple[tuple[str, bytes], ...]:
    trailing = getattr(failure, "trailing_metadata", None)
    return tuple(trailing() or ()) if trailing else ()


def _translate_bare(failure: grpc.RpcError) -> ServiceError:
    read = getattr(failure, "code", None)
    code = read() if read else grpc.StatusCode.UNKNOWN
    if _mentions(failure, _TLS_SIGNS):
        message = (
            "TLS with the service failed: its certificate is not trusted, is for "
            "another name, or it wants a client certificate; check the certificates"
        )
        return ServiceError(message, code="TLS")
    if _mentions(failure, _SIZE_SIGNS):
        message = "a message exceeds a limit on the way; send smaller batches"
        return BatchTooLarge(message, code=code.name)
    chosen, message = _WITHOUT_REASON.get(
        code, (ServiceError, f"the call failed without a cause ({code.name})")
    )
    return chosen(message, code=code.name)


def _mentions(failure: grpc.RpcError, signs: tuple[str, ...]) -> bool:
    details = getattr(failure, "details", None)
    text = str(details() or "") if details else ""
    return any(sign in text for sign in signs)
