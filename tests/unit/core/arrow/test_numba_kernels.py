"""Kernels give one answer, compiled or not, kept on disk or not, raced for or not."""

import hashlib
import hmac
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.arrow.numba_kernels import Kernel, can_compile, view_texts
from pseudo_service.core.identifiers import national_numbers
from pseudo_service.core.pseudonyms import mac_cache, text_form
from pseudo_service.core.pseudonyms.keyed_hash import Engine
from pseudo_service.core.pseudonyms.warm_up import warm_up
from tests.lib.values.nhs_numbers import make_nhs_number

ROOT = Path(__file__).parents[4]
PROGRAM = """
import sys
import pyarrow as pa
from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat
from pseudo_service.core.pseudonyms.warm_up import warm_up
engine = warm_up()
kind = IdentifierKind.parse("nhs_number")
macs = KeyedHash(SecretKey(bytes(32)), kind).mac(pa.array(["9990441537"] * 5))
texts = PseudonymFormat(tag="TEST", kind=kind, version=1).encode(macs)
print(engine, macs[4].tobytes().hex(), texts[4])
"""
MAC = hmac.digest(bytes(32), b"nhs_number\x1f9990441537", hashlib.sha256)[:16].hex()


def start(folder, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    engine, mac, text = output.split()
    assert mac == MAC
    return engine, text


def test_here_everything_is_compiled():
    assert can_compile()
    assert warm_up() is Engine.OPENSSL


def test_without_machine_code_the_answers_are_the_same():
    compiled, text = read(start(ROOT))
    assert compiled == "openssl"
    assert read(start(ROOT, NUMBA_DISABLE_JIT="1")) == ("hmac", text)


def test_processes_that_race_for_the_kept_code_all_answer_rightly(tmp_path):
    racing = [start(ROOT, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(3)]
    answers = {read(process) for process in racing}
    assert len(answers) == 1
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}
    assert len(before) == 5, "one file a kernel"
    assert read(start(ROOT, NUMBA_CACHE_DIR=str(tmp_path))) in answers
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}
    assert after == before, "the kept code was compiled again"


def test_where_nothing_may_be_written_it_is_compiled_every_time(tmp_path):
    shutil.copytree(
        ROOT / "pseudo_service" / "core",
        tmp_path / "pseudo_service" / "core",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (tmp_path / "pseudo_service" / "__init__.py").touch()
    # A file in a folder's place cannot be written into, not by root either.
    core = tmp_path / "pseudo_service" / "core"
    for folder in (core, *(path for path in core.iterdir() if path.is_dir())):
        (folder / "__pycache__").touch()
    nowhere = tmp_path / "nowhere"
    nowhere.touch()
    settings = {"HOME": str(nowhere), "XDG_CACHE_HOME": str(nowhere)}
    engine, _ = read(start(tmp_path, PYTHONPATH="", **settings))
    assert engine == "openssl"
    assert list(tmp_path.rglob("*.nbc")) == []


def test_memory_that_may_not_be_executed_is_noticed(monkeypatch):
    def refuse(*_, **__):
        raise PermissionError

    can_compile.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr("pseudo_service.core.arrow.numba_kernels.mmap.mmap", refuse)
        assert not can_compile()
    can_compile.cache_clear()


@pytest.mark.parametrize("room", [national_numbers, text_form, mac_cache])
def test_every_kernel_refuses_arrays_of_another_type(room):
    kernels = [found for found in vars(room).values() if isinstance(found, Kernel)]
    assert kernels
    for kernel in kernels:
        wrong = [np.zeros((1, 1, 1), np.float32)] * kernel.plain.__code__.co_argcount
        with pytest.raises(TypeError):
            kernel(*wrong)


TEXTS = st.lists(
    st.one_of(
        st.integers(0, 999_999).map(make_nhs_number),
        st.from_regex(r"[0-3][0-9][01][0-9][0-9]{6}", fullmatch=True),
        st.text("0123456789", min_size=10, max_size=10),
        st.sampled_from(["1111111111", "9434765919", "0123456789", "123456789/", "1"]),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(0, 3))
def test_numbers_are_classified_alike_compiled_and_plain(texts, skipped):
    column = pa.array(["ABC"] * skipped + texts)[skipped:]
    offsets, data = view_texts(column)
    tables = (
        national_numbers._DUMMIES,
        national_numbers._DAYS_IN_MONTH,
        np.arange(7, dtype=np.uint8),
    )
    answers, numbers = [], []
    for classify in (national_numbers._classify, national_numbers._classify.plain):
        codes = np.zeros(len(texts), np.uint8)
        answers.append((classify(offsets, data, *tables, codes), codes.tolist()))
    for read_them in (national_numbers._read, national_numbers._read.plain):
        found = np.zeros(len(texts), np.int64)
        numbers.append((read_them(offsets, data, found), found.tolist()))
    assert answers[0] == answers[1]
    assert numbers[0] == numbers[1]
    if numbers[0][0]:
        assert numbers[0][1] == [int(text) for text in texts]


@pytest.mark.parametrize("offsets", [[0, 10, 30], [-10, 0, 10], [15, 25, 35]])
def test_offsets_beyond_the_data_are_no_numbers(offsets):
    data, numbers = np.frombuffer(b"9" * 20, np.uint8), np.zeros(2, np.int64)
    assert not national_numbers._read(np.array(offsets, np.int32), data, numbers)
    assert not national_numbers._classify(
        np.array(offsets, np.int32),
        data,
        national_numbers._DUMMIES,
        national_numbers._DAYS_IN_MONTH,
        np.arange(7, dtype=np.uint8),
        np.zeros(2, np.uint8),
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=5))
def test_pseudonyms_are_spelt_alike_compiled_and_plain(macs):
    rows = np.frombuffer(b"".join(macs), np.uint8).reshape(-1, 16)
    head = np.frombuffer(b"TEST-N1", np.uint8)
    texts = [np.zeros((len(macs), 34), np.uint8) for _ in range(2)]
    text_form._spell(rows, head, 77, text_form._SYMBOLS, texts[0])
    text_form._spell.plain(rows, head, 77, text_form._SYMBOLS, texts[1])
    assert np.array_equal(*texts)


def test_texts_at_an_odd_address_are_read():
    column = pa.array(["9990441537", "9990441545"])
    _, offsets, data = column.buffers()
    odd = pa.py_buffer(b"x" + offsets.to_pybytes())[1:]
    moved = pa.StringArray.from_buffers(2, odd, data)
    assert national_numbers.read_numbers(moved).tolist() == [9990441537, 9990441545]
