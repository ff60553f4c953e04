"""The pseudonym kernel against a plain loop, on one core."""

import os
import statistics
import time
from collections.abc import Callable

import pyarrow as pa
from cryptography.hazmat.primitives import hashes, hmac

from loadtests.tables import make_nhs_numbers
from pseudo_service.core.identifiers.canonical import canonicalise
from pseudo_service.core.identifiers.kinds import (
    ChiInNhsColumn,
    IdentifierKind,
    IdentifierRules,
)
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat
from pseudo_service.core.pseudonyms.warm_up import warm_up

KEY = bytes(range(32))
KIND = IdentifierKind.parse("nhs_number")
RULES = IdentifierRules(accept_test_range=True, chi_in_nhs_column=ChiInNhsColumn.REJECT)


def compare_kernels(*, distinct: int, rounds: int) -> tuple[float, float]:
    """Return distinct numbers a second: our kernel's, and the plain loop's.

    Ours goes from text to finished pseudonym; the loop only finalises ready bytes.
    Rounds alternate, so that a noisy machine disturbs both alike.
    """
    warm_up()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        numbers = make_nhs_numbers(distinct)
        messages = [b"nhs_number\x1f" + text.encode() for text in numbers.to_pylist()]
        ours, loops = [], []
        for _ in range(rounds):
            ours.append(distinct / _time(lambda: _pseudonymise(numbers)))
            loops.append(distinct / _time(lambda: _loop(messages)))
    finally:
        os.sched_setaffinity(0, cores)
    return statistics.median(ours), statistics.median(loops)


def _pseudonymise(numbers: pa.StringArray) -> pa.StringArray:
    canonical = canonicalise(numbers, KIND, RULES)
    macs = KeyedHash(SecretKey(KEY), KIND).mac(canonical.values)
    return PseudonymFormat(tag="TEST", kind=KIND, version=KeyVersion(1)).encode(macs)


def _loop(messages: list[bytes]) -> list[bytes]:
    prepared = hmac.HMAC(KEY, hashes.SHA256())
    digests = []
    for message in messages:
        one = prepared.copy()
        one.update(message)
        digests.append(one.finalize())
    return digests


def _time(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
