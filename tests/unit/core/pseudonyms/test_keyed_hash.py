"""MACs of columns: the right ones, from any thread, without a trace of the key."""

import hashlib
import hmac
import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest

from pseudo_service.core.errors import IdentifierRefused, PseudoError
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys import hmac_columns
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.pseudonyms import keyed_hash
from pseudo_service.core.pseudonyms.keyed_hash import Engine, KeyedHash, name_engine
from tests.lib.values.nhs_numbers import make_nhs_number

ROOT = Path(__file__).parents[4]
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


def test_eight_threads_share_one_hash():
    hashed = KeyedHash(SecretKey(KEY), NHS)
    expected = {start: expect(NUMBERS[start::2]) for start in range(2)}
    failures = []

    def work(start):
        column = pa.array(NUMBERS[start::2])
        answers = [split(hashed.mac(column)) for _ in range(20)]
        failures.extend(a for a in answers if a != expected[start])

    threads = [threading.Thread(target=work, args=(n % 2,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_hashing_lets_other_threads_run():
    hashed = KeyedHash(SecretKey(KEY), NHS)
    column = pa.array(NUMBERS * 200)  # 500,000 rows
    hashed.mac(column[:1])
    interval = sys.getswitchinterval()
    began, passes = threading.Event(), []

    def hash_them():
        began.set()
        hashed.mac(column)

    # The lock is asked for once a minute only, so a loop that holds it is not parted.
    sys.setswitchinterval(60)
    try:
        thread = threading.Thread(target=hash_them)
        thread.start()
        began.wait()
        while thread.is_alive():
            passes.append(1)
            thread.join(0.001)
    finally:
        sys.setswitchinterval(interval)
    assert len(passes) > 5


def test_two_thousand_columns_leave_nothing_behind():
    hashed, column = KeyedHash(SecretKey(KEY), NHS), pa.array(NUMBERS[:500])
    for _ in range(300):
        hashed.mac(column)
    process = psutil.Process()
    before = process.memory_info().rss
    for _ in range(2000):
        hashed.mac(column)
    assert process.memory_info().rss - before < 4 * 2**20


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
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.pseudonyms.keyed_hash import Engine, KeyedHash, name_engine
from pseudo_service.core.keys.material import SecretKey
hashed = KeyedHash(SecretKey(KEY), IdentifierKind.parse("nhs_number"))
hashed.mac(pa.array([str(9990000000 + serial) for serial in range(1000)]))
"""


def test_no_library_logs_the_key_at_any_level(tmp_path):
    # Neither do listings of the compiled code, nor what is kept of it on disk.
    everything = {
        "NUMBA_CACHE_DIR": str(tmp_path),
        "NUMBA_DUMP_ANNOTATION": "1",
        "NUMBA_DUMP_IR": "1",
        "NUMBA_DUMP_LLVM": "1",
        "NUMBA_DUMP_ASSEMBLY": "1",
        "NUMBA_DEBUG_CACHE": "1",
    }
    finished = subprocess.run(
        [sys.executable, "-c", LOGGING_PROGRAM.replace("KEY", repr(KEY))],
        cwd=ROOT,
        env={**os.environ, **everything},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pseudo_sha256_final" in finished.stdout, "the code was not listed"
    assert_no_key(finished.stderr + finished.stdout)
    assert "9990000" not in finished.stderr + finished.stdout
    kept = list(tmp_path.rglob("*.nbc"))
    assert kept
    for path in kept:
        assert_no_key(path.read_bytes().decode("latin-1"))


def test_neither_repr_nor_failure_shows_the_key(monkeypatch):
    # The engine is named now: trying itself on what fails, it would turn to hmac.
    assert name_engine() is Engine.OPENSSL
    hashed = KeyedHash(SecretKey(KEY), NHS)
    assert_no_key(repr(hashed) + str(hashed))

    def fail(*_):
        raise RuntimeError(PADDED[1].hex())

    monkeypatch.setattr(keyed_hash, "hash_column", fail)
    with pytest.raises(PseudoError) as failure:
        hashed.mac(pa.array(NUMBERS))
    shown = "".join(traceback.format_exception(failure.value))
    assert_no_key(shown)
    assert failure.value.__cause__ is None


def test_states_of_the_key_are_wiped(monkeypatch):
    # The engine tries itself when it is first named; that is not what is watched.
    hmac_columns.find_openssl.cache_clear()
    name_engine.cache_clear()
    assert name_engine() is Engine.OPENSSL
    seen = []
    real = hmac_columns._hash_rows

    def watch(*arrays):
        outcome = real(*arrays)
        blocks, *_, secrets, _ = arrays
        seen.extend([blocks, secrets])
        assert all(array.any() for array in seen)
        return outcome

    monkeypatch.setattr(hmac_columns, "_hash_rows", watch)
    KeyedHash(SecretKey(KEY), NHS).mac(pa.array(NUMBERS))
    assert len(seen) == 2
    assert not any(array.any() for array in seen)


@pytest.fixture
def fresh_engine():
    keyed_hash.name_engine.cache_clear()
    yield
    keyed_hash.name_engine.cache_clear()


def give_a_wrong_digest(key, prefix, texts):
    macs = hmac_columns.hash_column(key, prefix, texts).copy()
    macs[-1, -1] ^= 1
    return macs


def refuse(*_):
    raise ValueError


@pytest.mark.parametrize("engine", [give_a_wrong_digest, refuse])
def test_openssl_is_not_used_unless_its_answers_are_right(
    engine, monkeypatch, fresh_engine
):
    monkeypatch.setattr(keyed_hash, "hash_column", engine)
    assert name_engine() is Engine.HMAC
    assert split(KeyedHash(SecretKey(KEY), NHS).mac(pa.array(NUMBERS))) == expect(
        NUMBERS
    )


@pytest.fixture
def fresh_search():
    hmac_columns.find_openssl.cache_clear()
    yield
    hmac_columns.find_openssl.cache_clear()


def test_in_fips_mode_the_low_level_functions_are_not_used(monkeypatch, fresh_search):
    monkeypatch.setattr(hmac_columns._hashlib, "get_fips_mode", lambda: 1)
    assert not hmac_columns.find_openssl()


def test_a_library_without_the_functions_is_not_used(monkeypatch, fresh_search):
    library = Path(np._core._multiarray_umath.__file__)
    monkeypatch.setattr(hmac_columns._hashlib, "__file__", str(library))
    assert not hmac_columns.find_openssl()


@pytest.mark.parametrize("count", [0, 1, keyed_hash.FEW, keyed_hash.FEW + 1])
def test_a_unary_calls_hash_gives_the_same_macs(count):
    numbers = pa.array([f"999{place:07d}" for place in range(count)], pa.string())
    few = keyed_hash.UnaryKeyedHash(SecretKey(KEY), NHS)
    assert np.array_equal(few.mac(numbers), KeyedHash(SecretKey(KEY), NHS).mac(numbers))
    assert few.mac(numbers).shape == (count, 16)


def test_a_unary_calls_hash_refuses_what_is_too_long():
    few = keyed_hash.UnaryKeyedHash(SecretKey(KEY), NHS)
    with pytest.raises(IdentifierRefused):
        few.mac(pa.array(["9" * 60]))
