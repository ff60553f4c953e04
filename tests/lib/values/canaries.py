"""What must never be seen: made-up identifiers, keys, tokens, in every guise."""

import base64
import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from pseudo_service.adapters.entropy import SystemEntropy
from pseudo_service.adapters.sql.database import SqlDatabase
from pseudo_service.adapters.sql.stores.key_rows import SqlKeyRows
from pseudo_service.adapters.sql.stores.register import SqlRegister
from pseudo_service.bootstrap.external_services import open_key_vault
from pseudo_service.config import Config
from pseudo_service.core.keys.material import (
    SERVICE_OWNER,
    KeyUse,
    Root,
    RootPurpose,
    SecretKey,
)
from pseudo_service.ports.key_vault import Wrapped
from tests.lib.harnesses.fakes import FakeClock
from tests.lib.values.cohort import SCHEMA, make_numbers

NUMBERS = make_numbers(777_000, 6)
BAD_NUMBER = NUMBERS[0][:9] + str((int(NUMBERS[0][9]) + 1) % 10)
SURNAME = "Quillfeather-Canary"
POSTCODE = "ZE99 9ZZ"
BORN = date(1937, 11, 23)
BORN_TEXTS = ("1937-11-23", "23/11/1937", "23-Nov-1937")
MRN = "MRN-CANARY-0042"
NOTE = f"{SURNAME} of {POSTCODE} was seen"
_BLOCK = 64
_PROJECTS = ("asthma", "stroke", "kidney")
_KINDS = ("nhs_number", "mrn@RXH", "")


def make_canary_table(numbers: Iterable[str] = NUMBERS) -> pa.Table:
    """Return a cohort whose every identifying cell is a canary."""
    listed = list(numbers)
    return pa.table(
        {
            "nhs_number": listed,
            "surname": [SURNAME] * len(listed),
            "postcode": [POSTCODE] * len(listed),
            "born": [BORN] * len(listed),
            "admitted": [datetime(2024, 5, 1, 8)] * len(listed),  # noqa: DTZ001
            "score": [1] * len(listed),
        },
        schema=SCHEMA,
    )


def list_identifiers() -> dict[str, str]:
    """Return the canaries that are text, by what they are."""
    found = {"surname": SURNAME, "postcode": POSTCODE, "record number": MRN}
    found |= {f"birth as {text[:2]}": text for text in BORN_TEXTS}
    for place, number in enumerate([*NUMBERS, BAD_NUMBER]):
        found[f"number {place}"] = number
        found[f"number {place}, spaced"] = f"{number[:3]} {number[3:6]} {number[6:]}"
        found[f"number {place}, dashed"] = f"{number[:3]}-{number[3:6]}-{number[6:]}"
    return found


@dataclass
class Canaries:
    """Looks for what must not be there."""

    texts: dict[str, str] = field(default_factory=list_identifiers)
    secrets: dict[str, bytes] = field(default_factory=dict)

    def add_token(self, token: str) -> str:
        """Watch for a token, whole and in its telling parts; return it."""
        _, claims, signature = token.split(".")
        place = len(self.texts)
        self.texts |= {f"claims {place}": claims, f"signature {place}": signature}
        return token

    def find(self, where: bytes | str) -> list[str]:
        """Return the names of the canaries that are in there, in any guise."""
        data = where.encode(errors="replace") if isinstance(where, str) else where
        found = [
            name
            for name, text in self.texts.items()
            if any(guise in data for guise in list_guises(text))
        ]
        lower = data.lower()
        keys = [
            name
            for name, secret in self.secrets.items()
            if secret in data
            or secret.hex().encode() in lower
            or base64.b64encode(secret)[:-4] in data
            or base64.urlsafe_b64encode(secret)[:-4] in data
            or repr(secret)[2:-1].encode() in data
        ]
        return found + keys


@functools.cache
def list_guises(text: str) -> tuple[bytes, ...]:
    """Return how a text may stand somewhere without being readable at once.

    An unkeyed hash of a number is the number: there are few enough to try them all.
    """
    plain = text.encode()
    guises = [plain, text.encode("utf-16-le"), plain.hex().encode()]
    for lead in range(3):  # what stands before it shifts its base64
        shifted = base64.b64encode(bytes(lead) + plain)
        guises.append(shifted[(0, 2, 3)[lead] : len(shifted) // 4 * 4 - 4])
    if text.isdecimal():
        guises += [int(text).to_bytes(8, order) for order in ("little", "big")]
        for hashed in (hashlib.sha256(plain), hashlib.sha1(plain), hashlib.md5(plain)):
            guises += [hashed.digest(), hashed.hexdigest().encode()]
    return tuple(guises)


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a folder, by its path in there."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def collect_keys(config: Config) -> Mapping[str, bytes]:
    """Return every key that the database wraps, what is derived, and padded keys."""
    vault = open_key_vault(config, clock=FakeClock(), entropy=SystemEntropy())
    database = SqlDatabase(config.database_url, chain="reader-of-a-test")
    found: dict[str, bytes] = {}
    try:
        rows = SqlKeyRows(database)
        owned = [(SERVICE_OWNER, RootPurpose.SERVICE)]
        for project in _PROJECTS:
            owned += [(project, RootPurpose.PSEUDONYMS), (project, RootPurpose.STABLE)]
        for owner, purpose in owned:
            for row in rows.versions(owner, purpose):
                wrapped = Wrapped(key_id=row.wrapping_key_id, ciphertext=row.wrapped)
                key = SecretKey(vault.unwrap(wrapped))
                root = Root(owner=owner, version=row.version, purpose=purpose, key=key)
                found |= _derive_all(f"{owner}/{purpose}/{row.version}", root)
        for data_key in SqlRegister(database).read_data_keys():
            wrapped = Wrapped(
                key_id=data_key.wrapping_key_id, ciphertext=data_key.wrapped
            )
            found[f"data key {data_key.data_key_id}"] = vault.unwrap(wrapped)
    finally:
        database.close()
    return found


def _derive_all(name: str, root: Root) -> dict[str, bytes]:
    found = {name: root.key.reveal()}
    for use in KeyUse:
        for kind in _KINDS:
            key = root.derive(use, kind).reveal()
            found[f"{name}/{use}/{kind}"] = key
            padded = key.ljust(_BLOCK, b"\0")
            found[f"{name}/{use}/{kind}, inner"] = bytes(b ^ 0x36 for b in padded)[:32]
            found[f"{name}/{use}/{kind}, outer"] = bytes(b ^ 0x5C for b in padded)[:32]
    return found
