"""A signed statement in a file: the exact bytes, and all that proves them."""

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from pathlib import Path
from typing import Any, Final, Protocol

from pseudo_service.cli.console.atomic_files import publish_json
from pseudo_service.cli.console.connection import read_text_file
from pseudo_service.cli.console.exit_codes import ExitCode, Failure
from pseudo_service.core.keys.statements import SignedStatement

_SIGNED_FORMAT: Final = "pseudo/signed-statement/v1"


class SignedLike(Protocol):
    """A signed statement, of the service or of its client."""

    @property
    def statement(self) -> bytes:
        """The bytes that were signed."""
        ...

    @property
    def signature(self) -> bytes:
        """Over the statement, by a process."""
        ...

    @property
    def certificate(self) -> bytes:
        """By which the audit key vouches for that process."""
        ...

    @property
    def certificate_signature(self) -> bytes:
        """Over the certificate, by the audit key."""
        ...

    @property
    def certificate_key_id(self) -> str:
        """The version of the audit key."""
        ...


def write_signed(signed: SignedLike, file: Path) -> None:
    """Write a statement with its proofs, whole or not at all.

    Raises:
        Failure: The folder cannot be written to.
    """
    document = {
        "format": _SIGNED_FORMAT,
        "statement": signed.statement.decode(),
        "signature": b64encode(signed.signature).decode(),
        "certificate": signed.certificate.decode(),
        "certificate_signature": b64encode(signed.certificate_signature).decode(),
        "certificate_key_id": signed.certificate_key_id,
    }
    try:
        publish_json(document, file, file.parent)
    except OSError:
        msg = f"--output: {file} cannot be written; is its folder there?"
        raise Failure(msg) from None


def read_signed(file: Path) -> SignedStatement:
    """Read what ``write_signed`` wrote; nothing of it is verified.

    Raises:
        Failure: It is not there, or not such a file.
    """
    text = read_text_file(file, "FILE")
    try:
        document: dict[str, Any] = json.loads(text)
        if document["format"] == _SIGNED_FORMAT:
            return SignedStatement(
                statement=document["statement"].encode(),
                signature=b64decode(document["signature"]),
                certificate=document["certificate"].encode(),
                certificate_signature=b64decode(document["certificate_signature"]),
                certificate_key_id=str(document["certificate_key_id"]),
            )
    except (ValueError, KeyError, TypeError, AttributeError, Base64Error):
        pass
    msg = f"{file.name} is not a statement of the form {_SIGNED_FORMAT}: it was changed"
    raise Failure(msg, ExitCode.FAULTS_FOUND)
