"""The one table from an error's code to its gRPC status: total, no default."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, cast

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from pseudo_service.core.error_codes import ErrorCode

DETAILS_KEY = "grpc-status-details-bin"
ERROR_DOMAIN = "pseudo"
_RETRY_SECONDS: Mapping[ErrorCode, int] = MappingProxyType(
    {ErrorCode.TOO_MANY_STREAMS: 5, ErrorCode.TOO_MANY_CALLS: 1}
)
_LONGEST_MESSAGE = 2000  # it travels twice, in at most 8 KiB of metadata

Metadata = tuple[tuple[str, str | bytes], ...]

STATUS_BY_CODE: Mapping[ErrorCode, grpc.StatusCode] = MappingProxyType(
    {
        ErrorCode.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.COLUMN_MISSING: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.COLUMN_UNLISTED: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.COLUMN_DUPLICATED: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.COLUMN_TYPE_UNSUITABLE: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.BATCH_MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.BATCH_TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
        ErrorCode.BATCH_OUT_OF_ORDER: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.SCHEMA_CHANGED: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.STREAM_INCOMPLETE: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.PATIENT_TABLE_REFUSED: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.PINS_CHANGED: grpc.StatusCode.ABORTED,
        ErrorCode.IDENTIFIER_REFUSED: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.PSEUDONYM_REFUSED: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.POLICY_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.POLICY_UNKNOWN: grpc.StatusCode.NOT_FOUND,
        ErrorCode.POLICY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
        ErrorCode.PROJECT_UNKNOWN: grpc.StatusCode.NOT_FOUND,
        ErrorCode.PROJECT_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
        ErrorCode.PROJECT_NOT_ACTIVE: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.STATE_CONFLICT: grpc.StatusCode.ABORTED,
        ErrorCode.OPT_OUT_LIST_MISSING: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.OPT_OUT_LIST_STALE: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.OPT_OUT_LIST_REFUSED: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.REQUEST_UNKNOWN: grpc.StatusCode.NOT_FOUND,
        ErrorCode.REQUEST_REFUSED: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.REQUEST_STATE: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.REQUEST_EXPIRED: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.REVIEW_REFUSED: grpc.StatusCode.PERMISSION_DENIED,
        ErrorCode.GRANT_REFUSED: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.GRANT_SPENT: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.ALIAS_TABLE_REFUSED: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.CLOSING_REFUSED: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
        ErrorCode.TOKEN_EXPIRED: grpc.StatusCode.UNAUTHENTICATED,
        ErrorCode.ACCESS_DENIED: grpc.StatusCode.PERMISSION_DENIED,
        ErrorCode.PURPOSE_MISSING: grpc.StatusCode.INVALID_ARGUMENT,
        ErrorCode.QUOTA_EXCEEDED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        ErrorCode.ORACLE_SUSPECTED: grpc.StatusCode.PERMISSION_DENIED,
        ErrorCode.TOO_MANY_STREAMS: grpc.StatusCode.RESOURCE_EXHAUSTED,
        ErrorCode.TOO_MANY_CALLS: grpc.StatusCode.RESOURCE_EXHAUSTED,
        ErrorCode.IDENTITY_PROVIDER_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
        ErrorCode.KEY_VAULT_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
        ErrorCode.KEY_VAULT_REFUSED: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.KEY_UNKNOWN: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.KEY_ROW_REFUSED: grpc.StatusCode.DATA_LOSS,
        ErrorCode.STORE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
        ErrorCode.STORE_FULL: grpc.StatusCode.UNAVAILABLE,
        ErrorCode.DATABASE_REPLACED: grpc.StatusCode.UNAVAILABLE,
        ErrorCode.REGISTER_CORRUPT: grpc.StatusCode.DATA_LOSS,
        ErrorCode.AUDIT_BROKEN: grpc.StatusCode.DATA_LOSS,
        ErrorCode.SIGNATURE_REFUSED: grpc.StatusCode.DATA_LOSS,
        ErrorCode.CERTIFICATE_EXPIRED: grpc.StatusCode.UNAVAILABLE,
        ErrorCode.DEADLINE_TOO_SHORT: grpc.StatusCode.DEADLINE_EXCEEDED,
        ErrorCode.CONFIGURATION_INVALID: grpc.StatusCode.FAILED_PRECONDITION,
        ErrorCode.ANSWER_UNSOUND: grpc.StatusCode.INTERNAL,
        ErrorCode.INTERNAL: grpc.StatusCode.INTERNAL,
    }
)


@dataclass(frozen=True, slots=True)
class RichStatus(grpc.Status):
    """What ``ServicerContext.abort_with_status`` takes."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: Metadata


def build_status(
    code: ErrorCode, message: str, request_id: str, metadata: Metadata = ()
) -> RichStatus:
    """Return the status of a failure, with ``google.rpc.ErrorInfo`` in its details.

    ``ErrorInfo.reason`` is the code, ``domain`` is "pseudo" and its metadata names
    the request, so that a client need not read the message. Where the same call may
    succeed a moment later, ``google.rpc.RetryInfo`` says when.
    """
    text = message[:_LONGEST_MESSAGE]
    info = error_details_pb2.ErrorInfo(
        reason=code, domain=ERROR_DOMAIN, metadata={"request_id": request_id}
    )
    details = [_pack(info)]
    if code in _RETRY_SECONDS:
        delay = duration_pb2.Duration(seconds=_RETRY_SECONDS[code])
        details.append(_pack(error_details_pb2.RetryInfo(retry_delay=delay)))
    status = STATUS_BY_CODE[code]
    rich = status_pb2.Status(code=_read_number(status), message=text, details=details)
    trailer = (DETAILS_KEY, rich.SerializeToString())
    return RichStatus(status, text, (*metadata, trailer))


def _pack(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _read_number(status: grpc.StatusCode) -> int:
    number: int = status.value[0]
    return number


class _KnowsCode(Protocol):
    def code(self) -> grpc.StatusCode | None: ...


def read_code(context: grpc.ServicerContext) -> grpc.StatusCode | None:
    """Return the code that a call was given so far (the stubs lack the method)."""
    return cast("_KnowsCode", context).code()
