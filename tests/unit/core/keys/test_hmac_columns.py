"""HMAC of whole columns by OpenSSL, against ``hmac`` row by row."""

import hashlib
import hmac

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.keys import hmac_columns
from pseudo_service.core.keys.hmac_columns import find_openssl, hash_column

KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def _needs_openssl() -> None:
    if not find_openssl():
        pytest.skip("OpenSSL's functions are not to be had here")


def hash_rows(prefix: bytes, texts: list[str]) -> list[bytes]:
    return [
        hmac.digest(KEY, prefix + text.encode(), hashlib.sha256)[:16] for text in texts
    ]


@settings(deadline=None)  # the first call compiles
@given(st.binary(max_size=20), st.lists(st.text(max_size=80), max_size=12))
def test_each_row_is_the_mac_of_prefix_and_text(
    prefix: bytes, texts: list[str]
) -> None:
    column = pa.array(texts, pa.string())
    macs = hash_column(KEY, prefix, column)
    assert macs.shape == (len(texts), 16)
    assert macs.dtype == np.uint8
    assert [row.tobytes() for row in macs] == hash_rows(prefix, texts)


def test_a_slice_is_read_where_it_lies() -> None:
    texts = [f"{number}" for number in range(50)]
    part = pa.array(texts).slice(13, 7)
    macs = hash_column(KEY, b"k", part)
    assert [row.tobytes() for row in macs] == hash_rows(b"k", texts[13:20])


# The last three pass Arrow's own check of the first and the last offset.
@pytest.mark.parametrize("offsets", [[0, 9, 8], [0, 25, 20], [0, -5, 20], [5, 3, 10]])
def test_unsound_offsets_are_refused(offsets: list[int]) -> None:
    where = pa.py_buffer(np.array(offsets, np.int32))
    column = pa.StringArray.from_buffers(2, where, pa.py_buffer(b"9" * 20))
    with pytest.raises(ValueError, match="unsound offsets"):
        hash_column(KEY, b"", column)


def test_a_kernel_whose_functions_are_missing_is_not_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hmac_columns, "find_openssl", lambda: False)
    with pytest.raises(ValueError, match="cannot be called"):
        hash_column(KEY, b"", pa.array(["9990000018"]))


def test_nothing_is_used_under_fips_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hmac_columns._hashlib, "get_fips_mode", lambda: 1)
    assert not find_openssl.__wrapped__()


def test_a_library_without_the_functions_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hmac_columns.ctypes, "CDLL", lambda _: object())
    assert not find_openssl.__wrapped__()
