"""Batches whose views lie, refused or made safe before a kernel reads them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.arrow.sound_batches import make_sound
from pseudo_service.core.errors import BatchMalformed, BatchTooLarge

PLENTY = 1 << 20
DATA = b"Seen by Dr Okafor in clinic. " * 40
VIEWS = [pa.string_view(), pa.binary_view()]


def make_views(
    lengths: list[int], present: list[bool], kind: pa.DataType = VIEWS[0]
) -> pa.Array:
    """Return views that state these lengths, whatever is true."""
    views = np.zeros((len(lengths), 4), np.int32)
    views[:, 0] = lengths
    views[:, 1] = int.from_bytes(DATA[:4], "little")
    bits = np.packbits(np.array(present), bitorder="little").tobytes()
    buffers = [pa.py_buffer(bits), pa.py_buffer(views), pa.py_buffer(DATA)]
    return pa.Array.from_buffers(kind, len(lengths), buffers)


def make_batch(column: pa.Array) -> pa.RecordBatch:
    return pa.record_batch({"note": column})


@pytest.mark.parametrize("kind", VIEWS, ids=str)
@pytest.mark.parametrize("under", [-100_000, -1, 2**31 - 1, -(2**31), 5])
def test_what_lies_under_a_null_is_emptied(under: int, kind: pa.DataType) -> None:
    column = make_views([under, 1000, under, 20], [False, True, False, True], kind)
    sound = make_sound(make_batch(column), most_text_bytes=PLENTY).column(0)
    views = np.frombuffer(sound.buffers()[1], np.int32).reshape(-1, 4)
    assert not views[[0, 2]].any()
    plain = sound.cast(pa.large_string() if kind == VIEWS[0] else pa.large_binary())
    assert plain.cast(pa.large_binary()).to_pylist() == [
        None,
        DATA[:1000],
        None,
        DATA[:20],
    ]


@pytest.mark.parametrize("length", [-1, -100_000, -(2**31)])
def test_a_negative_length_is_refused(length: int) -> None:
    column = make_views([length, 20], [True, True])
    with pytest.raises(BatchMalformed, match="corrupt"):
        make_sound(make_batch(column), most_text_bytes=PLENTY)


def test_a_view_beyond_its_bytes_is_refused() -> None:
    column = make_views([len(DATA) + 1], [True])
    with pytest.raises(BatchMalformed, match="corrupt"):
        make_sound(make_batch(column), most_text_bytes=PLENTY)


def test_the_views_of_all_columns_share_one_limit() -> None:
    column = make_views([1000] * 4, [True] * 4)
    both = pa.record_batch({"note": column, "letter": column})
    assert make_sound(both, most_text_bytes=8000).equals(both)
    with pytest.raises(BatchTooLarge, match="7999 bytes"):
        make_sound(both, most_text_bytes=7999)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", None], pa.string_view()).dictionary_encode(),
        pa.StructArray.from_arrays([pa.array(["a"], pa.string_view())], ["x"]),
        pa.ListArray.from_arrays([0, 1], pa.array(["a"], pa.string_view())),
        pa.ExtensionArray.from_storage(
            pa.opaque(pa.string_view(), "a", "b"), pa.array(["a"], pa.string_view())
        ),
    ],
    ids=["dictionary", "struct", "list", "extension"],
)
def test_views_inside_of_other_types_are_refused(column: pa.Array) -> None:
    with pytest.raises(BatchMalformed, match='column "note" nests text views'):
        make_sound(make_batch(column), most_text_bytes=PLENTY)


@given(
    texts=st.lists(st.none() | st.text(max_size=30), max_size=40),
    start=st.integers(0, 40),
)
def test_honest_batches_stay_as_they_are(texts: list[str | None], start: int) -> None:
    columns = {
        str(kind): pa.array(texts, kind) for kind in (pa.string_view(), pa.string())
    }
    batch = pa.record_batch(columns).slice(start)
    assert make_sound(batch, most_text_bytes=PLENTY).equals(batch)
