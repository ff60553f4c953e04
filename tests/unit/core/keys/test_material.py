"""Key material: what shows it, what derives it, and what a key row signs."""

import copy
import json
import pickle
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.ids import KeyVersion
from pseudo_service.core.keys.material import (
    KeyRow,
    KeyUse,
    Root,
    RootPurpose,
    SecretKey,
)

SECRET = bytes(range(32))
ROOT = Root(
    owner="asthma",
    version=KeyVersion(2),
    purpose=RootPurpose.PSEUDONYMS,
    key=SecretKey(SECRET),
)
ROW = KeyRow(
    owner="asthma",
    version=KeyVersion(2),
    purpose=RootPurpose.PSEUDONYMS,
    wrapping_key_id="vault/project-asthma/1",
    wrapped=b"wrapped",
    check_value=ROOT.check_value(),
    created_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    signing_key_id="vault/audit/1",
    signature=b"signature",
)


def test_a_key_is_not_printed_copied_pickled_or_hashed() -> None:
    key = SecretKey(SECRET)
    for shown in (repr(key), str(key), f"{key}", repr(ROOT)):
        assert SECRET.hex() not in shown
        assert repr(SECRET)[2:-1] not in shown
    for take in (copy.copy, copy.deepcopy, pickle.dumps, hash):
        with pytest.raises(TypeError):
            take(key)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidArgument, match="32 bytes"):
        SecretKey(bytes(length))


def test_keys_are_derived_as_rfc_5869_says() -> None:
    info = b"pseudo/v1/asthma/2/pseudonym/nhs_number"
    expected = HKDF(SHA256(), 32, salt=None, info=info).derive(SECRET)
    assert ROOT.derive(KeyUse.PSEUDONYM, "nhs_number").reveal() == expected


def test_no_two_uses_owners_versions_or_kinds_share_a_key() -> None:
    roots = [ROOT, replace(ROOT, owner="stroke"), replace(ROOT, version=KeyVersion(3))]
    derived = [
        root.derive(use, kind).reveal()
        for root in roots
        for use in KeyUse
        for kind in ("", "nhs_number", "mrn@RXH")
    ]
    assert len(set(derived)) == len(derived)


def test_a_check_value_is_short_and_tells_roots_apart() -> None:
    other = replace(ROOT, key=SecretKey(b"o" * 32))
    assert len(ROOT.check_value()) == 16
    assert ROOT.check_value() != other.check_value()
    assert ROOT.check_value() == replace(ROOT, owner="stroke").check_value()


def test_the_signature_covers_every_field_but_itself() -> None:
    changed = {
        "owner": "stroke",
        "version": 3,
        "purpose": RootPurpose.STABLE,
        "wrapping_key_id": "vault/project-stroke/1",
        "wrapped": b"other",
        "check_value": bytes(16),
        "created_at": datetime(2026, 3, 2, 9, 1, tzinfo=UTC),
        "signing_key_id": "vault/audit/2",
    }
    assert {each.name for each in fields(KeyRow)} == {*changed, "signature"}
    signed = [ROW.signed_bytes()]
    signed += [
        replace(ROW, **{name: to}).signed_bytes() for name, to in changed.items()
    ]
    assert len(set(signed)) == len(changed) + 1
    assert replace(ROW, signature=b"other").signed_bytes() == ROW.signed_bytes()


def test_the_signed_bytes_are_canonical() -> None:
    signed = ROW.signed_bytes()
    names = list(json.loads(signed))
    assert all(one < other for one, other in pairwise(names))
    assert json.loads(signed)["format"] == "pseudo/key-row/v1"
    assert b" " not in signed
