"""Sealing a record: what binds it, and who can check and open it."""

import hashlib
import hmac
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from pseudo_service.core.keys.material import SecretKey
from pseudo_service.core.keys.sealed_records import (
    NONCE_BYTES,
    encode_fields,
    is_authentic,
    open_record,
    seal_record,
)

DATA_KEY, MAC_KEY = SecretKey(b"d" * 32), SecretKey(b"m" * 32)
CIPHER = AESGCM(DATA_KEY.reveal())
FIELDS = st.lists(st.binary(max_size=40), max_size=6)
NONCES = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)


@given(FIELDS, FIELDS)
def test_other_fields_are_other_associated_data(
    one: list[bytes], other: list[bytes]
) -> None:
    assert (encode_fields(one) == encode_fields(other)) == (one == other)


def test_a_field_stands_after_its_length() -> None:
    assert encode_fields([b"ab", b"", b"c" * 300]) == (
        b"\x00\x02ab\x00\x00\x01\x2c" + b"c" * 300
    )


def test_a_field_too_long_for_its_length_is_refused() -> None:
    with pytest.raises(OverflowError):
        encode_fields([bytes(1 << 16)])


@given(st.binary(max_size=200), st.binary(max_size=60), NONCES)
def test_what_is_sealed_is_checked_and_opens(
    plain: bytes, associated: bytes, nonce: bytes
) -> None:
    record = seal_record(
        plain, associated=associated, data_key=DATA_KEY, mac_key=MAC_KEY, nonce=nonce
    )
    assert record.nonce == nonce
    assert is_authentic(record, associated=associated, mac_key=MAC_KEY)
    assert open_record(record, associated=associated, cipher=CIPHER) == plain
    digest = hashlib.sha256(record.sealed).digest()
    message = associated + nonce + digest
    assert record.mac == hmac.digest(MAC_KEY.reveal(), message, "sha256")


@pytest.mark.parametrize("part", ["nonce", "sealed", "mac", "associated", "key"])
def test_whatever_is_changed_is_noticed(part: str) -> None:
    associated = b"segment-1"
    record = seal_record(
        b"identities",
        associated=associated,
        data_key=DATA_KEY,
        mac_key=MAC_KEY,
        nonce=b"n" * 12,
    )
    mac_key, cipher = MAC_KEY, CIPHER
    if part == "associated":
        associated = b"segment-2"
    elif part == "key":
        mac_key, cipher = DATA_KEY, AESGCM(MAC_KEY.reveal())
    else:
        changed = bytes([getattr(record, part)[0] ^ 1]) + getattr(record, part)[1:]
        record = replace(record, **{part: changed})
    assert not is_authentic(record, associated=associated, mac_key=mac_key)
    if part == "mac":  # which is for readers that do not open
        assert open_record(record, associated=associated, cipher=cipher)
        return
    with pytest.raises(ValueError, match="does not open"):
        open_record(record, associated=associated, cipher=cipher)


@pytest.mark.parametrize("nonce", [b"", b"n" * 7])
def test_a_nonce_of_no_possible_length_is_a_refusal(nonce: bytes) -> None:
    record = seal_record(
        b"x", associated=b"", data_key=DATA_KEY, mac_key=MAC_KEY, nonce=b"n" * 12
    )
    with pytest.raises(ValueError, match=r"(?i)nonce"):
        open_record(replace(record, nonce=nonce), associated=b"", cipher=CIPHER)


def test_what_is_secret_is_not_printed() -> None:
    record = seal_record(
        b"x", associated=b"", data_key=DATA_KEY, mac_key=MAC_KEY, nonce=b"n" * 12
    )
    assert "sealed" not in repr(record)
    assert "mac" not in repr(record)
