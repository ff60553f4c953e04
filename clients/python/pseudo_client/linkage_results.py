"""Opens a sealed answer with the officer's private key, and checks whose it is.

Sealed with HPKE (RFC 9180): X25519, HKDF-SHA256, AES-256-GCM, with the request's
digest as the context, so that an answer to another request does not open.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pseudo_client.errors import PseudoClientError
from pseudo_client.linkage_values import SealedResult

if TYPE_CHECKING:  # tables and identifiers need no cryptography
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

FORMAT: Final = "pseudo/linkage-result/v1"
_SEPARATOR: Final = b"\x1f"


class ResultUnreadable(PseudoClientError):
    """A sealed answer does not open with this key, or is not of this request."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="RESULT_UNREADABLE")


class CryptographyMissing(PseudoClientError):
    """The package that opens sealed answers is absent, or too old to have HPKE."""

    def __init__(self) -> None:
        message = (
            "opening a sealed result needs the package cryptography, 47 or newer; "
            "install pseudo-client[linkage] where the officer opens results"
        )
        super().__init__(message, code="CRYPTOGRAPHY_MISSING")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageResult:
    """An opened answer. It names people: keep it where only its reader comes.

    ``rows`` are as the service wrote them: ``subject``, ``outcome`` and, where found,
    ``identifier`` with ``kind``, or ``pseudonym``; for "locate" ``project``, ``use``,
    ``operations``, ``first`` and ``last``. ``register_faults`` counts the parts of the
    register that could not be read: whoever is "unknown" may stand in one of them.
    """

    request_id: str
    digest: bytes
    verb: str
    project: str
    target_project: str
    released_at: datetime
    rows: tuple[Mapping[str, Any], ...] = field(repr=False)
    unaccounted_operations: tuple[str, ...]
    register_faults: int = 0


def open_linkage_result(
    sealed: SealedResult, private_key: "X25519PrivateKey", digest: bytes | None = None
) -> LinkageResult:
    """Open an answer and check that it is the one that was asked for.

    Args:
        sealed: From ``Client.redeem_linkage``.
        private_key: The half of the key that the request names.
        digest: The request's digest as the officer knows it; what came with the
            answer if absent.

    Raises:
        ResultUnreadable: Another key, another request, or changed on the way.
        CryptographyMissing: ``pseudo-client[linkage]`` is not installed.
    """
    expected = sealed.digest if digest is None else digest
    info = FORMAT.encode() + _SEPARATOR + expected
    opened = _decrypt(sealed.sealed, private_key, info)
    try:
        result = _read(json.loads(opened))
    except (ValueError, KeyError, TypeError):
        msg = "the opened result is not of a form that this version reads; update it"
        raise ResultUnreadable(msg) from None
    if (result.request_id, result.digest) != (sealed.request_id, expected):
        msg = "the opened result answers another request; redeem the right one"
        raise ResultUnreadable(msg)
    return result


def _decrypt(sealed: bytes, private_key: "X25519PrivateKey", info: bytes) -> bytes:
    try:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.hpke import (  # noqa: PLC0415 - an extra
            AEAD,
            KDF,
            KEM,
            Suite,
        )
    except ImportError:
        raise CryptographyMissing from None
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    try:
        return suite.decrypt(sealed, private_key, info=info)
    except (InvalidTag, ValueError):
        msg = (
            "the sealed result does not open: it is for another private key, answers "
            "another request, or was changed; redeem again and use the key of the "
            "request"
        )
        raise ResultUnreadable(msg) from None


def _read(document: Mapping[str, Any]) -> LinkageResult:
    if document["format"] != FORMAT:
        raise ValueError(FORMAT)
    return LinkageResult(
        request_id=document["request_id"],
        digest=bytes.fromhex(document["digest"]),
        verb=document["verb"],
        project=document["project"],
        target_project=document["target_project"],
        released_at=datetime.fromisoformat(document["released_at"]),
        rows=tuple(dict(row) for row in document["rows"]),
        unaccounted_operations=tuple(document.get("unaccounted_operations", ())),
        register_faults=int(document.get("register_faults", 0)),
    )
