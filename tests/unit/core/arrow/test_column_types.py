"""Which Arrow types hold texts, identifiers and known values."""

import pyarrow as pa
import pytest

from pseudo_service.core.arrow.column_types import (
    can_be_identifier,
    can_be_known,
    holds_text,
    is_text,
)

TEXTS = [pa.string(), pa.large_string(), pa.string_view()]
NUMBERS = [pa.int8(), pa.uint64(), pa.float64()]
MOMENTS = [pa.date32(), pa.date64(), pa.timestamp("us"), pa.timestamp("s", "UTC")]
OTHERS = [
    pa.binary(),
    pa.bool_(),
    pa.float32(),
    pa.time64("us"),
    pa.dictionary(pa.int8(), pa.string()),
    pa.list_(pa.string()),
]


@pytest.mark.parametrize("kind", [*TEXTS, pa.null(), *NUMBERS, *MOMENTS, *OTHERS])
def test_every_type_has_its_answers(kind: pa.DataType) -> None:
    assert holds_text(kind) == (kind in TEXTS)
    assert is_text(kind) == (kind in [*TEXTS, pa.null()])
    assert can_be_identifier(kind) == (kind in [*TEXTS, pa.null(), *NUMBERS])
    assert can_be_known(kind) == (kind in [*TEXTS, pa.null(), *NUMBERS, *MOMENTS])
