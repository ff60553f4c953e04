"""Key material in memory, how it is derived, and the row it is stored as.

Derivation: HKDF-SHA256 (RFC 5869) with an empty salt. The info string separates
project, key version, use and identifier kind, so no two uses share a key.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pseudo_service.core.errors import InvalidArgument
from pseudo_service.core.ids import KeyVersion

KEY_BYTES = 32
SERVICE_OWNER = "_service"
"""The owner of the service root; no project id may begin with an underscore."""


class SecretKey:
    """32 bytes that refuse to be printed, pickled, copied or compared.

    ``reveal()`` is the only way to the bytes, so that its callers can be listed.
    """

    __slots__ = ("_material",)

    def __init__(self, material: bytes) -> None:
        if len(material) != KEY_BYTES:
            msg = f"a key has {KEY_BYTES} bytes, not {len(material)}"
            raise InvalidArgument(msg)
        self._material = material

    def reveal(self) -> bytes:
        """Return the raw bytes, for a cryptographic primitive only."""
        return self._material

    def __repr__(self) -> str:
        return "SecretKey(***)"

    def __reduce__(self) -> NoReturn:
        msg = "a key cannot be pickled or copied"
        raise TypeError(msg)

    __hash__ = None  # type: ignore[assignment] # a key is no dictionary key


class RootPurpose(StrEnum):
    """What a root is for; the stable root never rotates."""

    PSEUDONYMS = "pseudonyms"
    STABLE = "stable"
    SERVICE = "service"


class KeyUse(StrEnum):
    """What a derived key is for; part of the HKDF info string."""

    PSEUDONYM = "pseudonym"
    DATE_SHIFT = "date_shift"
    SURROGATE = "surrogate"
    BLIND_INDEX = "blind_index"
    OPT_OUT_INDEX = "opt_out_index"
    QUOTA = "quota"
    SUBJECT_CODE = "subject_code"
    DIGEST = "digest"
    CURSOR = "cursor"
    SEGMENT_MAC = "segment_mac"
    DISCLOSURE_MAC = "membership_mac"
    SUPERSEDED_TABLE = "alias_table"
    LINKAGE_RECORD = "linkage_record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """An unwrapped root: who owns it, its version, and its key."""

    owner: str
    version: KeyVersion
    purpose: RootPurpose
    key: SecretKey = field(repr=False)

    def derive(self, use: KeyUse, kind: str = "") -> SecretKey:
        """Return the key for one use and identifier kind (RFC 5869)."""
        info = f"pseudo/v1/{self.owner}/{self.version}/{use}/{kind}"
        hkdf = HKDF(SHA256(), KEY_BYTES, salt=None, info=info.encode())
        return SecretKey(hkdf.derive(self.key.reveal()))

    def check_value(self) -> bytes:
        """Return 16 bytes that tell this root from another, and nothing else."""
        message = b"pseudo/v1/key-check"
        return hmac.digest(self.key.reveal(), message, hashlib.sha256)[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A wrapped root as it is stored, signed by the vault's "audit" key.

    RSA-OAEP needs only the public key, so wrapping authenticates nothing: the
    signature over ``signed_bytes()`` is what ties the wrapped root to its owner.
    """

    owner: str
    version: KeyVersion
    purpose: RootPurpose
    wrapping_key_id: str
    wrapped: bytes
    check_value: bytes
    created_at: datetime
    signing_key_id: str
    signature: bytes

    def signed_bytes(self) -> bytes:
        """Return what the signature covers: every field but itself."""
        statement = {
            "format": "pseudo/key-row/v1",
            "owner": self.owner,
            "version": self.version,
            "purpose": self.purpose.value,
            "wrapping_key_id": self.wrapping_key_id,
            "wrapped": self.wrapped.hex(),
            "check_value": self.check_value.hex(),
            "created_at": self.created_at.isoformat(),
            "signing_key_id": self.signing_key_id,
        }
        return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
