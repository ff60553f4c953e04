"""The stored form of a quota count, and its registers against plain Python.

Its statistical properties are in ``tests/properties/test_quota.py``.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.access.quota import (
    EXACT_LIMIT,
    PRECISION,
    REGISTERS,
    QuotaState,
    charge,
)
from pseudo_service.core.errors import QuotaExceeded, StoreUnavailable
from tests.lib.stores.stored_values import make_codes

codes_of_64_bits = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30)


def make_sketch() -> QuotaState:
    return QuotaState(codes=None, registers=np.zeros(REGISTERS, np.uint8))


def fill_slowly(codes: list[int]) -> dict[int, int]:
    """Return the registers above 0: the highest rank of the first 1 bit in each."""
    width = 64 - PRECISION
    registers: dict[int, int] = {}
    for code in codes:
        rest = f"{code & ((1 << width) - 1):0{width}b}"
        rank = rest.index("1") + 1 if "1" in rest else width + 1
        place = code >> width
        registers[place] = max(registers.get(place, 0), rank)
    return registers


@given(codes_of_64_bits)
def test_a_register_holds_the_highest_rank_of_its_codes(codes: list[int]) -> None:
    sketch = make_sketch().add(np.array(codes, np.uint64))
    assert sketch.registers is not None
    filled = np.flatnonzero(sketch.registers)
    expected = fill_slowly(codes)
    assert {int(p): int(sketch.registers[p]) for p in filled} == expected


@given(codes_of_64_bits)
def test_few_codes_are_stored_sorted_and_once(codes: list[int]) -> None:
    state = QuotaState.empty().add(np.array(codes + codes, np.uint64))
    stored = state.encode()
    assert stored[:1] == b"\x01"
    assert np.frombuffer(stored[1:], "<u8").tolist() == sorted(set(codes))
    assert QuotaState.decode(stored).encode() == stored


def test_a_sketch_is_stored_with_all_its_registers() -> None:
    stored = QuotaState.empty().add(make_codes(EXACT_LIMIT + 1)).encode()
    assert stored[:1] == b"\x02"
    assert len(stored) == 1 + REGISTERS
    assert QuotaState.decode(stored).encode() == stored


@pytest.mark.parametrize("stored", [b"", b"\x00", b"\x01" + b"x" * 7, b"\x02" + b"x"])
def test_other_bytes_are_no_state(stored: bytes) -> None:
    with pytest.raises(StoreUnavailable, match="quota_states"):
        QuotaState.decode(stored)


def test_an_empty_state_counts_nothing() -> None:
    assert QuotaState.empty().estimate() == 0
    assert make_sketch().estimate() == 0


@pytest.mark.parametrize("limit", [1, 10, 100])
def test_the_limit_itself_is_within_it(limit: int) -> None:
    codes = make_codes(limit + 1)
    state = charge(QuotaState.empty(), codes[:limit], limit=limit, project="asthma")
    assert state.estimate() == limit
    with pytest.raises(QuotaExceeded, match=f"asthma.* your {limit} distinct"):
        charge(state, codes, limit=limit, project="asthma")
    assert charge(state, codes[:limit], limit=limit, project="asthma") is state
