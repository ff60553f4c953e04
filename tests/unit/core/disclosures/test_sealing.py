"""Sealed disclosures: their bytes as earlier versions wrote them, and what breaks them."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from pseudo_service.core.disclosures import sealing
from pseudo_service.core.disclosures.disclosure import (
    MOST_MEMBERS,
    DisclosedPeople,
    Disclosure,
    DisclosureUse,
)
from pseudo_service.core.disclosures.sealing import (
    check_disclosure,
    open_disclosure,
    pack_members,
    seal_disclosure,
    unpack_members,
)
from pseudo_service.core.errors import InvalidArgument, RegisterCorrupt
from pseudo_service.core.keys.material import SecretKey

DATA_KEY = SecretKey(bytes(range(32)))
MAC_KEY = SecretKey(bytes(range(32, 64)))
PREFIXES = [7, 1 << 40, 2**64 - 2]
RELEASED_AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
# Written before the two kinds of record shared one sealing; registers hold its like.
PACKED = bytes.fromhex(
    "01000000030028b52ffd2024050100d007f9fe00ffff00fe0000ff0000ff01000000f2738169"
    "f273816901006eae08"
)
STORED = Disclosure(
    disclosure_id="membership-1",
    project="asthma",
    kind="nhs_number",
    use=DisclosureUse.PSEUDONYM,
    key_version=3,
    operation="run-1",
    recorded_at=datetime(2026, 2, 3, 4, 5, 7, tzinfo=UTC),
    count=3,
    data_key_id="key-1",
    nonce=b"n" * 12,
    sealed=bytes.fromhex(
        "a65b1769b65c9f4a44d14a7eec4ad75ef887103cdda7c10fd0de20abb21ce3ab79cdd41a9ee006"
        "37fc9b4c4cbc73af3e98794e66865ca0d7a6084d93c3ddb4"
    ),
    mac=bytes.fromhex(
        "5424a89f695ab08b622d8b51b4b6144107cbc8aa4ca8f1f351cbd4b95ea59afc"
    ),
)


def make_members() -> DisclosedPeople:
    return DisclosedPeople.of_one_operation(np.array(PREFIXES, np.uint64), RELEASED_AT)


def test_sealing_writes_the_bytes_that_it_always_wrote(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Another Zstandard may compress otherwise, which every version can read.
    monkeypatch.setattr(sealing, "pack_members", lambda _: PACKED)
    sealed = seal_disclosure(
        make_members(),
        disclosure_id="membership-1",
        project="asthma",
        kind="nhs_number",
        use=DisclosureUse.PSEUDONYM,
        key_version=3,
        operation="run-1",
        recorded_at=STORED.recorded_at,
        data_key_id="key-1",
        data_key=DATA_KEY,
        mac_key=MAC_KEY,
        nonce=b"n" * 12,
    )
    assert sealed == STORED


def test_a_stored_disclosure_opens() -> None:
    check_disclosure(STORED, MAC_KEY)
    members = open_disclosure(STORED, DATA_KEY)
    assert members.prefixes.tolist() == PREFIXES
    assert members.operations.tolist() == [1, 1, 1]
    assert set(members.first) == set(members.last) == {int(RELEASED_AT.timestamp())}


@pytest.mark.parametrize(
    "edit",
    [
        {"disclosure_id": "membership-2"},
        {"project": "diabetes"},
        {"kind": "chi_number"},
        {"use": DisclosureUse.DATES},
        {"key_version": 4},
        {"operation": "run-2"},
        {"recorded_at": RELEASED_AT},
        {"count": 2},
        {"data_key_id": "key-2"},
        {"nonce": b"m" * 12},
        {"sealed": STORED.sealed[:-1] + b"\0"},
        {"mac": bytes(32)},
    ],
    ids="-".join,
)
def test_an_edited_disclosure_is_refused(edit: dict[str, object]) -> None:
    edited = replace(STORED, **edit)
    with pytest.raises(RegisterCorrupt, match="fails its check"):
        check_disclosure(edited, MAC_KEY)


@pytest.mark.parametrize(
    "edit", [{"project": "diabetes"}, {"count": 2}, {"nonce": b""}, {"sealed": b""}]
)
def test_what_was_edited_does_not_open_either(edit: dict[str, object]) -> None:
    with pytest.raises(RegisterCorrupt, match="membership-1 fails its check"):
        open_disclosure(replace(STORED, **edit), DATA_KEY)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(RegisterCorrupt):
        open_disclosure(STORED, MAC_KEY)
    with pytest.raises(RegisterCorrupt):
        check_disclosure(STORED, DATA_KEY)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        PACKED[:5],
        b"\x02" + PACKED[1:],
        PACKED[:1] + bytes(4) + PACKED[5:],
        PACKED[:5] + b"\x08" + PACKED[6:],
        PACKED[:-4] + bytes(4),
        PACKED[:4] + b"\x02" + PACKED[5:],
        PACKED[:1] + b"\xff" * 4 + PACKED[5:],
    ],
    ids=["empty", "short", "version", "nobody", "flags", "bytes", "count", "huge"],
)
def test_other_bytes_are_no_set_of_people(packed: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        unpack_members(packed)


@pytest.mark.parametrize("count", [0, MOST_MEMBERS + 1])
def test_too_few_and_too_many_are_not_packed(count: int) -> None:
    people = np.arange(count, dtype=np.uint64)
    with pytest.raises(InvalidArgument, match="1 to 1000000 people"):
        pack_members(DisclosedPeople.of_one_operation(people, RELEASED_AT))


def test_what_is_secret_is_not_printed() -> None:
    assert "sealed" not in repr(STORED)
