"""Azure Key Vault: RSA keys that never leave it.

Wrapping and verifying are done here with the public key of an exactly known version;
unwrapping and signing are asked of that version, never of "the current one". Why
each is so: docs/adr/0002-key-vault.md.
"""

import hashlib

from pseudo_service.adapters.key_vaults.algorithms import (
    KEY_BITS,
    MOST_SECRET_BYTES,
    KeyOperation,
    check_name,
    check_secret,
    encrypt_secret,
    list_operations,
    require_use,
    verify_message,
    write_public_pem,
)
from pseudo_service.adapters.key_vaults.azure_answers import (
    KeyAnswer,
    VersionName,
    read_value,
    refuse_answer,
    write_bytes,
)
from pseudo_service.adapters.key_vaults.azure_connection import (
    AzureConnection,
    Conversation,
    Question,
)
from pseudo_service.adapters.key_vaults.azure_deletion import delete_key
from pseudo_service.adapters.key_vaults.azure_versions import KeyVersions
from pseudo_service.core.errors import (
    KeyUnknown,
    KeyVaultRefused,
    KeyVaultUnavailable,
    PseudoError,
    SignatureRefused,
)
from pseudo_service.ports.clock import Clock
from pseudo_service.ports.key_vault import DeletedKey, Signature, VaultKey, Wrapped


class AzureKeyVault:
    """The port over one Azure Key Vault or Managed HSM; safe between threads.

    Needs ``keys/get`` to wrap and to verify, and beyond that only what is used:
    ``keys/unwrapKey``, ``keys/sign``, ``keys/create``, ``keys/delete``; ``keys/list``
    only when the newest version of a key is disabled, expired or not valid yet.
    """

    def __init__(
        self, *, connection: AzureConnection, clock: Clock, key_bits: int = KEY_BITS
    ) -> None:
        self._connection = connection
        self._address = connection.address
        self._versions = KeyVersions(address=connection.address, clock=clock)
        self._key_bits = key_bits

    def __repr__(self) -> str:
        return f"AzureKeyVault({self._address.host})"

    def close(self) -> None:
        """Close every socket that is not in use."""
        self._connection.close()

    def create_key(self, name: str) -> VaultKey:
        """Make an RSA key, or return the one of that name as it stands.

        Key Vault makes a second version when a name is created twice, so it is
        asked before, and asked again afterwards. Of callers that race each gets a
        version of the one key, and every later call its newest.
        """
        check_name(name)
        with self._connection.converse() as talk:
            try:
                return _make_vault_key(self._versions.find_current(talk, name))
            except KeyUnknown:
                self._create(talk, name)
            return _make_vault_key(self._versions.find_current(talk, name))

    def current_key(self, name: str) -> VaultKey:
        """Return the newest enabled, unexpired version of a key."""
        check_name(name)
        with self._connection.converse() as talk:
            return _make_vault_key(self._versions.find_current(talk, name))

    def wrap(self, name: str, secret: bytes) -> Wrapped:
        """Wrap at most 190 bytes with the current version of a key, in the process.

        Key Vault's own log sees no more than that the public key was read.
        """
        require_use(check_name(name), KeyOperation.WRAP)
        check_secret(secret)
        with self._connection.converse() as talk:
            key = self._versions.find_current(talk, name)
        ciphertext = encrypt_secret(key.public_key, secret)
        return Wrapped(key_id=key.key_id, ciphertext=ciphertext)

    def unwrap(self, wrapped: Wrapped) -> bytes:
        """Unwrap with the very version that wrapped, even if it has expired since."""
        version = self._address.read_key_id(wrapped.key_id)
        require_use(version.name, KeyOperation.UNWRAP)
        body = {"alg": "RSA-OAEP-256", "value": write_bytes(wrapped.ciphertext)}
        with self._connection.converse() as talk:
            answer = talk.ask(_ask_operation(version, KeyOperation.UNWRAP, body))
        secret = read_value(answer, version, self._address)
        if len(secret) > MOST_SECRET_BYTES:
            refuse_answer("unwrapped secret")
        return secret

    def sign(self, name: str, message: bytes) -> Signature:
        """Sign a message with the current version; the vault sees only its digest."""
        require_use(check_name(name), KeyOperation.SIGN)
        digest = hashlib.sha256(message).digest()
        body = {"alg": "PS256", "value": write_bytes(digest)}
        with self._connection.converse() as talk:
            key = self._versions.find_current(talk, name)
            version = self._address.read_key_id(key.key_id)
            answer = talk.ask(_ask_operation(version, KeyOperation.SIGN, body))
        value = read_value(answer, version, self._address)
        _check_answered_signature(key, message, value)
        return Signature(key_id=key.key_id, value=value)

    def verify(self, message: bytes, signature: Signature) -> None:
        """Raise ``SignatureRefused`` unless the signature is over the message.

        A version that was disabled or expired since still verifies: that ends what
        it may sign, not what it has signed.
        """
        version = self._address.read_key_id(signature.key_id)
        public_key = self._versions.find_remembered_key(signature.key_id)
        if public_key is None:
            with self._connection.converse() as talk:
                public_key = self._versions.find_public_key(talk, version)
        verify_message(public_key, message, signature.value)

    def key_name(self, key_id: str) -> str:
        """Return the name of the key that a versioned id is a version of."""
        return self._address.read_key_id(key_id).name

    def delete_key(self, name: str) -> DeletedKey:
        """Delete every version of a key, and return when the vault purges it."""
        check_name(name)
        with self._connection.converse() as talk:
            return delete_key(talk, name)

    def _create(self, talk: Conversation, name: str) -> None:
        """Create a key, content to find that it was made although the call failed."""
        try:
            talk.ask(_ask_creation(name, self._key_bits))
        except (KeyVaultUnavailable, KeyVaultRefused) as failed:
            self._require_made(talk, name, failed)

    def _require_made(self, talk: Conversation, name: str, failed: PseudoError) -> None:
        try:
            self._versions.find_current(talk, name)
        except PseudoError:
            raise failed from None


def _check_answered_signature(key: KeyAnswer, message: bytes, value: bytes) -> None:
    try:
        verify_message(key.public_key, message, value)
    except SignatureRefused:
        refuse_answer("signature")


def _make_vault_key(key: KeyAnswer) -> VaultKey:
    pem = write_public_pem(key.public_key)
    return VaultKey(name=key.name, key_id=key.key_id, public_key_pem=pem)


def _ask_operation(
    version: VersionName, operation: KeyOperation, body: dict[str, str]
) -> Question:
    verb = operation.value.lower()
    return Question(
        method="POST",
        path=f"/keys/{version.name}/{version.version}/{verb}",
        permission=f"keys/{operation.value}",
        key_name=version.name,
        body=body,
    )


def _ask_creation(name: str, key_bits: int) -> Question:
    operations = [operation.value for operation in list_operations(name)]
    return Question(
        method="POST",
        path=f"/keys/{name}/create",
        permission="keys/create",
        key_name=name,
        body={"kty": "RSA", "key_size": key_bits, "key_ops": operations},
        repeatable=False,
    )
