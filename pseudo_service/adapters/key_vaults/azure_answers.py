"""Reads what Azure Key Vault answers, and believes none of it unchecked.

Shapes: Key Vault REST API 2025-07-01, ``KeyBundle``, ``KeyItem`` and
``KeyOperationResult``; numbers are JSON Web Keys (RFC 7517, RFC 7518 §6.3).
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from pseudo_service.adapters.key_vaults.algorithms import build_public_key
from pseudo_service.core.errors import ConfigurationInvalid, KeyVaultRefused

_VAULT_URL = re.compile(r"https://(?P<host>[A-Za-z0-9.:-]+)/?")
_KEY_ID = re.compile(
    r"https://(?P<host>[A-Za-z0-9.:-]+)"
    r"/keys/(?P<name>[0-9a-z-]{1,127})/(?P<version>[0-9a-f]{32})"
)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_RSA_KEY_TYPES = frozenset({"RSA", "RSA-HSM"})
_MOST_EPOCH_SECONDS = 253_402_300_799


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionName:
    """A key and one version of it."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """Whether and when a key version may be used for something new."""

    enabled: bool
    not_before: datetime | None
    expires: datetime | None
    created: datetime | None

    def explain_refusal(self, now: datetime) -> str | None:
        """Return why the version is unusable now, or None when it is usable."""
        if not self.enabled:
            return "disabled"
        if self.expires is not None and now >= self.expires:
            return "expired"
        if self.not_before is not None and now < self.not_before:
            return "not valid yet"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAnswer:
    """One version of a key, as the vault describes it."""

    name: str
    key_id: str
    public_key: RSAPublicKey
    operations: frozenset[str] | None
    validity: Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultAddress:
    """The one vault that is spoken to: an id of any other is refused, not asked."""

    host: str

    @classmethod
    def parse(cls, vault_url: str) -> "VaultAddress":
        """Read ``https://<host>[:port]`` and nothing more.

        Raises:
            ConfigurationInvalid: Another scheme, a path, a user name or a query.
        """
        found = _VAULT_URL.fullmatch(vault_url.strip())
        if found is None:
            msg = "key vault address: give https://<vault host> and nothing after it"
            raise ConfigurationInvalid(msg)
        return cls(host=found["host"].lower().removesuffix(":443"))

    @property
    def url(self) -> str:
        """The vault's base address."""
        return f"https://{self.host}"

    def write_key_id(self, name: VersionName) -> str:
        """Return the versioned id that rows store."""
        return f"{self.url}/keys/{name.name}/{name.version}"

    def find_version(self, key_id: str) -> VersionName | None:
        """Return what an id names, or None when it is not one of this vault's."""
        found = _KEY_ID.fullmatch(key_id)
        if found is None or found["host"].lower().removesuffix(":443") != self.host:
            return None
        return VersionName(name=found["name"], version=found["version"])

    def read_key_id(self, key_id: str) -> VersionName:
        """Return what an id names.

        Raises:
            KeyVaultRefused: The id is not one of this vault's.
        """
        found = self.find_version(key_id)
        if found is None or self.write_key_id(found) != key_id:
            msg = (
                f"the key id is no versioned key of vault {self.host}: "
                "the row was made with another vault, or planted"
            )
            raise KeyVaultRefused(msg)
        return found


def refuse_answer(part: str) -> NoReturn:
    """Refuse an answer; the message names the wrong part and never its value.

    Raises:
        KeyVaultRefused: Always.
    """
    msg = (
        f"the key vault's answer has an unusable {part}: "
        "check that the configured address is the vault itself, not a proxy"
    )
    raise KeyVaultRefused(msg)


def read_key(answer: Mapping[str, object], address: VaultAddress) -> KeyAnswer:
    """Return what a ``KeyBundle`` says of a key version.

    Raises:
        KeyVaultRefused: A part of the answer is unusable.
    """
    key = answer.get("key")
    if not isinstance(key, Mapping):
        refuse_answer("key")
    named = read_named_version(key, address)
    if key.get("kty") not in _RSA_KEY_TYPES:
        msg = f'key "{named.name}" is not RSA: create it as RSA with 3072 bits'
        raise KeyVaultRefused(msg)
    public_key = build_public_key(_read_number(key, "n"), _read_number(key, "e"))
    if public_key is None:
        refuse_answer("public key")
    return KeyAnswer(
        name=named.name,
        key_id=address.write_key_id(named),
        public_key=public_key,
        operations=_read_operations(key),
        validity=read_validity(answer),
    )


def read_named_version(
    holder: Mapping[str, object], address: VaultAddress
) -> VersionName:
    """Read a ``kid`` that must be a version of a key of this vault."""
    key_id = holder.get("kid")
    named = address.find_version(key_id) if isinstance(key_id, str) else None
    if named is None:
        refuse_answer("key id")
    return named


def read_validity(answer: Mapping[str, object]) -> Validity:
    """Read ``attributes``; what is absent does not restrict."""
    attributes = answer.get("attributes", {})
    if not isinstance(attributes, Mapping):
        refuse_answer("attributes")
    enabled = attributes.get("enabled", True)
    if not isinstance(enabled, bool):
        refuse_answer("enabled flag")
    return Validity(
        enabled=enabled,
        not_before=_read_time(attributes, "nbf"),
        expires=_read_time(attributes, "exp"),
        created=_read_time(attributes, "created"),
    )


def read_value(
    answer: Mapping[str, object], expected: VersionName, address: VaultAddress
) -> bytes:
    """Read the ``value`` of an operation that this very key version must have done."""
    if read_named_version(answer, address) != expected:
        refuse_answer("key id")
    return _read_bytes(answer, "value")


def read_purge_date(answer: Mapping[str, object]) -> datetime | None:
    """Read when a deleted key is purged; None where the vault does not say."""
    return _read_time(answer, "scheduledPurgeDate")


def write_bytes(value: bytes) -> str:
    """Return unpadded base64url (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _read_bytes(holder: Mapping[str, object], part: str) -> bytes:
    text = holder.get(part)
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        refuse_answer(part)
    body = text.rstrip("=")
    try:
        value = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except binascii.Error:
        value = b""
    if not value:
        refuse_answer(part)
    return value


def _read_number(key: Mapping[str, object], part: str) -> int:
    return int.from_bytes(_read_bytes(key, part), "big")


def _read_operations(key: Mapping[str, object]) -> frozenset[str] | None:
    operations = key.get("key_ops")
    if operations is None:
        return None
    if not isinstance(operations, list):
        refuse_answer("key_ops")
    return frozenset(each for each in operations if isinstance(each, str))


def _read_time(attributes: Mapping[str, object], part: str) -> datetime | None:
    seconds = attributes.get(part)
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        refuse_answer(part)
    if not 0 <= seconds <= _MOST_EPOCH_SECONDS:
        refuse_answer(part)
    return datetime.fromtimestamp(seconds, UTC)
