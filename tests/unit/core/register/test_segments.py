"""Segments: their bytes as earlier versions wrote them, and what breaks them."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pseudo_service.core.errors import RegisterCorrupt
from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.register.packed_identities import (
    pack_identities,
    unpack_identities,
)
from pseudo_service.core.register.segments import (
    Segment,
    check_segment,
    open_packed,
    seal_segment,
)

DATA_KEY = SecretKey(bytes(range(32)))
MAC_KEY = SecretKey(bytes(range(32, 64)))
IDENTITIES = ["9990441537", "9990000018"]
# Written before the two kinds of record shared one sealing; registers hold its like.
STORED = Segment(
    segment_id="segment-1",
    kind="nhs_number",
    count=2,
    data_key_id="key-1",
    nonce=b"n" * 12,
    sealed=bytes.fromhex(
        "ad622e50856883ce5e1f5d50d072eebecf4ede0c13608fb92c8d87aa76132996a0cd0e09dfbe"
    ),
    blind_index=bytes(range(32)),
    mac=bytes.fromhex(
        "dc644657bb4c5b8b2733f395e60404bc8cb35ce48789a41f2ad39e794a26ee1c"
    ),
)


def open_text(segment: Segment) -> list[str]:
    associated = check_segment(segment, MAC_KEY)
    packed = open_packed(segment, AESGCM(DATA_KEY.reveal()), associated)
    return unpack_identities([packed], [segment.count]).canonical.to_pylist()


def test_sealing_writes_the_bytes_that_it_always_wrote() -> None:
    sealed = seal_segment(
        pack_identities(pa.array(IDENTITIES)),
        blind_index=np.arange(32, dtype=np.uint8).reshape(2, 16),
        segment_id="segment-1",
        kind="nhs_number",
        data_key_id="key-1",
        data_key=DATA_KEY,
        mac_key=MAC_KEY,
        nonce=b"n" * 12,
    )
    assert sealed == STORED


def test_a_stored_segment_opens() -> None:
    assert open_text(STORED) == IDENTITIES


@pytest.mark.parametrize(
    "edit",
    [
        {"segment_id": "segment-2"},
        {"kind": "chi_number"},
        {"count": 1},
        {"data_key_id": "key-2"},
        {"nonce": b"m" * 12},
        {"sealed": STORED.sealed[:-1] + b"\0"},
        {"blind_index": bytes(32)},
        {"blind_index": bytes(range(16))},
        {"mac": bytes(32)},
    ],
    ids="-".join,
)
def test_an_edited_segment_is_refused(edit: dict[str, object]) -> None:
    with pytest.raises(RegisterCorrupt, match=r"register segment segment-"):
        check_segment(replace(STORED, **edit), MAC_KEY)


def test_another_mac_key_is_refused() -> None:
    with pytest.raises(RegisterCorrupt):
        check_segment(STORED, DATA_KEY)


@pytest.mark.parametrize("nonce", [b"", b"n" * 12])
def test_a_segment_does_not_open_under_another_key(nonce: bytes) -> None:
    associated = check_segment(STORED, MAC_KEY)
    with pytest.raises(RegisterCorrupt, match="segment-1 fails its check"):
        open_packed(replace(STORED, nonce=nonce), AESGCM(MAC_KEY.reveal()), associated)


def test_what_is_secret_is_not_printed() -> None:
    assert "sealed" not in repr(STORED)
    assert "blind_index" not in repr(STORED)
