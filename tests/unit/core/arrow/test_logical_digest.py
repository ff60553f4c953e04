import datetime as dt
import io
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.arrow.logical_digest import LogicalDigest
from pseudo_service.core.errors import ColumnTypeUnsuitable, SchemaChanged


def digest(table: pa.Table, rows: int = 7) -> bytes:
    taken = LogicalDigest(table.schema)
    for batch in table.to_batches(max_chunksize=rows):
        taken.update(batch)
    return taken.digest()


def every_type() -> pa.Table:
    day = dt.date(2021, 4, 9)
    moment = dt.datetime(2021, 4, 9, 12, 30)  # noqa: DTZ001 - naive columns exist
    values = {
        "bool": pa.array([True, None, False] * 5),
        "int8": pa.array([1, None, -3] * 5, pa.int8()),
        "uint64": pa.array([1, None, 2**63] * 5, pa.uint64()),
        "float": pa.array([0.5, None, -2.0] * 5),
        "half": pa.array([0.5, None, 2.0] * 5, pa.float16()),
        "date32": pa.array([day, None, day] * 5),
        "date64": pa.array([day, None, day] * 5, pa.date64()),
        "seconds": pa.array([moment, None, moment] * 5, pa.timestamp("s")),
        "zoned": pa.array(
            [moment, None, moment] * 5, pa.timestamp("us", "Europe/London")
        ),
        "time": pa.array([dt.time(9), None, dt.time(10)] * 5, pa.time32("s")),
        "duration": pa.array([1, None, 3] * 5, pa.duration("s")),
        "decimal": pa.array([Decimal("1.5"), None, Decimal(-2)] * 5),
        "text": pa.array(["a", None, "çé"] * 5),
        "large": pa.array(["a", None, "çé"] * 5, pa.large_string()),
        "view": pa.array(["a", None, "a long enough text"] * 5, pa.string_view()),
        "binary": pa.array([b"a", None, b""] * 5),
        "fixed": pa.array([b"ab", None, b"cd"] * 5, pa.binary(2)),
        "nothing": pa.nulls(15),
        "dictionary": pa.array(["a", None, "b"] * 5).dictionary_encode(),
    }
    return pa.table(values)


@pytest.mark.parametrize("column", every_type().column_names)
def test_a_parquet_reader_finds_the_same_digest(column: str) -> None:
    table = every_type().select([column])
    file = io.BytesIO()
    pq.write_table(table, file)
    assert digest(pq.read_table(file), rows=4) == digest(table)


@pytest.mark.parametrize("column", every_type().column_names)
def test_neither_batches_nor_offsets_matter(column: str) -> None:
    table = every_type().select([column])
    shifted = pa.concat_tables([table, table]).combine_chunks().slice(15, 15)
    assert digest(table, rows=1) == digest(table, rows=15) == digest(shifted)


def test_what_lies_under_a_null_does_not_matter() -> None:
    raw = pa.array(["aa", "bb", "cc"])
    valid = pa.py_buffer(bytes([0b101]))
    hidden = pa.Array.from_buffers(pa.string(), 3, [valid, *raw.buffers()[1:]])
    clean = pa.array(["aa", None, "cc"])
    assert digest(pa.table({"t": hidden})) == digest(pa.table({"t": clean}))
    numbers = pa.Array.from_buffers(
        pa.int64(), 3, [valid, pa.array([1, 99, 3]).buffers()[1]]
    )
    assert digest(pa.table({"t": numbers})) == digest(
        pa.table({"t": pa.array([1, None, 3])})
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["ab", "c"], ["a", "bc"]),
        (["", None], [None, ""]),
        (["a", "b"], ["b", "a"]),
        ([None], [None, None]),
        ([""], [None]),
        ([], [None]),
    ],
)
def test_other_values_have_another_digest(
    one: list[str | None], other: list[str | None]
) -> None:
    first = pa.table({"t": pa.array(one, pa.string())})
    second = pa.table({"t": pa.array(other, pa.string())})
    assert digest(first) != digest(second)


def test_names_types_and_order_of_columns_matter() -> None:
    base = pa.table({"a": [1], "b": [1]})
    assert digest(base) != digest(base.select(["b", "a"]))
    assert digest(base) != digest(base.rename_columns(["a", "c"]))
    assert digest(base) != digest(base.cast(pa.schema({"a": "int32", "b": "int64"})))


def test_zero_is_not_null() -> None:
    assert digest(pa.table({"a": pa.array([0])})) != digest(
        pa.table({"a": pa.array([None], pa.int64())})
    )


def test_nested_types_are_refused_without_a_suspicious_name() -> None:
    schema = pa.schema({"9990000018": pa.list_(pa.int64())})
    with pytest.raises(ColumnTypeUnsuitable) as refusal:
        LogicalDigest(schema)
    assert "9990000018" not in refusal.value.message


def test_a_batch_of_another_schema_is_refused() -> None:
    taken = LogicalDigest(pa.schema({"a": pa.int64()}))
    with pytest.raises(SchemaChanged):
        taken.update(pa.record_batch({"a": pa.array([1], pa.int32())}))


@given(
    st.lists(
        st.tuples(st.none() | st.text(max_size=4), st.none() | st.integers(-9, 9))
    ),
    st.integers(1, 5),
)
def test_any_cut_gives_one_digest(
    rows: list[tuple[str | None, int | None]], size: int
) -> None:
    table = pa.table(
        {
            "t": pa.array([row[0] for row in rows], pa.string()),
            "n": pa.array([row[1] for row in rows], pa.int64()),
        }
    )
    assert digest(table, rows=size) == digest(table, rows=10_000)


def test_a_flipped_bit_anywhere_shows() -> None:
    values = np.arange(64, dtype=np.int64)
    expected = digest(pa.table({"n": values}))
    for row in range(64):
        changed = values.copy()
        changed[row] ^= 1
        assert digest(pa.table({"n": changed})) != expected
