"""Cursors open for their list and caller only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.keys.cursors import open_cursor, seal_cursor
from pseudo_service.core.keys.material import SecretKey

KEY = SecretKey(b"c" * 32)
NONCE = b"n" * 12
BOUND = st.lists(st.text(max_size=8), max_size=4)


@given(st.integers(0, 2**64 - 1), BOUND)
def test_a_position_comes_back(position: int, bound_to: list[str]) -> None:
    cursor = seal_cursor(position, key=KEY, nonce=NONCE, bound_to=bound_to)
    assert open_cursor(cursor, key=KEY, bound_to=bound_to) == position


@given(BOUND, BOUND)
def test_another_list_or_caller_opens_nothing(one: list[str], other: list[str]) -> None:
    cursor = seal_cursor(7, key=KEY, nonce=NONCE, bound_to=one)
    if one == other:
        assert open_cursor(cursor, key=KEY, bound_to=other) == 7
        return
    with pytest.raises(InvalidArgument, match="begin again without it"):
        open_cursor(cursor, key=KEY, bound_to=other)


@given(st.binary(max_size=60))
def test_other_bytes_are_no_cursor(cursor: bytes) -> None:
    with pytest.raises(InvalidArgument):
        open_cursor(cursor, key=KEY, bound_to=[])


def test_every_edited_byte_is_noticed() -> None:
    cursor = seal_cursor(7, key=KEY, nonce=NONCE, bound_to=["list"])
    for at in range(len(cursor)):
        edited = cursor[:at] + bytes([cursor[at] ^ 1]) + cursor[at + 1 :]
        with pytest.raises(InvalidArgument):
            open_cursor(edited, key=KEY, bound_to=["list"])


def test_a_cursor_shows_no_position() -> None:
    cursor = seal_cursor(0x1234, key=KEY, nonce=NONCE, bound_to=[])
    assert b"\x12\x34" not in cursor


def test_another_key_opens_nothing() -> None:
    cursor = seal_cursor(7, key=KEY, nonce=NONCE, bound_to=[])
    with pytest.raises(InvalidArgument):
        open_cursor(cursor, key=SecretKey(b"d" * 32), bound_to=[])
