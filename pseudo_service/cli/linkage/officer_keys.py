"""The officer's key pair. The private half never leaves its owner."""

import hashlib
import sys
from pathlib import Path
from typing import Annotated

import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from pseudo_service.cli.console.atomic_files import write_new_file
from pseudo_service.cli.console.connection import read_text_file
from pseudo_service.cli.console.exit_codes import Failure, show_examples
from pseudo_service.cli.console.output import say, say_field

KEYGEN_EXAMPLES = show_examples(
    "pseudo linkage keygen ~/keys/officer",
    "pseudo linkage keygen ~/keys/officer --passphrase-file ~/keys/passphrase",
)
_GROUP = 4
_SHOWN_DIGITS = 32

PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="A file whose first line is the private key's passphrase.",
    ),
]


def keygen(
    name: Annotated[
        Path,
        typer.Argument(
            metavar="NAME", help="Makes NAME.private.pem and NAME.public.pem."
        ),
    ],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Make a key pair to which results are sealed; only its owner can open them.

    Show the fingerprint to your reviewers by another way than the request, so that
    they can tell that the key in the request is yours.
    """
    private, public = (name.with_name(f"{name.name}.{half}.pem") for half in _HALVES)
    for file in (private, public):
        if file.exists():
            raise _describe_taken(file)
    passphrase = read_passphrase(passphrase_file)
    key = X25519PrivateKey.generate()
    try:
        name.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(private, write_private(key, passphrase))
        try:
            _write_new(public, write_public(key.public_key()))
        except (Failure, OSError):
            private.unlink()  # half a pair is of no use
            raise
    except OSError:
        msg = f"{name.parent}: cannot be written to; choose another folder"
        raise Failure(msg) from None
    say_field("private key", f"{private} (yours alone; without it nothing opens)")
    say_field("public key", f"{public} (give it to `pseudo linkage submit --key`)")
    say_field("fingerprint", write_fingerprint(key.public_key().public_bytes_raw()))
    if passphrase is None:
        say("The private key has no passphrase: whoever copies the file has the key.")


_HALVES = ("private", "public")


def _write_new(file: Path, content: bytes) -> None:
    if not write_new_file(file, content):  # another command made it since
        raise _describe_taken(file)


def _describe_taken(file: Path) -> Failure:
    return Failure(f"{file} is there already; choose another name, or move it away")


def write_private(key: X25519PrivateKey, passphrase: bytes | None) -> bytes:
    """Return PKCS 8 in PEM, encrypted if there is a passphrase."""
    encryption: serialization.KeySerializationEncryption
    if passphrase is None:
        encryption = serialization.NoEncryption()
    else:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def write_public(key: X25519PublicKey) -> bytes:
    """Return the public key in PEM."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def write_fingerprint(raw: bytes) -> str:
    """Return the fingerprint that two people compare.

    It is 128 bits of SHA-256, as 32 hexadecimal digits in groups of four.
    """
    digits = hashlib.sha256(raw).hexdigest()[:_SHOWN_DIGITS]
    groups = (digits[at : at + _GROUP] for at in range(0, _SHOWN_DIGITS, _GROUP))
    return " ".join(groups)


def read_public(file: Path) -> bytes:
    """Read a public key; return its 32 bytes.

    Raises:
        Failure: The file holds no X25519 public key.
    """
    text = read_text_file(file, "--key").encode()
    if b"PRIVATE KEY" in text:
        msg = f"--key {file}: is a private key; give the file NAME.public.pem"
        raise Failure(msg)
    try:
        key = serialization.load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, X25519PublicKey):
        msg = (
            f"--key {file}: is no public key of `pseudo linkage keygen`; give the "
            "file NAME.public.pem"
        )
        raise Failure(msg)
    return key.public_bytes_raw()


def read_private(file: Path, passphrase_file: Path | None) -> X25519PrivateKey:
    """Read a private key; ask for its passphrase if there is a terminal.

    Raises:
        Failure: The file cannot be read, or holds no X25519 private key.
    """
    text = read_text_file(file, "--key").encode()
    passphrase = read_passphrase(passphrase_file)
    if passphrase is None and b"ENCRYPTED" in text and sys.stdin.isatty():
        passphrase = typer.prompt("Passphrase", hide_input=True, err=True).encode()
    try:
        key = serialization.load_pem_private_key(text, passphrase)
    except TypeError:
        msg = f"--key {file}: " + (
            "has no passphrase; leave --passphrase-file out"
            if passphrase
            else "has a passphrase; give it with --passphrase-file"
        )
        raise Failure(msg) from None
    except (ValueError, UnsupportedAlgorithm):
        msg = (
            f"--key {file}: does not open; check that it is NAME.private.pem and "
            "that the passphrase is right"
        )
        raise Failure(msg) from None
    if not isinstance(key, X25519PrivateKey):
        msg = f"--key {file}: is another kind of key; give the file NAME.private.pem"
        raise Failure(msg)
    return key


def read_passphrase(file: Path | None) -> bytes | None:
    """Read the first line of a passphrase file.

    Raises:
        Failure: The file is empty or cannot be read.
    """
    if file is None:
        return None
    lines = read_text_file(file, "--passphrase-file").splitlines()
    if not lines or not lines[0]:
        msg = f"--passphrase-file {file}: its first line is empty; write one there"
        raise Failure(msg)
    return lines[0].encode()
