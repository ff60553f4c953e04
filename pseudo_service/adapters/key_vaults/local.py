"""A key vault in a folder, for a laptop and for tests; production refuses it.

The folder holds ``vault.pem`` (who the vault is), ``passphrase`` if none was given,
and ``keys/<name>/<version>.pem``: encrypted PKCS #8 (RFC 5958), for its owner only.
Deleted keys wait under ``deleted`` for their purge; see ``local_deletion``.
A person who can read the folder and its passphrase has every key in it.
"""

import hashlib
import re
import threading
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from pseudo_service.adapters.clock import SystemClock
from pseudo_service.adapters.key_vaults.algorithms import (
    KEY_BITS,
    KeyOperation,
    can_sign,
    check_name,
    decrypt_secret,
    encrypt_secret,
    require_use,
    sign_message,
    verify_message,
    write_public_pem,
)
from pseudo_service.adapters.key_vaults.local_deletion import DeletedKeys
from pseudo_service.adapters.key_vaults.local_files import (
    list_files,
    make_folder,
    read_file,
    write_once,
)
from pseudo_service.core.errors import (
    ConfigurationInvalid,
    KeyUnknown,
    KeyVaultRefused,
)
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.entropy import Entropy
from pseudo_service.ports.key_vault import DeletedKey, Signature, VaultKey, Wrapped

_FEWEST_PASSPHRASE_CHARACTERS = 12
_PASSPHRASE_BYTES = 32
_PUBLIC_EXPONENT = 65_537
_VERSION_FILE = re.compile(r"([1-9][0-9]{0,8})\.pem")
_KEY_ID = re.compile(r"local:([0-9a-f]{16})/([a-z0-9-]{1,127})/([1-9][0-9]{0,8})")


class LocalKeyVault:
    """The port over a folder; safe between threads and between processes.

    An empty file ``N.disabled`` beside ``N.pem`` disables version N of a key: it
    neither unwraps nor signs, and what it signed still verifies.

    Args:
        path: The vault's folder; made when it is not there, in a folder that is.
        passphrase: At least 12 characters; None generates one, kept in the folder.
        entropy: Where a generated passphrase comes from.
        clock: Says when deleted keys are purged; the system's by default.
        key_bits: How long new keys are; tests take 2048 to be quick.

    Raises:
        ConfigurationInvalid: Others may read the folder, or the passphrase is wrong.
    """

    def __init__(
        self,
        path: Path,
        passphrase: str | None = None,
        *,
        entropy: Entropy,
        clock: Clock | None = None,
        key_bits: int = KEY_BITS,
    ) -> None:
        self._keys = path / "keys"
        self._key_bits = key_bits
        self._opened: dict[Path, RSAPrivateKey] = {}
        self._lock = threading.Lock()
        make_folder(path)
        make_folder(self._keys)
        self._passphrase = _find_passphrase(path, passphrase, entropy)
        self._id = _find_vault_id(path / "vault.pem", self._passphrase)
        self._clock = clock or SystemClock()
        self._deleted = DeletedKeys(path / "deleted")
        self._deleted.purge(self._clock.now())

    def __repr__(self) -> str:
        return f"LocalKeyVault({self._id})"

    def close(self) -> None:
        """Forget the opened keys."""
        self._opened.clear()

    def create_key(self, name: str) -> VaultKey:
        """Make an RSA key, or return the one of that name as it stands.

        Raises:
            InvalidArgument: No key may have this name.
            KeyVaultRefused: A deleted key holds the name.
        """
        if self._deleted.find(check_name(name)) is not None:
            msg = f'a deleted key holds the name "{name}" until it is purged'
            raise KeyVaultRefused(msg)
        make_folder(self._keys / name)
        if not self._list_versions(name):
            self._write_version(name, 1)
        return self.current_key(name)

    def rotate_key(self, name: str) -> VaultKey:
        """Make the next version of a key; the older ones stay."""
        while True:
            newest = max(self._require_versions(name))
            if self._write_version(name, newest + 1):
                return self.current_key(name)

    def current_key(self, name: str) -> VaultKey:
        """Return the newest enabled version of a key."""
        version, private_key = self._open_current(check_name(name))
        return VaultKey(
            name=name,
            key_id=self._write_key_id(name, version),
            public_key_pem=write_public_pem(private_key.public_key()),
        )

    def wrap(self, name: str, secret: bytes) -> Wrapped:
        """Wrap at most 190 bytes with the current version of a key."""
        require_use(check_name(name), KeyOperation.WRAP)
        version, private_key = self._open_current(name)
        ciphertext = encrypt_secret(private_key.public_key(), secret)
        return Wrapped(key_id=self._write_key_id(name, version), ciphertext=ciphertext)

    def unwrap(self, wrapped: Wrapped) -> bytes:
        """Unwrap with the very version that wrapped.

        Raises:
            KeyVaultRefused: The id is not of this vault, the version is disabled, or it
                did not wrap these bytes.
            KeyUnknown: There is no such version.
        """
        name, version = self._read_key_id(wrapped.key_id)
        require_use(name, KeyOperation.UNWRAP)
        private_key = self._open_version(name, version)
        if not self._is_enabled(name, version):
            msg = f'key "{name}" version {version} is disabled: enable it'
            raise KeyVaultRefused(msg)
        secret = decrypt_secret(private_key, wrapped.ciphertext)
        if secret is None:
            msg = f'the stored bytes were not wrapped by key "{name}" version {version}'
            raise KeyVaultRefused(msg)
        return secret

    def sign(self, name: str, message: bytes) -> Signature:
        """Sign a message with the current version of a key."""
        require_use(check_name(name), KeyOperation.SIGN)
        version, private_key = self._open_current(name)
        value = sign_message(private_key, message)
        return Signature(key_id=self._write_key_id(name, version), value=value)

    def verify(self, message: bytes, signature: Signature) -> None:
        """Raise ``SignatureRefused`` unless the signature is over the message."""
        private_key = self._open_version(*self._read_key_id(signature.key_id))
        verify_message(private_key.public_key(), message, signature.value)

    def key_name(self, key_id: str) -> str:
        """Return the name of the key that a versioned id is a version of."""
        return self._read_key_id(key_id)[0]

    def delete_key(self, name: str) -> DeletedKey:
        """Take every version of a key out of use; it is purged a week later.

        Raises:
            KeyUnknown: There is no such key, or it was purged.
        """
        folder = self._keys / check_name(name)
        taken = self._deleted.take(name, folder, self._clock.now())
        with self._lock:
            opened = [file for file in self._opened if file.parent == folder]
            for file in opened:
                del self._opened[file]
        found = taken or self._deleted.find(name)
        if found is None:
            msg = (
                f'the local key vault has no key "{name}": it was never made, or purged'
            )
            raise KeyUnknown(msg)
        return found

    def _write_key_id(self, name: str, version: int) -> str:
        return f"local:{self._id}/{name}/{version}"

    def _read_key_id(self, key_id: str) -> tuple[str, int]:
        found = _KEY_ID.fullmatch(key_id)
        if found is None or found[1] != self._id:
            msg = (
                "the key id is no key of this local vault: "
                "the row was made with another vault, or planted"
            )
            raise KeyVaultRefused(msg)
        return found[2], int(found[3])

    def _locate_version(self, name: str, version: int) -> Path:
        return self._keys / name / f"{version}.pem"

    def _locate_flag(self, name: str, version: int) -> Path:
        return self._keys / name / f"{version}.disabled"

    def _is_enabled(self, name: str, version: int) -> bool:
        return read_file(self._locate_flag(name, version)) is None

    def _list_versions(self, name: str) -> list[int]:
        files = list_files(self._keys / name)
        matches = (_VERSION_FILE.fullmatch(file) for file in files)
        return sorted(int(match[1]) for match in matches if match)

    def _require_versions(self, name: str) -> list[int]:
        versions = self._list_versions(check_name(name))
        if not versions:
            msg = f'the local key vault has no key "{name}": create it'
            raise KeyUnknown(msg)
        return versions

    def _open_current(self, name: str) -> tuple[int, RSAPrivateKey]:
        for version in reversed(self._require_versions(name)):
            if self._is_enabled(name, version):
                return version, self._open_version(name, version)
        msg = f'key "{name}": every version is disabled: enable one, or rotate the key'
        raise KeyVaultRefused(msg)

    def _open_version(self, name: str, version: int) -> RSAPrivateKey:
        file = self._locate_version(name, version)
        content = read_file(file)
        if content is None:
            msg = f'the local key vault has no version {version} of key "{name}"'
            raise KeyUnknown(msg)
        with self._lock:
            if file not in self._opened:
                self._opened[file] = self._decrypt(name, content)
            return self._opened[file]

    def _decrypt(self, name: str, content: bytes) -> RSAPrivateKey:
        private_key = _open_pem(content, self._passphrase)
        if not isinstance(private_key, RSAPrivateKey) or not can_sign(private_key):
            msg = f'key "{name}" in the local vault cannot be opened: its file changed'
            raise KeyVaultRefused(msg)
        return private_key

    def _write_version(self, name: str, version: int) -> bool:
        private_key = generate_private_key(_PUBLIC_EXPONENT, self._key_bits)
        content = _encrypt(private_key, self._passphrase)
        return write_once(self._locate_version(name, version), content)


def _open_pem(content: bytes, phrase: bytes) -> PrivateKeyTypes | None:
    """Return a private key, or None when the passphrase or the file is not the right one.

    About one wrong passphrase in 256 decrypts to sound padding. Then the parser fails
    on the nonsense, with an error of its own; both failures get the same answer.

    OpenSSL's own check of an RSA key looks for primes, which took most of the time in
    which a command starts. The vault made the key itself, so what may have happened to
    it is a damaged file: whoever uses an RSA key has it sign something first.
    """
    try:
        return load_pem_private_key(
            content, phrase, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _encrypt(private_key: RSAPrivateKey | Ed25519PrivateKey, phrase: bytes) -> bytes:
    return private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(phrase)
    )


def _find_passphrase(path: Path, given: str | None, entropy: Entropy) -> bytes:
    if given is not None:
        if len(given) < _FEWEST_PASSPHRASE_CHARACTERS:
            fewest = _FEWEST_PASSPHRASE_CHARACTERS
            msg = f"local key vault: its passphrase needs {fewest} characters or more"
            raise ConfigurationInvalid(msg)
        return given.encode()
    file = path / "passphrase"
    if read_file(path / "vault.pem") is None:
        write_once(file, entropy.draw(_PASSPHRASE_BYTES).hex().encode())
    generated = read_file(file)
    if generated is None:
        msg = "local key vault: it was made with a passphrase; give it"
        raise ConfigurationInvalid(msg)
    return generated


def _find_vault_id(file: Path, passphrase: bytes) -> str:
    """Return the vault's id; only its own passphrase opens the key behind it."""
    if read_file(file) is None:
        write_once(file, _encrypt(Ed25519PrivateKey.generate(), passphrase))
    identity = _open_pem(read_file(file) or b"", passphrase)
    if not isinstance(identity, Ed25519PrivateKey):
        msg = "local key vault: this is not the passphrase that it was made with"
        raise ConfigurationInvalid(msg)
    public_key = identity.public_key().public_bytes_raw()
    return hashlib.sha256(public_key).hexdigest()[:16]
