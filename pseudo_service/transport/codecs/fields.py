"""Fields that messages of several services have: times, choices, signed statements."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from pseudo_service.api.v1 import common_pb2 as common
from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.keys.statements import SignedStatement

_Choice = TypeVar("_Choice", bound=StrEnum)


def encode_time(moment: datetime) -> Timestamp:
    """Return a zoned time as a timestamp."""
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


def decode_time(stamp: Timestamp) -> datetime:
    """Return a timestamp as a time in UTC.

    Raises:
        InvalidArgument: Outside the years 1 to 9999.
    """
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        msg = "time: not between the years 1 and 9999"
        raise InvalidArgument(msg) from None


def choose(options: type[_Choice], text: str, field: str) -> _Choice:
    """Return the option that a text names.

    Raises:
        InvalidArgument: It names none; the message lists the options of the field.
    """
    try:
        return options(text)
    except ValueError:
        msg = f"{field}: give one of " + ", ".join(options)
        raise InvalidArgument(msg) from None


def encode_statement(signed: SignedStatement) -> common.SignedStatement:
    """Return a signed statement."""
    return common.SignedStatement(
        statement=signed.statement,
        signature=signed.signature,
        certificate=signed.certificate,
        certificate_signature=signed.certificate_signature,
        certificate_key_id=signed.certificate_key_id,
    )
