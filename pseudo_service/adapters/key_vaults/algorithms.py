"""What every vault keeps to: names, uses, RSA-OAEP-256 and PS256.

Algorithms are fixed (RFC 8017; RFC 7518 §3.5 and §4.3), so no vault can be talked
into another one. Public-key operations are done here, in the process: a vault that
answers a wrap or a verification could answer for another key.
"""

import re
from enum import StrEnum

from cryptography.exceptions import InternalError, InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pseudo_service.core.errors import (
    InvalidArgument,
    KeyVaultRefused,
    SignatureRefused,
)

KEY_BITS = 3072
_FEWEST_KEY_BITS = 2048
MOST_SECRET_BYTES = 190
"""What RSA-OAEP-256 takes under the shortest key that is accepted."""

_SIGNING_KEYS = frozenset({"audit"})
"""The keys that sign; every other key wraps. No key does both."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,126}")
_OAEP_256 = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None)
_PS256 = PSS(mgf=MGF1(SHA256()), salt_length=SHA256.digest_size)


class KeyOperation(StrEnum):
    """What a key may do, as Key Vault's ``key_ops`` spells it (RFC 7517 §4.3)."""

    WRAP = "wrapKey"
    UNWRAP = "unwrapKey"
    SIGN = "sign"
    VERIFY = "verify"


_SIGNING = (KeyOperation.SIGN, KeyOperation.VERIFY)
_WRAPPING = (KeyOperation.WRAP, KeyOperation.UNWRAP)


def check_name(name: str) -> str:
    """Return a key's name, or refuse it.

    Key Vault takes letters of either case and holds them equal, so only lower case
    is taken here: "Trial" and "trial" can never be one key by accident.

    Raises:
        InvalidArgument: It has another form or length.
    """
    if not _NAME.fullmatch(name):
        msg = "key name: use 1 to 127 lower-case letters, digits and hyphens"
        raise InvalidArgument(msg)
    return name


def list_operations(name: str) -> tuple[KeyOperation, KeyOperation]:
    """Return what a key of this name is for."""
    return _SIGNING if name in _SIGNING_KEYS else _WRAPPING


def require_use(name: str, operation: KeyOperation) -> None:
    """Refuse a wrap under a signing key, or a signature by a wrapping key.

    Raises:
        KeyVaultRefused: The key is not for this operation.
    """
    if operation not in list_operations(name):
        msg = f'key "{name}" is not for {operation}: a key either signs or wraps'
        raise KeyVaultRefused(msg)


def check_secret(secret: bytes) -> bytes:
    """Return a secret that can be wrapped, or refuse its length.

    Raises:
        InvalidArgument: It is empty or longer than 190 bytes.
    """
    if not 1 <= len(secret) <= MOST_SECRET_BYTES:
        msg = f"a wrapped secret has 1 to {MOST_SECRET_BYTES} bytes, not {len(secret)}"
        raise InvalidArgument(msg)
    return secret


def encrypt_secret(public_key: RSAPublicKey, secret: bytes) -> bytes:
    """Wrap a secret with RSA-OAEP-256."""
    return public_key.encrypt(check_secret(secret), _OAEP_256)


def decrypt_secret(private_key: RSAPrivateKey, ciphertext: bytes) -> bytes | None:
    """Unwrap a secret, or return None when this key did not wrap it."""
    try:
        return private_key.decrypt(ciphertext, _OAEP_256)
    except ValueError:
        return None


def sign_message(private_key: RSAPrivateKey, message: bytes) -> bytes:
    """Sign a message with PS256."""
    return private_key.sign(message, _PS256, SHA256())


def can_sign(private_key: RSAPrivateKey) -> bool:
    """Tell whether a key's public half verifies what its private half signs.

    It does not where a number of the key was damaged in a way that shows.
    """
    try:
        return _holds(private_key.public_key(), b"", sign_message(private_key, b""))
    except (ValueError, InternalError):  # numbers that OpenSSL cannot compute with
        return False


def verify_message(public_key: RSAPublicKey, message: bytes, signature: bytes) -> None:
    """Raise ``SignatureRefused`` unless the PS256 signature is over the message."""
    if not _holds(public_key, message, signature):
        msg = "the signature is not over this message: it was changed or moved"
        raise SignatureRefused(msg)


def _holds(public_key: RSAPublicKey, message: bytes, signature: bytes) -> bool:
    try:
        public_key.verify(signature, message, _PS256, SHA256())
    except InvalidSignature:
        return False
    return True


def build_public_key(modulus: int, exponent: int) -> RSAPublicKey | None:
    """Return an RSA public key, or None when the numbers make no acceptable one."""
    if modulus.bit_length() < _FEWEST_KEY_BITS or modulus % 2 == 0:
        return None
    try:
        return RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        return None


def write_public_pem(public_key: RSAPublicKey) -> bytes:
    """Return the SubjectPublicKeyInfo in PEM."""
    return public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
