"""MACs of columns: the right ones, from any thread, without a trace of the key."""

import hashlib
import hmac
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest

from pseudo_service.core import keyed_hash
from pseudo_service.core.errors import IdentifierRefused, PseudoError
from pseudo_service.core.identifiers import IdentifierKind
from pseudo_service.core.keyed_hash import KeyedHash
from pseudo_service.core.keys import SecretKey
from tests.lib.nhs_numbers import make_nhs_number

NHS = IdentifierKind.parse("nhs_number")
KEY = b"canary-key-canary-key-canary-key"
NUMBERS = [make_nhs_number(seed) for seed in range(0, 5000, 2)]
PADDED = [bytes(byte ^ pad for byte in KEY.ljust(64, b"\0")) for pad in (0, 0x36, 0x5C)]


def expect(texts, kind=NHS):
    return [
        hmac.new(KEY, f"{kind.text}\x1f{text}".encode(), hashlib.sha256).digest()[:16]
        for text in texts
    ]


def split(macs):
    return [row.tobytes() for row in macs]


@pytest.mark.parametrize("count", [0, 1, 2, 299, 300, 301, 302, 2500])
def test_columns_and_single_values_get_the_macs_that_hmac_makes(count):
    hashed = KeyedHash(SecretKey(KEY), NHS)
    macs = hashed.mac(pa.array(NUMBERS[:count], pa.string()))
    assert macs.shape == (count, 16)
    assert macs.dtype == np.uint8
    assert split(macs) == expect(NUMBERS[:count])
    assert [hashed.mac_one(text) for text in NUMBERS[:3]] == expect(NUMBERS[:3])


def test_columns_longer_than_a_batch_keep_their_order():
    texts = [str(number) for number in range(40_000)]
    macs = KeyedHash(SecretKey(KEY), NHS).mac(pa.array(texts))
    assert split(macs) == expect(texts)


@pytest.mark.parametrize("count", [10, 2000])
def test_null_rows_are_zero_and_their_neighbours_right(count):
    texts = [None if row % 3 == 0 else NUMBERS[row] for row in range(count)]
    macs = KeyedHash(SecretKey(KEY), NHS).mac(pa.array(texts))
    for text, mac in zip(texts, split(macs), strict=True):
        assert mac == (bytes(16) if text is None else expect([text])[0])


def test_a_slice_is_hashed_at_its_place():
    column = pa.array(["zero", *NUMBERS])
    macs = KeyedHash(SecretKey(KEY), NHS).mac(column[1:])
    assert split(macs) == expect(NUMBERS)


def test_texts_of_many_lengths_up_to_the_longest_message():
    kind = IdentifierKind.parse("mrn@RXH")
    texts = ["A" * length for length in range(1, 41)] * 20
    assert split(KeyedHash(SecretKey(KEY), kind).mac(pa.array(texts))) == expect(
        texts, kind
    )


@pytest.mark.parametrize("count", [1, 1000])
def test_a_message_of_more_than_55_bytes_is_refused(count):
    hashed = KeyedHash(SecretKey(KEY), NHS)
    assert hashed.mac(pa.array(["9" * 44] * count)).shape == (count, 16)
    with pytest.raises(IdentifierRefused) as refusal:
        hashed.mac(pa.array(["9" * 44] * (count - 1) + ["9" * 45]))
    assert "9999" not in str(refusal.value)
    with pytest.raises(IdentifierRefused):
        hashed.mac_one("9" * 45)


def test_kinds_and_keys_separate():
    column = pa.array(NUMBERS[:500])
    ours = KeyedHash(SecretKey(KEY), NHS).mac(column)
    chi = KeyedHash(SecretKey(KEY), IdentifierKind.parse("chi_number")).mac(column)
    other = KeyedHash(SecretKey(KEY[::-1]), NHS).mac(column)
    assert not (ours == chi).all(axis=1).any()
    assert not (ours == other).all(axis=1).any()


def test_threads_share_one_hash():
    hashed = KeyedHash(SecretKey(KEY), NHS)
    expected = {start: expect(NUMBERS[start::2]) for start in range(2)}
    failures = []

    def work(start):
        column = pa.array(NUMBERS[start::2])
        answers = [split(hashed.mac(column)) for _ in range(20)]
        failures.extend(a for a in answers if a != expected[start])

    threads = [threading.Thread(target=work, args=(n % 2,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_two_thousand_columns_leave_nothing_behind():
    hashed, column = KeyedHash(SecretKey(KEY), NHS), pa.array(NUMBERS[:500])
    for _ in range(300):
        hashed.mac(column)
    process = psutil.Process()
    before = process.memory_info().rss
    for _ in range(2000):
        hashed.mac(column)
    assert process.memory_info().rss - before < 24 * 2**20
    tables = keyed_hash._open_context().catalog().schema().names()
    assert tables == set()


def spellings(secret):
    """Return how a library might print bytes."""
    listed = ",".join(map(str, secret))
    return [
        secret.decode("latin-1"),
        secret.hex(),
        secret.hex().upper(),
        listed,
        listed.replace(",", ", "),
    ]


def assert_no_key(text):
    for secret in PADDED:
        for spelling in spellings(secret[:8]):
            assert spelling not in text


LOGGING_PROGRAM = """
import logging
logging.basicConfig(level=1)
import pyarrow as pa
from pseudo_service.core.identifiers import IdentifierKind
from pseudo_service.core.keyed_hash import KeyedHash
from pseudo_service.core.keys import SecretKey
hashed = KeyedHash(SecretKey(KEY), IdentifierKind.parse("nhs_number"))
hashed.mac(pa.array([str(9990000000 + serial) for serial in range(1000)]))
"""


def test_no_library_logs_the_key_at_any_level():
    # A process of its own: DataFusion's bridge remembers the levels it met first.
    finished = subprocess.run(
        [sys.executable, "-c", LOGGING_PROGRAM.replace("KEY", repr(KEY))],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "sha256(" in finished.stderr, "the query's plan was not logged"
    assert_no_key(finished.stderr + finished.stdout)
    assert "9990000" not in finished.stderr


def test_neither_repr_nor_failure_shows_the_key(monkeypatch):
    hashed = KeyedHash(SecretKey(KEY), NHS)
    assert_no_key(repr(hashed) + str(hashed))

    def fail():
        raise RuntimeError(PADDED[1].hex())

    monkeypatch.setattr(keyed_hash, "_open_context", fail)
    with pytest.raises(PseudoError) as failure:
        hashed.mac(pa.array(NUMBERS))
    shown = "".join(traceback.format_exception(failure.value))
    assert_no_key(shown)
    assert failure.value.__cause__ is None
