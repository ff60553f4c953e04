"""Which Arrow types can hold what a policy says a column holds."""

import pyarrow as pa


def is_text(kind: pa.DataType) -> bool:
    """Say whether the type is text, or the null of a column without any value."""
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    )


def can_be_identifier(kind: pa.DataType) -> bool:
    """Say whether a type holds identifiers without loss."""
    return is_text(kind) or bool(pa.types.is_integer(kind) or pa.types.is_float64(kind))


def can_be_known(kind: pa.DataType) -> bool:
    """Say whether values of a type can be written as a note would write them."""
    is_moment = pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    return can_be_identifier(kind) or bool(is_moment)
