"""The key vault: wraps roots, signs rows, checkpoints and certificates.

It is never on the hot path. Algorithms are fixed: RSA-OAEP-256 to wrap and PS256
to sign (RFC 8017, RFC 7518), so an adapter offers no choice to get wrong.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultKey:
    """One version of a vault key. ``key_id`` is versioned and is what rows store.

    ``public_key_pem`` is the SubjectPublicKeyInfo in PEM.
    """

    name: str
    key_id: str
    public_key_pem: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """A wrapped secret and the exact key version that unwraps it."""

    key_id: str
    ciphertext: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A PS256 signature and the exact key version that made it."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedKey:
    """A deleted key. ``purged_at`` is None where the vault tells no purge date."""

    name: str
    purged_at: datetime | None


class KeyVault(Protocol):
    """What the service asks of a key vault.

    Every method raises ``KeyVaultUnavailable`` when trying again may help (time-out,
    throttled, 5xx), ``KeyVaultRefused`` when it will not (forbidden, disabled,
    expired, malformed answer) and ``KeyUnknown`` when there is no such key.
    """

    def create_key(self, name: str) -> VaultKey:
        """Make an RSA-3072 key and return its first version.

        A key of that name that exists already is returned as it stands, so that
        two callers that race end with one key.
        """
        ...

    def current_key(self, name: str) -> VaultKey:
        """Return the newest enabled, unexpired version of a key."""
        ...

    def wrap(self, name: str, secret: bytes) -> Wrapped:
        """Wrap at most 190 bytes with the current version of a key."""
        ...

    def unwrap(self, wrapped: Wrapped) -> bytes:
        """Unwrap with the very version that wrapped."""
        ...

    def sign(self, name: str, message: bytes) -> Signature:
        """Sign a message with the current version of a key."""
        ...

    def verify(self, message: bytes, signature: Signature) -> None:
        """Raise ``SignatureRefused`` unless the signature is over the message.

        ``signature.key_id`` must be a version of the key that the vault itself
        names; an id of another vault is refused, not asked.
        """
        ...

    def key_name(self, key_id: str) -> str:
        """Return the name of the key that a versioned id is a version of.

        Callers check it: a row signed by a key other than "audit" is no row.

        Raises:
            KeyVaultRefused: The id is not one of this vault's.
        """
        ...

    def delete_key(self, name: str) -> DeletedKey:
        """Delete every version of a key; it can be recovered until its purge.

        A key that is deleted already is answered with its purge date again.

        Raises:
            KeyUnknown: There never was such a key, or it has been purged.
        """
        ...

    def close(self) -> None:
        """Give back what the vault holds open; it is not used after that."""
        ...
