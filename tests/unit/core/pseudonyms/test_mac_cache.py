"""A hash that remembers answers as one that does not, whatever was asked before."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.mac_cache import CachedKeyedHash, RecentIdentifiers

KIND = IdentifierKind.parse("nhs_number")
HASHES = [KeyedHash(SecretKey(bytes([n]) * 32), KIND) for n in range(3)]
IDENTIFIERS = st.one_of(
    st.integers(9_990_000_000, 9_990_000_030).map(str),
    st.sampled_from(["0101000001", "AB12", "123456789O", "12345678901"]),
)
# Which hashes are asked, for which distinct identifiers, batch after batch.
BATCHES = st.lists(
    st.tuples(
        st.sets(st.integers(0, 2)), st.lists(IDENTIFIERS, unique=True, max_size=12)
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(batches=BATCHES, most=st.sampled_from([0, 4, 20, 1000]))
def test_remembered_macs_are_the_computed_ones(batches, most):
    recent = RecentIdentifiers(most=most)
    remembering = [CachedKeyedHash(one, recent) for one in HASHES]
    for asked, identifiers in batches:
        canonical = pa.array(identifiers, pa.string())
        recent.find(canonical)  # another column may number them first
        for number in sorted(asked):
            answered = remembering[number].mac(canonical)
            assert np.array_equal(answered, HASHES[number].mac(canonical))
        assert recent.count <= most


def test_the_memory_is_bounded_and_starts_afresh():
    recent = RecentIdentifiers(most=10)
    remembering = CachedKeyedHash(HASHES[0], recent)
    for start in range(0, 100, 7):
        canonical = pa.array([str(9_990_000_000 + start + n) for n in range(7)])
        assert np.array_equal(remembering.mac(canonical), HASHES[0].mac(canonical))
        assert recent.count <= 10


def test_sliced_columns_are_read_where_they_lie():
    canonical = pa.array([str(9_990_000_000 + n) for n in range(9)]).slice(3, 4)
    remembering = CachedKeyedHash(HASHES[0], RecentIdentifiers())
    assert np.array_equal(remembering.mac(canonical), HASHES[0].mac(canonical))


def test_a_growing_memory_keeps_every_number():
    recent, told = RecentIdentifiers(), {}
    for batch in range(1, 40):
        texts = [str(9_990_000_000 + 37 * n) for n in range(batch * 50, batch * 90)]
        numbers = recent.find(pa.array(texts)).tolist()
        for text, number in zip(texts, numbers, strict=True):
            assert told.setdefault(text, number) == number
    assert recent.generation == 0
    assert sorted(told.values()) == list(range(recent.count))


def find_crowding_keys(count):
    """Return keys that all belong at one place of a table of 2,048."""
    keys = np.arange(9_000_000_000, 9_002_000_000)
    mixed = (keys ^ keys >> 16) * 0x45D9F3B & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 16) * 0x45D9F3B & 0xFFFFFFFF
    return keys[((mixed ^ mixed >> 16) & 2047) == 5][:count]


def test_identifiers_chosen_to_crowd_the_memory_are_computed_instead():
    recent = RecentIdentifiers()
    remembering = CachedKeyedHash(HASHES[0], recent)
    usual = pa.array([str(9_990_000_000 + n) for n in range(100)])
    assert recent.find(usual) is not None
    crowding = pa.array([str(key) for key in find_crowding_keys(700)])
    assert recent.find(crowding) is None
    for canonical in (crowding, usual):
        assert np.array_equal(remembering.mac(canonical), HASHES[0].mac(canonical))
    assert recent.count == 100
