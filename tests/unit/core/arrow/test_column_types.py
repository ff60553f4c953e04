"""Arrow types and what they can hold."""

import pyarrow as pa
import pytest

from pseudo_service.core.arrow.column_types import (
    can_be_identifier,
    can_be_known,
    is_text,
)

TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.null()]
NUMBERS = [pa.int8(), pa.int64(), pa.uint64(), pa.float64()]
MOMENTS = [pa.date32(), pa.date64(), pa.timestamp("us"), pa.timestamp("s", "UTC")]
OTHERS = [
    pa.float32(),
    pa.bool_(),
    pa.binary(),
    pa.decimal128(10, 0),
    pa.dictionary(pa.int32(), pa.string()),
    pa.list_(pa.string()),
    pa.time64("us"),
]


@pytest.mark.parametrize("kind", [*TEXTS, *NUMBERS, *MOMENTS, *OTHERS], ids=str)
def test_each_type_holds_what_it_can(kind: pa.DataType) -> None:
    assert is_text(kind) == (kind in TEXTS)
    assert can_be_identifier(kind) == (kind in [*TEXTS, *NUMBERS])
    assert can_be_known(kind) == (kind in [*TEXTS, *NUMBERS, *MOMENTS])
