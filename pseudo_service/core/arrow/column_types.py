"""Which Arrow types can hold what a policy says a column holds."""

import pyarrow as pa


def holds_text(kind: pa.DataType) -> bool:
    """Return whether the type is one of Arrow's three layouts of text."""
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Return whether the type is text, or the null of a column without any value."""
    return holds_text(kind) or bool(pa.types.is_null(kind))


def can_be_identifier(kind: pa.DataType) -> bool:
    """Return whether a type holds identifiers without loss."""
    return is_text(kind) or bool(pa.types.is_integer(kind) or pa.types.is_float64(kind))


def can_be_known(kind: pa.DataType) -> bool:
    """Return whether values of a type can be written as a note would write them."""
    is_moment = pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    return can_be_identifier(kind) or bool(is_moment)
