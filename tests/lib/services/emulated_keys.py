"""The keys behind the emulated Key Vault: versions, attributes, real RSA."""

import base64
import hashlib
import threading
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

_OAEP_256 = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None)
_PS256 = PSS(mgf=MGF1(SHA256()), salt_length=32)
_generated: dict[int, list[RSAPrivateKey]] = {}
_generating = threading.Lock()


def borrow_key(bits: int, position: int) -> RSAPrivateKey:
    """Return the process's key number ``position`` of a length, made once."""
    with _generating:
        keys = _generated.setdefault(bits, [])
        while len(keys) <= position:
            keys.append(generate_private_key(65_537, bits))
        return keys[position]


def encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encode_number(number: int) -> str:
    return encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))


@dataclass(slots=True, kw_only=True)
class EmulatedVersion:
    """One version of a key, and what a test did to it."""

    version: str
    private_key: RSAPrivateKey
    operations: list[str]
    created: datetime
    enabled: bool = True
    not_before: datetime | None = None
    expires: datetime | None = None
    kty: str = "RSA"

    def describe_attributes(self) -> dict[str, object]:
        stamps = {
            "created": self.created,
            "updated": self.created,
            "nbf": self.not_before,
            "exp": self.expires,
        }
        seconds = {k: int(v.timestamp()) for k, v in stamps.items() if v}
        recovery = {"recoveryLevel": "Recoverable", "recoverableDays": 90}
        return {"enabled": self.enabled, **seconds, **recovery}

    def describe(self, key_id: str) -> dict[str, object]:
        numbers = self.private_key.public_key().public_numbers()
        key = {
            "kid": key_id,
            "kty": self.kty,
            "key_ops": self.operations,
            "n": _encode_number(numbers.n),
            "e": _encode_number(numbers.e),
        }
        return {"key": key, "attributes": self.describe_attributes(), "tags": {}}

    def find_refusal(self, operation: str, now: datetime) -> str | None:
        """Return Key Vault's inner code: an expired key still unwraps."""
        if not self.enabled:
            return "KeyDisabled"
        if operation == "unwrapkey":
            return None
        if self.expires and now >= self.expires:
            return "KeyExpired"
        if self.not_before and now < self.not_before:
            return "KeyNotYetValid"
        return None

    def operate(self, operation: str, algorithm: str, value: bytes) -> bytes | None:
        """Return the result, or None for a bad parameter."""
        permitted = [each.lower() for each in self.operations]
        try:
            match operation, algorithm, operation in permitted:
                case "wrapkey", "RSA-OAEP-256", True:
                    return self.private_key.public_key().encrypt(value, _OAEP_256)
                case "unwrapkey", "RSA-OAEP-256", True:
                    return self.private_key.decrypt(value, _OAEP_256)
                case "sign", "PS256", True:
                    return self.private_key.sign(value, _PS256, Prehashed(SHA256()))
        except ValueError:
            return None
        return None


@dataclass(slots=True)
class EmulatedKeys:
    """Every key of one vault by name; the last version made is the current one."""

    versions: dict[str, list[EmulatedVersion]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    purged_at: dict[str, datetime] = field(default_factory=dict)
    settling: dict[str, int] = field(default_factory=dict)
    _made: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(
        self, name: str, *, bits: int, operations: list[str], created: datetime
    ) -> EmulatedVersion:
        with self._lock:
            self._made += 1
            version = EmulatedVersion(
                version=hashlib.sha256(f"{name}/{self._made}".encode()).hexdigest()[
                    :32
                ],
                private_key=borrow_key(bits, self._made - 1),
                operations=operations,
                created=created,
            )
            self.versions.setdefault(name, []).append(version)
            return version

    def delete(self, name: str, *, purged_at: datetime, settles_after: int) -> None:
        """Delete softly; it is listed as deleted after some more questions."""
        self.deleted.add(name)
        self.purged_at[name] = purged_at
        self.settling[name] = settles_after

    def purge(self, name: str) -> None:
        """Forget a deleted key: its name is free again."""
        self.deleted.discard(name)
        del self.versions[name]

    def find_deleted(self, name: str) -> EmulatedVersion | None:
        """Return the newest version of a deleted key once its deletion is done."""
        self.settling[name] = self.settling.get(name, 0) - 1
        settled = name in self.deleted and self.settling[name] < 0
        return self.versions[name][-1] if settled else None

    def find(self, name: str, version: str = "") -> EmulatedVersion | None:
        known = [] if name in self.deleted else self.versions.get(name, [])
        if not version:
            return known[-1] if known else None
        return next((each for each in known if each.version == version), None)
