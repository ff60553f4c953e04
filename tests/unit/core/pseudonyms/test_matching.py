"""Finding wanted MACs against a dictionary."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.pseudonyms.matching import MacIndex

# Few bytes that differ, at both ends of both halves, so that prefixes often agree.
macs = st.builds(
    lambda a, b, c, d: bytes((a,)) + bytes(6) + bytes((b, c)) + bytes(6) + bytes((d,)),
    *[st.integers(0, 2)] * 4,
)


def stack(several: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(several), np.uint8).reshape(-1, 16)


@settings(derandomize=True)
@given(st.lists(macs, max_size=30), st.lists(macs, max_size=12))
def test_every_equal_pair_is_found_and_no_other(
    column: list[bytes], wanted: list[bytes]
) -> None:
    rows, which = MacIndex.build(stack(wanted)).find(stack(column))
    expected = [
        (row, place)
        for row, mac in enumerate(column)
        for place, other in enumerate(wanted)
        if mac == other
    ]
    assert list(zip(rows.tolist(), which.tolist(), strict=True)) == expected


def test_a_few_are_found_among_many() -> None:
    column = np.random.default_rng(3).integers(0, 256, (50_000, 16), np.uint8)
    chosen = np.array([49_999, 0, 777])
    rows, which = MacIndex.build(column[chosen]).find(column)
    assert rows.tolist() == [0, 777, 49_999]
    assert which.tolist() == [1, 2, 0]


@pytest.mark.parametrize("shape", [(3, 15), (16,)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidArgument):
        MacIndex.build(np.zeros(shape, np.uint8))
