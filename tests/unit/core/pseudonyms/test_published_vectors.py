"""The published vectors, recomputed as an outsider would: with hmac and hashlib."""

import hashlib
import hmac
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pseudo_service.core.identifiers.kinds import IdentifierKind
from pseudo_service.core.keys.material import KeyUse, Root, RootPurpose, SecretKey
from pseudo_service.core.projects.project import (
    DateShiftRule,
    ShiftDirection,
    ShiftUnit,
)
from pseudo_service.core.pseudonyms.keyed_hash import KeyedHash
from pseudo_service.core.pseudonyms.text_form import PseudonymFormat
from pseudo_service.core.transforms.date_shift import choose_offsets

DOCUMENT = Path(__file__).parents[4] / "docs" / "pseudonym-format.md"
SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS = {"nhs_number": "N", "chi_number": "C", "hc_number": "H", "mrn": "M"}


def read_vectors(name):
    found = re.search(rf"```json {name}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return json.loads(found[1])


PSEUDONYMS = read_vectors("pseudonyms")
OFFSETS = read_vectors("date-offsets")


def expand(root, info):
    """HKDF-SHA256 (RFC 5869) with an empty salt, one block of output."""
    extracted = hmac.new(bytes(32), root, hashlib.sha256).digest()
    return hmac.new(extracted, info.encode() + b"\x01", hashlib.sha256).digest()


def authenticate(vector, use, version):
    info = f"pseudo/v1/{vector['project']}/{version}/{use}/{vector['kind']}"
    key = expand(bytes.fromhex(vector["root_key"]), info)
    message = f"{vector['kind']}\x1f{vector['identifier']}".encode()
    assert len(message) <= 55
    return key, hmac.new(key, message, hashlib.sha256).digest()[:16]


def spell(mac):
    number, symbols = int.from_bytes(mac, "big"), []
    for _ in range(26):
        number, value = divmod(number, 32)
        symbols.append(SYMBOLS[value])
    return "".join(reversed(symbols))


def find_check_symbol(symbols):
    total = 0
    for place, symbol in enumerate(reversed(symbols)):
        value = SYMBOLS.index(symbol) * (2 if place % 2 == 0 else 1)
        total += value // 32 + value % 32
    return SYMBOLS[-total % 32]


def test_there_are_vectors():
    assert len(PSEUDONYMS) >= 6
    assert len(OFFSETS) >= 4
    assert {"nhs_number", "chi_number", "mrn@RXH"} <= {v["kind"] for v in PSEUDONYMS}
    assert len({v["pseudonym"] for v in PSEUDONYMS}) == len(PSEUDONYMS)


@pytest.mark.parametrize("vector", PSEUDONYMS, ids=lambda v: v["pseudonym"])
def test_an_outsider_recomputes_a_pseudonym(vector):
    key, mac = authenticate(vector, "pseudonym", vector["key_version"])
    assert (key.hex(), mac.hex()) == (vector["derived_key"], vector["mac"])
    letter = LETTERS.get(vector["kind"].partition("@")[0], "X")
    symbols = f"{vector['tag']}{letter}{vector['key_version']}{spell(mac)}"
    text = f"{symbols[:4]}-{symbols[4:]}{find_check_symbol(symbols)}"
    assert text == vector["pseudonym"]


@pytest.mark.parametrize("vector", PSEUDONYMS, ids=lambda v: v["pseudonym"])
def test_the_service_computes_the_same_pseudonym(vector):
    root = Root(
        owner=vector["project"],
        version=vector["key_version"],
        purpose=RootPurpose.PSEUDONYMS,
        key=SecretKey(bytes.fromhex(vector["root_key"])),
    )
    kind = IdentifierKind.parse(vector["kind"])
    key = root.derive(KeyUse.PSEUDONYM, kind.text)
    assert key.reveal().hex() == vector["derived_key"]
    form = PseudonymFormat(tag=vector["tag"], kind=kind, version=vector["key_version"])
    hashed = KeyedHash(key, kind)
    many = hashed.mac(pa.array([vector["identifier"]] * 1000))
    assert set(form.encode(many).to_pylist()) == {vector["pseudonym"]}
    assert form.encode_one(hashed.mac_one(vector["identifier"])) == vector["pseudonym"]
    assert form.parse(vector["pseudonym"]).hex() == vector["mac"]


@pytest.mark.parametrize("vector", OFFSETS, ids=lambda v: str(v["offset_days"]))
def test_an_outsider_recomputes_a_date_offset(vector):
    key, mac = authenticate(vector, "date_shift", 1)
    assert (key.hex(), mac.hex()) == (vector["derived_key"], vector["mac"])
    number, bound = int.from_bytes(mac, "big"), vector["bound"]
    if vector["direction"] == "past":
        units = -(1 + number % bound)
    else:
        rest = number % (2 * bound)
        units = -(rest + 1) if rest < bound else rest - bound + 1
    days = {"days": 1, "weeks": 7}[vector["unit"]]
    assert units * days == vector["offset_days"]


@pytest.mark.parametrize("vector", OFFSETS, ids=lambda v: str(v["offset_days"]))
def test_the_service_computes_the_same_date_offset(vector):
    root = Root(
        owner=vector["project"],
        version=1,
        purpose=RootPurpose.STABLE,
        key=SecretKey(bytes.fromhex(vector["root_key"])),
    )
    kind = IdentifierKind.parse(vector["kind"])
    rule = DateShiftRule(
        unit=ShiftUnit(vector["unit"]),
        bound=vector["bound"],
        direction=ShiftDirection(vector["direction"]),
    )
    hashing = KeyedHash(root.derive(KeyUse.DATE_SHIFT, kind.text), kind)
    macs = hashing.mac(pa.array([vector["identifier"]]))
    assert macs.tobytes().hex() == vector["mac"]
    assert choose_offsets(macs, rule).tolist() == [vector["offset_days"]]
    assert choose_offsets(macs, rule).dtype == np.int32
