"""What a verifier of receipts and checkpoints trusts: the vault's audit key."""

from collections.abc import Callable

from pseudo_service.adapters.clock import SystemClock
from pseudo_service.adapters.entropy import SystemEntropy
from pseudo_service.bootstrap.external_services import open_key_vault
from pseudo_service.config import Config
from pseudo_service.core.errors import SignatureRefused
from pseudo_service.engine.keys.key_ring import AUDIT_KEY
from pseudo_service.ports.key_vault import Signature

VerifyVaultSignature = Callable[[bytes, bytes, str], None]


def read_audit_verifier(config: Config) -> VerifyVaultSignature:
    """Return a function that checks a signature of the vault's "audit" key.

    It takes message, signature and versioned key id, and raises
    ``SignatureRefused`` for a wrong signature or another key.
    """
    vault = open_key_vault(config, clock=SystemClock(), entropy=SystemEntropy())

    def verify(message: bytes, signature: bytes, key_id: str) -> None:
        if vault.key_name(key_id) != AUDIT_KEY:
            msg = "signed by another key than the vault's audit key"
            raise SignatureRefused(msg)
        vault.verify(message, Signature(key_id=key_id, value=signature))

    return verify


def read_audit_public_key(config: Config) -> bytes:
    """Return the current audit key's public half in PEM, to hand to verifiers."""
    vault = open_key_vault(config, clock=SystemClock(), entropy=SystemEntropy())
    return vault.current_key(AUDIT_KEY).public_key_pem
