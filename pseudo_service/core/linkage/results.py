"""The answer of a release: what it says, and how it is sealed to its recipient.

HPKE, base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. The
info string binds the result to the request's digest, so that nobody can open a result
as that of another request.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from pseudo_service.core.disclosures.location import ProjectLocation
from pseudo_service.core.errors import RequestRefused
from pseudo_service.core.linkage.request import LinkageOutcome, LinkageRequest

RESULT_FORMAT: Final = "pseudo/linkage-result/v1"
RECIPIENT_KEY_BYTES: Final = 32
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectAnswer:
    """What a release says of one pseudonym; it holds no more than the verb asks for.

    ``identifier`` is given for REIDENTIFY only, ``pseudonym`` for TRANSLATE only.
    ``superseded_by`` is the number that replaced the identifier.
    """

    subject: str = field(repr=False)
    outcome: LinkageOutcome
    kind: str = ""
    identifier: str = field(default="", repr=False)
    pseudonym: str = field(default="", repr=False)
    superseded_by: str = field(default="", repr=False)


def encode_answers(
    request: LinkageRequest,
    answers: Sequence[SubjectAnswer],
    *,
    released_at: datetime,
    register_faults: int = 0,
) -> bytes:
    """Return the canonical JSON of a REIDENTIFY or TRANSLATE result.

    Args:
        request: What was asked.
        answers: One for each subject.
        released_at: Stated in the result.
        register_faults: How many parts of the register could not be read; stated if
            there are any, because an UNKNOWN person may stand in one of them.
    """
    faults = {"register_faults": register_faults} if register_faults else {}
    rows = [_describe(each) for each in answers]
    return _encode(request, released_at=released_at, rows=rows, **faults)


def encode_location(
    request: LinkageRequest,
    rows: Sequence[ProjectLocation],
    *,
    unaccounted: Sequence[str],
    released_at: datetime,
) -> bytes:
    """Return the canonical JSON of a LOCATE result.

    Args:
        request: What was asked.
        rows: Where the person is held.
        unaccounted: Operations without a record of the people they released; each
            may have released this person.
        released_at: Stated in the result.
    """
    return _encode(
        request,
        released_at=released_at,
        rows=[
            {
                "project": row.project,
                "use": row.use.value,
                "key_version": row.key_version,
                "operations": row.operations,
                "first": row.first.isoformat(),
                "last": row.last.isoformat(),
            }
            for row in rows
        ],
        unaccounted_operations=list(unaccounted),
    )


def seal_result(request: LinkageRequest, plain: bytes) -> bytes:
    """Seal a result to the request's recipient, and to this request only."""
    key = read_recipient_key(request.terms.recipient_key)
    return _SUITE.encrypt(plain, key, info=encode_hpke_info(request.digest()))


def encode_hpke_info(digest: bytes) -> bytes:
    """Return HPKE's info string for a request's digest."""
    return RESULT_FORMAT.encode() + b"\x1f" + digest


def read_recipient_key(raw: bytes) -> X25519PublicKey:
    """Return the X25519 key that a result can be sealed to.

    Raises:
        RequestRefused: The key has another length, or is a point that shares no secret
            (RFC 7748, section 6.1), such as all zeros.
    """
    try:
        key = X25519PublicKey.from_public_bytes(raw)
        _SUITE.encrypt(b"", key, info=b"")
    except ValueError:
        msg = (
            f"recipient key: give an X25519 public key of {RECIPIENT_KEY_BYTES} bytes; "
            "`pseudo linkage keygen` makes one"
        )
        raise RequestRefused(msg) from None
    return key


def _encode(
    request: LinkageRequest, *, released_at: datetime, rows: Sequence[Any], **more: Any
) -> bytes:
    statement = {
        "format": RESULT_FORMAT,
        "request_id": request.request_id,
        "digest": request.digest().hex(),
        "verb": request.terms.verb.value,
        "project": request.terms.project,
        "target_project": request.terms.target_project,
        "released_at": released_at.isoformat(),
        "rows": rows,
        **more,
    }
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def _describe(answer: SubjectAnswer) -> dict[str, str]:
    row = {"subject": answer.subject, "outcome": answer.outcome.value}
    optional = {
        "kind": answer.kind,
        "identifier": answer.identifier,
        "pseudonym": answer.pseudonym,
        "superseded_by": answer.superseded_by,
    }
    return row | {name: text for name, text in optional.items() if text}
