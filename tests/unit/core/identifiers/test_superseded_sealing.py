"""A stored table of superseded numbers is opened whole and unchanged, or not at all."""

import numpy as np
import pytest

from pseudo_service.core.errors import AliasTableRefused
from pseudo_service.core.identifiers import superseded_sealing
from pseudo_service.core.identifiers.superseded import SupersededNumbers
from pseudo_service.core.identifiers.superseded_sealing import (
    digest_table,
    open_table,
    seal_table,
)
from pseudo_service.core.keys.material import SecretKey
from tests.lib.values.cohort import make_numbers
from tests.lib.values.superseded_numbers import make_table

KEY, DIGEST_KEY = SecretKey(b"k" * 32), SecretKey(b"d" * 32)
NUMBERS = make_numbers(40_000, 8)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(superseded_sealing, "CHUNK_ENTRIES", 2)


def make() -> SupersededNumbers:
    entries = dict(zip(NUMBERS[:4], NUMBERS[4:], strict=True))
    return make_table({**entries, NUMBERS[7][:9] + "0": None})


def seal(table: SupersededNumbers, list_id: str = "one") -> list[bytes]:
    count = superseded_sealing.count_chunks(len(table.numbers))
    nonces = [bytes([chunk]) * 12 for chunk in range(count)]
    return list(seal_table(table, list_id=list_id, key=KEY, nonces=nonces))


def reopen(sealed, *, list_id="one", entries=5, digest=None) -> SupersededNumbers:
    return open_table(
        iter(sealed),
        list_id=list_id,
        entries=entries,
        key=KEY,
        digest_key=DIGEST_KEY,
        digest=digest_table(make(), DIGEST_KEY) if digest is None else digest,
    )


def test_a_table_comes_back():
    table = make()
    sealed = seal(table)
    assert len(sealed) == 3
    opened = reopen(sealed)
    assert np.array_equal(opened.numbers, table.numbers)
    assert np.array_equal(opened.targets, table.targets)


def test_the_empty_table_has_no_chunks():
    empty = make_table({})
    assert seal(empty) == []
    assert reopen([], entries=0, digest=digest_table(empty, DIGEST_KEY)).is_empty


CHANGES = {
    "a chunk is missing": lambda s: (s[:-1], {}),
    "a chunk is there twice": lambda s: ([*s, s[-1]], {}),
    "chunks change places": lambda s: ([s[1], s[0], s[2]], {}),
    "a bit is flipped": lambda s: ([*s[:2], s[2][:-1] + bytes([s[2][-1] ^ 1])], {}),
    "a chunk is cut short": lambda s: ([s[0][:5], *s[1:]], {}),
    "all are gone": lambda _: ([], {}),
    "it is another list's": lambda s: (s, {"list_id": "two"}),
    "fewer entries are stated": lambda s: (s[:2], {"entries": 4}),
    "another table has its digest": lambda s: (s, {"digest": b"\0" * 32}),
    "all are gone, and none stated": lambda _: ([], {"entries": 0}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_table_is_refused(change):
    sealed, stated = CHANGES[change](seal(make()))
    with pytest.raises(AliasTableRefused, match="security officer"):
        reopen(sealed, **stated)


def test_nothing_of_a_number_is_in_the_clear():
    stored = b"".join(seal(make()))
    for number in NUMBERS:
        assert number.encode() not in stored
        assert int(number).to_bytes(8, "little") not in stored
