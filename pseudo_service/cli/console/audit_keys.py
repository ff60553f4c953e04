"""The public keys that prove checkpoints and certificates: the vault's audit key."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pseudo_service.adapters.key_vaults.algorithms import verify_message
from pseudo_service.bootstrap.trust import read_audit_verifier
from pseudo_service.cli.console.connection import (
    ConnectionOptions,
    read_config,
    read_text_file,
)
from pseudo_service.cli.console.exit_codes import Failure
from pseudo_service.core.errors import SignatureRefused

AuditKeyOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--audit-key",
        metavar="PEM",
        help="The vault's public audit key; may be repeated for its earlier "
        "versions. Otherwise the vault of --config is asked.",
    ),
]

VerifyVaultSignature = Callable[[bytes, bytes, str], None]
"""Takes message, signature and key id; raises ``SignatureRefused``."""


def open_verifier(
    options: ConnectionOptions, pem_files: Sequence[Path] | None
) -> VerifyVaultSignature:
    """Return what checks a signature: the given keys, else the configured vault.

    Raises:
        Failure: A file is no RSA public key, or neither keys nor vault are given.
    """
    if pem_files:
        return _verify_with_keys([_read_key(path) for path in pem_files])
    if options.server is not None and options.config is None:
        msg = (
            "give --audit-key PEM, or --config of a vault: the service's own word "
            "is not asked about its signatures"
        )
        raise Failure(msg)
    return read_audit_verifier(read_config(options.config))


def _verify_with_keys(keys: Sequence[RSAPublicKey]) -> VerifyVaultSignature:
    """Return a check that accepts a PS256 signature by any of the keys.

    The check raises ``SignatureRefused`` for every other signature.
    """

    def check(message: bytes, signature: bytes, key_id: str) -> None:
        del key_id  # who hands the keys over has named them
        for key in keys:
            try:
                verify_message(key, message, signature)
            except SignatureRefused:
                continue
            return
        msg = "no given audit key made this signature: give the right --audit-key"
        raise SignatureRefused(msg)

    return check


def _read_key(path: Path) -> RSAPublicKey:
    pem = read_text_file(path, "--audit-key").encode()
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        msg = f"--audit-key: {path} is not an RSA public key in PEM"
        raise Failure(msg)
    return key
